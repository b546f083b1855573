"""From facts of the journal to friends underway.

Facts that may start a sequence wait until they were looked at here, once: claimed in chunks by a
conditional update, in the transaction that enrols the friends. Each friend starts a sequence once;
neither unblocking nor following again restarts it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from peewee import SQL, Value

from lineadmin import journal, segments, settings
from lineadmin.coupons.models import Coupon
from lineadmin.db import atomic, dump_json, is_postgres, to_ms
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.outbox.live import one_of
from lineadmin.segments.about_friend import UNKNOWN_SOURCE
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.definition import (
    COUPON_REDEEMED,
    FOLLOW,
    TAG_ADDED,
    Branch,
    Definition,
    Trigger,
    parse,
)
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion

CHUNK = 5_000
RUN = 1  # once per friend; later features may count on
FACT_OF = {FOLLOW: "followed", TAG_ADDED: "tag.added", COUPON_REDEEMED: "coupon.redeemed"}

logger = logging.getLogger(__name__)


class Claimed(NamedTuple):
    """One fact that is being looked at."""

    id: int
    friend_id: int
    kind: str
    object_id: int
    at: datetime


class Live(NamedTuple):
    """A sequence that friends may start at this moment."""

    row: Sequence
    version_id: int
    definition: Definition


def advance(now: datetime, wall: datetime) -> int:
    """Look at every waiting fact; how many there were. Harmless to lose, repeat or run twice."""
    done = 0
    while looked_at := handle_chunk(now):
        done += looked_at
    return done


def is_due() -> bool:
    """Whether any fact is waiting."""
    return Fact.select(SQL("1")).where(Fact.handled_at.is_null()).exists()


def handle_chunk(now: datetime, limit: int = CHUNK) -> int:
    """Enrol for the next facts, in one transaction; how many facts it were."""
    if not is_due():
        return 0
    zone = settings.shop_zone()
    with atomic():
        facts = _claim(limit, now)
        if not facts:
            return 0
        for live in _live_sequences():
            try:
                with atomic():
                    _start(live, facts, zone, now)
            except DomainError:
                # A condition that no longer makes sense must not hold up the other sequences.
                logger.exception("sequence %s cannot start anybody", live.row.id)
        _end_blocked(facts, now)
    return len(facts)


def _claim(limit: int, now: datetime) -> list[Claimed]:
    waiting = Fact.select(Fact.id).where(Fact.handled_at.is_null()).order_by(Fact.id).limit(limit)
    if is_postgres():
        waiting = waiting.for_update(skip_locked=True)
    claimed = (
        Fact.update(handled_at=now)
        .where(Fact.id.in_(waiting))
        .returning(Fact.id, Fact.friend_id, Fact.kind, Fact.object_id, Fact.at)
        .tuples()
        .execute()
    )
    return sorted(Claimed(*row) for row in claimed)


def _live_sequences() -> list[Live]:
    rows = Sequence.select().where(
        Sequence.enabled == True,  # noqa: E712
        Sequence.archived_at.is_null(),
        Sequence.live_version.is_null(False),
    )
    live = list(rows.order_by(Sequence.priority, Sequence.id))
    versions = {
        version.id: version
        for version in SequenceVersion.select().where(
            SequenceVersion.id.in_([row.live_version for row in live])
        )
    }
    return [
        Live(row, version.id, parse(version.definition))
        for row in live
        if (version := versions.get(row.live_version or 0)) is not None
    ]


def _start(live: Live, facts: list[Claimed], zone: ZoneInfo, now: datetime) -> None:
    trigger = live.definition.trigger
    about = _object_id(trigger)
    by_day: dict[date, list[int]] = defaultdict(list)
    for fact in facts:
        if fact.kind != FACT_OF.get(trigger.kind) or about not in (None, fact.object_id):
            continue
        day = calendar.local_day(fact.at, zone)
        if in_period(live.row, day):
            by_day[day].append(fact.id)
    for day, fact_ids in by_day.items():
        enrol(live, day, fact_ids, zone, now)


def enrol(live: Live, day: date, fact_ids: list[int], zone: ZoneInfo, now: datetime) -> int:
    """Start the friends of these facts, which all happened on `day`; how many were new.

    The first branch whose condition fits takes a friend: later inserts meet her row and do nothing.
    """
    started = 0
    for number, branch in enumerate(live.definition.branches):
        condition = _may_start(live.definition.trigger)
        if branch.where is not None:
            condition &= segments.where(branch.where, now=now, zone=zone, per_friend=True)
        friends = _insert(live, number, branch, day, fact_ids, condition, zone)
        journal.record_many(friends, "sequence.enrolled", object_id=live.row.id, at=now)
        started += len(friends)
    return started


def in_period(row: Sequence, day: date) -> bool:
    """Whether friends may start on that day of the shop's."""
    if row.period_from is not None and day < row.period_from:
        return False
    return row.period_until is None or day <= row.period_until


def _insert(
    live: Live,
    number: int,
    branch: Branch,
    day: date,
    fact_ids: list[int],
    condition: Any,
    zone: ZoneInfo,
) -> list[int]:
    first = branch.steps[0]
    next_at = calendar.planned_moment(calendar.planned_day(day, first), first, zone)
    reason = None if not live.definition.branched else dump_json({"branch": branch.name})
    rows = (
        Fact.select(
            Value(live.row.id),
            Fact.friend_id,
            Value(RUN),
            Value(live.version_id),
            Value(number),
            Value(reason),
            Value(0),
            day_value(day),
            Value(to_ms(next_at)),
            Value(enrolments.ACTIVE),
            Value(""),
            Fact.at,
        )
        .join(Friend, on=(Friend.id == Fact.friend_id))
        .where(one_of(Fact.id, fact_ids) & condition)
        .order_by(Fact.id)
    )
    columns = (
        Enrolment.sequence,
        Enrolment.friend_id,
        Enrolment.run,
        Enrolment.version_id,
        Enrolment.branch,
        Enrolment.branch_reason,
        Enrolment.step,
        Enrolment.base_day,
        Enrolment.next_at,
        Enrolment.state,
        Enrolment.reason,
        Enrolment.entered_at,
    )
    inserted = (
        Enrolment.insert_from(rows, columns)
        .on_conflict(action="nothing")
        .returning(Enrolment.friend_id)
        .tuples()
        .execute()
    )
    return [friend_id for (friend_id,) in inserted]


def day_value(day: date) -> Value:
    """A day as a constant: PostgreSQL has a type for it, SQLite keeps text."""
    return Value(day if is_postgres() else day.isoformat())


def _may_start(trigger: Trigger) -> Any:
    condition = Friend.status != BLOCKED_STATUS
    if trigger.sources is None:
        return condition
    ids = [row.id for row in Source.select(Source.id).where(Source.code.in_(trigger.sources))]
    fits = Friend.source.in_(ids)
    if UNKNOWN_SOURCE in trigger.sources:
        fits |= Friend.source.is_null()
    return condition & fits


def _object_id(trigger: Trigger) -> int | None:
    """The tag or coupon the trigger is about; None for a follow, 0 where it is gone."""
    if trigger.kind == FOLLOW:
        return None
    if trigger.kind == TAG_ADDED:
        row: Any = Tag.get_or_none(Tag.name == trigger.about)
    else:
        row = Coupon.get_or_none(Coupon.code == trigger.about)
    return 0 if row is None else int(row.id)


def _end_blocked(facts: list[Claimed], now: datetime) -> None:
    blocked_at = {fact.friend_id: fact.at for fact in facts if fact.kind == "blocked"}
    if blocked_at:
        enrolments.end_for_blockers(blocked_at, now=now)
