"""Keeping dynamic tags true: on whom their rule fits, off when it fits no more or time is up.

Work costs what changed. Friends are looked at when the journal has something new about them, when
they are new, and, all of them in portions, when the rule is new or asks for something that changes
by time alone; that walk is once a day. What was looked at is moved on by a conditional update in
the transaction that sets the tags: losing, repeating or doubling a portion changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from peewee import SQL, fn

from lineadmin import journal, settings
from lineadmin.db import atomic, one_of
from lineadmin.errors import DomainError
from lineadmin.friends import queries
from lineadmin.friends.models import Friend, FriendTag
from lineadmin.journal.models import Fact
from lineadmin.segments.about_deeds import fact_objects
from lineadmin.segments.compile import where
from lineadmin.segments.models import TagRule
from lineadmin.segments.tag_rules import Rule, parse_rule

CHUNK = 2_000
INSERT_CHUNK = 500
BY_RULE = "rule"
# Transactions may commit out of the order of their ids: facts a little further back are looked at
# again, which is harmless.
OVERLAP = 500

logger = logging.getLogger(__name__)


class Held(NamedTuple):
    """A tag on one friend as it stands."""

    by_kind: str
    until: datetime | None


def advance(
    now: datetime, stopping: Callable[[], bool] = lambda: False, *, most: int | None = None
) -> int:
    """Do what is due; how many portions it took. `most` ends it earlier, for a loop with others."""
    done = 0
    for _portion in _portions(now):
        done += 1
        if stopping() or (most is not None and done >= most):
            break
    return done


def is_due(now: datetime) -> bool:
    """Whether any tag has run out, or any rule has something to look at."""
    over: Any = FriendTag.select(SQL("1")).where(_run_out(now))
    if over.exists():
        return True
    rows = list(TagRule.select())
    return bool(rows) and any(_has_work(row, now) for row in rows)


def _portions(now: datetime) -> Iterator[None]:
    """One step of work for each value; a rule that cannot be asked does not stop the others."""
    while _sweep(now):
        yield
    zone = settings.shop_zone()
    for row in TagRule.select().order_by(TagRule.id):
        try:
            yield from _portions_of(row, now, zone)
        except DomainError:
            logger.exception("the rule of tag %s cannot be asked", row.tag_id)


def _portions_of(row: TagRule, now: datetime, zone: ZoneInfo) -> Iterator[None]:
    rule = parse_rule(row.rule) if row.rule else Rule()
    if rule.timely and row.walk_after is None and _walked_before_today(row, now, zone):
        again = TagRule.update(walk_after=0, walked_at=now)
        again.where(TagRule.id == row.id, TagRule.walk_after.is_null()).execute()
    # The facts of the walk's own tags come last, so that nothing is left to look at.
    while _look_at_new(row.id, rule, now, zone) or _walk_on(row.id, rule, now, zone):
        yield


def _has_work(row: TagRule, now: datetime) -> bool:
    if row.walk_after is not None:
        return True
    for model, seen in ((Fact, row.facts_seen), (Friend, row.friends_seen)):
        newer: Any = model.select(SQL("1")).where(model.id > seen)
        if newer.exists():
            return True
    rule = parse_rule(row.rule) if row.rule else Rule()
    return rule.timely and _walked_before_today(row, now, settings.shop_zone())


def _walked_before_today(row: TagRule, now: datetime, zone: ZoneInfo) -> bool:
    if row.walked_at is None:
        return True
    return bool(row.walked_at.astimezone(zone).date() < now.astimezone(zone).date())


# -- time is up --------------------------------------------------------------------------------


def _run_out(now: datetime) -> Any:
    return FriendTag.until.is_null(False) & (FriendTag.until <= now)


def _sweep(now: datetime) -> bool:
    """Take off the next tags whose time is up."""
    with atomic():
        over = FriendTag.select(FriendTag.id).where(_run_out(now)).limit(CHUNK)
        gone = (
            FriendTag.delete()
            .where(FriendTag.id.in_(over))
            .returning(FriendTag.friend, FriendTag.tag)
            .tuples()
            .execute()
        )
        by_tag: dict[int, list[int]] = {}
        for friend_id, tag_id in gone:
            by_tag.setdefault(int(tag_id), []).append(int(friend_id))
        for tag_id, friends in by_tag.items():
            value = {"by": BY_RULE, "why": "expired"}
            journal.record_many(friends, "tag.removed", object_id=tag_id, value=value, at=now)
    return bool(by_tag)


# -- whom to look at ---------------------------------------------------------------------------


def _look_at_new(rule_id: int, rule: Rule, now: datetime, zone: ZoneInfo) -> bool:
    """The friends of the next facts, and the next new friends."""
    with atomic():
        row = TagRule.get_or_none(TagRule.id == rule_id)
        if row is None or not row.rule:
            return False
        facts = queries.ids(
            Fact.select(Fact.id).where(Fact.id > row.facts_seen).order_by(Fact.id).limit(CHUNK)
        )
        friends = queries.ids(
            Friend.select(Friend.id)
            .where(Friend.id > row.friends_seen)
            .order_by(Friend.id)
            .limit(CHUNK)
        )
        if not facts and not friends:
            return False
        moved = (
            TagRule.update(
                facts_seen=facts[-1] if facts else row.facts_seen,
                friends_seen=friends[-1] if friends else row.friends_seen,
            )
            .where(
                TagRule.id == rule_id,
                TagRule.facts_seen == row.facts_seen,
                TagRule.friends_seen == row.friends_seen,
            )
            .execute()
        )
        if not moved:
            return False
        touched = set(friends)
        if facts:
            inside = (Fact.id > row.facts_seen - OVERLAP) & (Fact.id <= facts[-1])
            # What this tag itself left in the journal would have each friend looked at twice.
            own = Fact.kind.in_(("tag.added", "tag.removed")) & (Fact.object_id == row.tag_id)
            about = Fact.select(Fact.friend_id).where(inside & ~own).distinct()
            touched |= set(queries.ids(about))
        _set(row, rule, sorted(touched), now, zone)
    return True


def _walk_on(rule_id: int, rule: Rule, now: datetime, zone: ZoneInfo) -> bool:
    """The next friends of a walk through everybody."""
    with atomic():
        row = TagRule.get_or_none(TagRule.id == rule_id)
        if row is None or row.walk_after is None:
            return False
        page = Friend.select(Friend.id).where(Friend.id > row.walk_after).order_by(Friend.id)
        friends = queries.ids(page.limit(CHUNK))
        moved = (
            TagRule.update(walk_after=friends[-1] if friends else None)
            .where(TagRule.id == rule_id, TagRule.walk_after == row.walk_after)
            .execute()
        )
        if moved and friends:
            _set(row, rule, friends, now, zone)
        if moved and not friends and not row.rule:
            TagRule.delete().where(TagRule.id == rule_id, TagRule.walk_after.is_null()).execute()
    return bool(moved)


# -- setting -----------------------------------------------------------------------------------


def _set(row: TagRule, rule: Rule, friends: list[int], now: datetime, zone: ZoneInfo) -> None:
    """Make the tag true for these friends. Tags that something else set are left alone."""
    wanted = _wanted(rule, friends, now, zone)
    mine = (FriendTag.tag == row.tag_id) & one_of(FriendTag.friend, friends)
    rows = FriendTag.select(FriendTag.friend, FriendTag.by_kind, FriendTag.until).where(mine)
    held = {int(friend): Held(by_kind, until) for friend, by_kind, until in _tuples(rows)}
    new = [friend for friend in wanted if friend not in held]
    longer = [
        friend
        for friend, until in wanted.items()
        if friend in held and held[friend].by_kind == BY_RULE and held[friend].until != until
    ]
    over = [
        friend for friend, one in held.items() if one.by_kind == BY_RULE and friend not in wanted
    ]
    _write(row, {friend: wanted[friend] for friend in [*new, *longer]}, now)
    value = {"by": BY_RULE}
    journal.record_many(new, "tag.added", object_id=row.tag_id, value=value, at=now)
    if over:
        FriendTag.delete().where(
            (FriendTag.tag == row.tag_id) & one_of(FriendTag.friend, over)
        ).execute()
        journal.record_many(over, "tag.removed", object_id=row.tag_id, value=value, at=now)


def _write(row: TagRule, until: dict[int, datetime | None], now: datetime) -> None:
    rows = [
        {
            "friend": friend,
            "tag": row.tag_id,
            "at": now,
            "by_kind": BY_RULE,
            "by_id": row.id,
            "until": moment,
        }
        for friend, moment in until.items()
    ]
    for start in range(0, len(rows), INSERT_CHUNK):
        FriendTag.insert_many(rows[start : start + INSERT_CHUNK]).on_conflict(
            conflict_target=[FriendTag.tag, FriendTag.friend], preserve=[FriendTag.until]
        ).execute()


def _wanted(
    rule: Rule, friends: list[int], now: datetime, zone: ZoneInfo
) -> dict[int, datetime | None]:
    """Who of these should carry the tag, and until when."""
    if not friends or (rule.where is None and not rule.on):
        return {}
    fits: set[int] | None = None
    if rule.where is not None:
        condition = where(rule.where, now=now, zone=zone, per_friend=True)
        among = Friend.select(Friend.id).where(one_of(Friend.id, friends) & condition)
        fits = set(queries.ids(among))
        if not rule.on:
            return {friend: None for friend in sorted(fits)}
    did = _did(rule, friends, now)
    return {
        friend: None if rule.days is None else at + timedelta(days=rule.days)
        for friend, at in did.items()
        if fits is None or friend in fits
    }


def _did(rule: Rule, friends: list[int], now: datetime) -> dict[int, datetime]:
    """When each of these last did what the rule is on."""
    test = one_of(Fact.friend_id, friends) & (Fact.kind == rule.on) & (Fact.at <= now)
    if rule.about:
        test &= Fact.object_id.in_(fact_objects(rule.on, (rule.about,)) or [0])
    if rule.days is not None:
        test &= Fact.at > now - timedelta(days=rule.days)
    rows = Fact.select(Fact.friend_id, fn.MAX(Fact.at).converter(Fact.at.python_value))
    found = _tuples(rows.where(test).group_by(Fact.friend_id))
    return {int(friend): at for friend, at in sorted(found)}


def _tuples(query: Any) -> list[Any]:
    return list(query.tuples())
