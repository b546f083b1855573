"""A friend agrees, stops, or her consent runs out: a line of the ledger, its state, and her tag.

Each change is one conditional update of the state, so that a button tapped twice, an event that
comes again and two workers at once write one line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import SQL, Expression

from lineadmin import journal, settings
from lineadmin.db import atomic, insert_ignore, is_postgres
from lineadmin.friends.models import Friend
from lineadmin.friends.tags import add_tag, remove_tag, remove_tag_many
from lineadmin.staff import audit
from lineadmin.staff.models import Staff
from lineadmin.topics.models import Consent, Subscription, Topic
from lineadmin.topics.states import (
    EXPIRED,
    RENEWED,
    STOPPED,
    SUBSCRIBED,
    TIME,
    ends_after,
)

BY_TOPIC = "topic"  # who set the tag
RENEW_WITHIN = timedelta(days=30)  # agreeing again that shortly before the end prolongs it
CHUNK = 500
_RUNS_OUT = SQL("state = 'subscribed' AND until IS NOT NULL")  # as its partial index is written


@dataclass(frozen=True)
class Wish:
    """Who tells us, how and when. `at` is shop time, `wished_at` real time.

    A wish older than her latest one (an event that came late) changes nothing.
    """

    place: str  # states.CARD, PAGE, KEYWORD, STAFF or CSV
    at: datetime
    wished_at: datetime
    origin: str = ""
    origin_id: int = 0
    origin_place: int = 0
    staff: Staff | None = None
    reason: str = ""


def subscribe(topic: Topic, friend_id: int, wish: Wish, *, wording: int | None = None) -> str:
    """She agrees. Answers "subscribed", "renewed", or "" where that was so already.

    :param wording: the version she was shown; default: the present one
    """
    version = topic.wording_version if wording is None else wording
    until = _until(topic, wish.at)
    with atomic():
        change = _agree(topic, friend_id, wish, version, until)
        if not change:
            return ""
        _write(topic, friend_id, change, wish, version, until)
        if topic.tag_id is not None:
            add_tag(friend_id, topic.tag_id, at=wish.at, by_kind=BY_TOPIC, by_id=topic.id)
    return change


def stop(topic: Topic, friend_id: int, wish: Wish) -> bool:
    """She wants no more of it; False where she had not agreed to it."""
    with atomic():
        hers = (Subscription.topic == topic.id) & (Subscription.friend_id == friend_id)
        changed = (
            Subscription.update(state=STOPPED, since=wish.at, until=None, wished_at=wish.wished_at)
            .where(
                hers,
                Subscription.state == SUBSCRIBED,
                Subscription.wished_at <= wish.wished_at,
            )
            .execute()
        )
        if not changed:
            return False
        version = Subscription.get(hers).wording_version
        _write(topic, friend_id, STOPPED, wish, version, None)
        if topic.tag_id is not None:
            remove_tag(friend_id, topic.tag_id, at=wish.at, by_kind=BY_TOPIC)
    return True


def expire(
    now: datetime, stopping: Callable[[], bool] = lambda: False, *, most: int | None = None
) -> int:
    """Write down every consent whose time is over; how many. Harmless to repeat or run twice.

    :param most: end earlier, after about so many
    """
    done = 0
    while not stopping() and (most is None or done < most):
        found = _expire_some(now)
        if not found:
            break
        done += found
    return done


def is_due(now: datetime) -> bool:
    """Whether any consent has run out that nobody has written down yet; one indexed question."""
    return bool(Subscription.select(Subscription.id).where(_over(now)).exists())


def next_moment(now: datetime) -> datetime | None:
    """When the next consent runs out after `now`."""
    later = _RUNS_OUT & (Subscription.until > now)
    row = Subscription.select(Subscription.until).where(later).order_by(Subscription.until).first()
    found: datetime | None = None if row is None else row.until
    return found


def agreed(topic_id: int, now: datetime) -> Expression:
    """The rows of those who agree to a topic at `now`."""
    fresh = Subscription.until.is_null() | (Subscription.until > now)
    return (Subscription.topic == topic_id) & (Subscription.state == SUBSCRIBED) & fresh


def _agree(topic: Topic, friend_id: int, wish: Wish, version: int, until: datetime | None) -> str:
    values = {
        "state": SUBSCRIBED,
        "wording_version": version,
        "since": wish.at,
        "until": until,
        "wished_at": wish.wished_at,
    }
    if insert_ignore(Subscription.insert(topic=topic.id, friend_id=friend_id, **values)):
        return SUBSCRIBED
    hers = (
        (Subscription.topic == topic.id)
        & (Subscription.friend_id == friend_id)
        & (Subscription.wished_at <= wish.wished_at)
    )
    over = Subscription.until.is_null(False) & (Subscription.until <= wish.at)
    gone = (Subscription.state != SUBSCRIBED) | over
    if Subscription.update(**values).where(hers, gone).execute():
        return SUBSCRIBED
    # Agreeing once more is news only where the end is near or the words are others.
    news = Subscription.wording_version < version
    if until is not None:
        soon = Subscription.until.is_null(False) & (Subscription.until < wish.at + RENEW_WITHIN)
        news = news | soon
    if Subscription.update(**values).where(hers, news).execute():
        return RENEWED
    return ""


def _write(
    topic: Topic,
    friend_id: int,
    change: str,
    wish: Wish,
    version: int,
    until: datetime | None,
) -> None:
    Consent.insert(
        topic=topic.id,
        friend_id=friend_id,
        change=change,
        wording_version=version,
        place=wish.place,
        origin=wish.origin,
        origin_id=wish.origin_id,
        origin_place=wish.origin_place,
        at=wish.at,
        until=until,
        staff_id=None if wish.staff is None else wish.staff.id,
        reason=wish.reason,
    ).execute()
    kind = "topic.stopped" if change == STOPPED else "topic.subscribed"
    journal.record(friend_id, kind, object_id=topic.id, value={"by": wish.place}, at=wish.at)
    if wish.staff is not None:
        name = Friend.select(Friend.display_name).where(Friend.id == friend_id).scalar() or ""
        audit.record(
            wish.staff,
            "friend.unsubscribe" if change == STOPPED else "friend.subscribe",
            "friend",
            friend_id,
            name,
            None,
            {"topic": topic.name},
            wall=wish.wished_at,
            reason=wish.reason,
        )


def _over(now: datetime) -> Expression:
    return _RUNS_OUT & (Subscription.until <= now)


def _expire_some(now: datetime) -> int:
    with atomic():
        some = Subscription.select(Subscription.id).where(_over(now)).limit(CHUNK)
        if is_postgres():
            some = some.for_update(skip_locked=True)
        ended = (
            Subscription.update(state=STOPPED, since=Subscription.until)
            .where(Subscription.id.in_(some), _over(now))
            .returning(
                Subscription.topic,
                Subscription.friend_id,
                Subscription.wording_version,
                Subscription.since,
            )
        )
        rows = list(ended.execute())
        if not rows:
            return 0
        by_topic: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            by_topic[row.topic_id].append(row.friend_id)
        Consent.insert_many(
            [
                {
                    "topic": row.topic_id,
                    "friend_id": row.friend_id,
                    "change": EXPIRED,
                    "wording_version": row.wording_version,
                    "place": TIME,
                    "at": row.since,
                    "until": None,
                }
                for row in rows
            ]
        ).execute()
        for topic_id, friends in by_topic.items():
            _forget(Topic.get_by_id(topic_id), friends, now)
    return len(rows)


def _forget(topic: Topic, friends: list[int], now: datetime) -> None:
    journal.record_many(friends, "topic.stopped", object_id=topic.id, value={"by": TIME}, at=now)
    if topic.tag_id is not None:
        remove_tag_many(friends, topic.tag_id, at=now, by_kind=BY_TOPIC)


def _until(topic: Topic, at: datetime) -> datetime | None:
    return ends_after(topic.life_months, at.astimezone(settings.shop_zone()))
