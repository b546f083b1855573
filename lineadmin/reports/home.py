"""The numbers on the home page. Every one is a walk along an index, bounded where it could grow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, ModelSelect, fn

from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.db import from_ms, to_ms
from lineadmin.friends import queries as friends
from lineadmin.friends.models import BLOCKED, FRIEND
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import Delivery, DeliveryState, Reply, ReplyState
from lineadmin.reports import effects
from lineadmin.sequences.models import Enrolment, Sequence

BOUND = 10_000
HALF_HOUR = 30 * 60 * 1000  # every zone's midnight falls on one
FOLLOWED = ("followed", "unblocked")
WEEK = timedelta(days=7)
COMING_DAYS = 7
COMING_ROWS = 8


@dataclass(frozen=True)
class FriendNumbers:
    """Friends now and against a week ago. Rates are parts of one; None while there is nobody."""

    friends: int
    gained: int  # followed minus blocked within seven days
    block_rate: float | None
    rate_change: float | None


@dataclass(frozen=True)
class CouponNumbers:
    """Copies given out and used within thirty days."""

    issued: int
    redeemed: int


@dataclass(frozen=True)
class Today:
    """What still leaves before the shop's midnight, each exact up to 10,000."""

    steps: int
    broadcasts: int
    queued: int

    @property
    def total(self) -> int:
        """Everything together."""
        return self.steps + self.broadcasts + self.queued


@dataclass(frozen=True)
class Day:
    """One local day of the chart."""

    day: date
    followed: int
    blocked: int


@dataclass(frozen=True)
class Latest:
    """A broadcast that was sent: people who got it, tapped a link, blocked within 24 hours."""

    object_id: int
    name: str
    at: datetime
    sent: int
    clicked: int
    blocked: int


@dataclass(frozen=True)
class Coming:
    """Something that will leave: `kind` broadcast | step; `people` exact up to 10,000."""

    at: datetime
    kind: str
    object_id: int
    name: str
    step: int
    people: int | None


def friend_numbers(now: datetime) -> FriendNumbers:
    """Friends, the week's change and the block rate."""
    counts = friends.status_counts()
    followed = _facts(FOLLOWED, now - WEEK)
    blocked = _facts(("blocked",), now - WEEK)
    back = _facts(("unblocked",), now - WEEK)
    total = counts[FRIEND] + counts[BLOCKED]
    rate = counts[BLOCKED] / total if total else None
    was_blocked = max(0, counts[BLOCKED] - blocked + back)
    was_total = total - (followed - back)
    change = None
    if rate is not None and was_total > 0:
        change = rate - min(1.0, was_blocked / was_total)
    return FriendNumbers(counts[FRIEND], followed - blocked, rate, change)


def latest_broadcasts(limit: int = 3) -> list[Latest]:
    """The last broadcasts that were sent whole, newest first, with what their reports say."""
    rows = (
        Broadcast.select()
        .where(Broadcast.finished_at.is_null(False), Broadcast.state == "sent")
        .order_by(Broadcast.finished_at.desc())
        .limit(limit)
    )
    return [
        Latest(
            row.id,
            row.name,
            row.leaves_at or row.finished_at,
            row.sent_count or 0,
            effects.clickers(row.id),
            effects.block_counts(row)[0] if row.blocks_24 is None else row.blocks_24,
        )
        for row in rows
    ]


def free_replies(now: datetime, zone: ZoneInfo) -> int:
    """Messages of the shop's month that cost nothing because they answered an event at once."""
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = Reply.select(fn.COUNT(1)).where(
        SQL(f"state = {int(ReplyState.SENT)}"), Reply.at >= from_ms(to_ms(first))
    )
    return int(query.scalar() or 0)


def coupon_numbers(now: datetime, days: int = 30) -> CouponNumbers:
    """Coupons given out and used within `days`, all coupons together."""
    since = now - timedelta(days=days)
    ids = [coupon.id for coupon in Coupon.select(Coupon.id)]
    undone = _facts(("coupon.undone",), since, objects=ids)
    return CouponNumbers(
        issued=_facts(("coupon.issued",), since, objects=ids),
        redeemed=max(0, _facts(("coupon.redeemed",), since, objects=ids) - undone),
    )


def leaves_today(now: datetime, zone: ZoneInfo) -> Today:
    """What is planned or due before the end of the shop's day."""
    midnight = _midnight_after(now, zone)
    queued = (
        Delivery.select(Delivery.id)
        .where(SQL(f"state = {int(DeliveryState.QUEUED)}"), Delivery.due_at < midnight)
        .limit(BOUND + 1)
    )
    steps = (
        Enrolment.select(Enrolment.id)
        .where(SQL("state = 'active'"), Enrolment.next_at < midnight)
        .limit(BOUND + 1)
    )
    broadcasts = (
        Broadcast.select(fn.SUM(Broadcast.expected))
        .where(SQL("state = 'scheduled'"), Broadcast.leaves_at < midnight)
        .scalar()
    )
    return Today(
        steps=int(steps.count(clear_limit=False)),
        broadcasts=int(broadcasts or 0),
        queued=int(queued.count(clear_limit=False)),
    )


def friend_days(now: datetime, zone: ZoneInfo, days: int) -> list[Day]:
    """Follows and blocks of the last `days` local days, today included, oldest first."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    start = datetime.combine(first, time(), zone)
    counts: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for kinds, place in ((FOLLOWED, 0), (("blocked",), 1)):
        bucket = (Fact.at / HALF_HOUR).alias("bucket")
        rows: Any = (
            Fact.select(bucket, fn.COUNT(1))
            .where(*_within(kinds, start, None))
            .group_by(SQL("bucket"))
            .tuples()
        )
        for number, count in rows:
            local = from_ms(_number(number) * HALF_HOUR).astimezone(zone).date()
            counts[local][place] += count
    listed = [first + timedelta(days=number) for number in range(days)]
    return [Day(day, *counts[day]) for day in listed]


def coming(now: datetime, zone: ZoneInfo) -> list[Coming]:
    """The next things that will leave by themselves, soonest first."""
    until = _midnight_after(now, zone) + timedelta(days=COMING_DAYS - 1)
    found = _coming_broadcasts(until) + _coming_steps(now, until)
    return sorted(found, key=lambda one: one.at)[:COMING_ROWS]


def _coming_broadcasts(until: datetime) -> list[Coming]:
    rows = (
        Broadcast.select()
        .where(
            SQL("state IN ('scheduled', 'planning', 'sending', 'paused')"),
            Broadcast.leaves_at < until,
        )
        .order_by(Broadcast.leaves_at)
        .limit(COMING_ROWS)
    )
    return [Coming(row.leaves_at, "broadcast", row.id, row.name, 0, row.expected) for row in rows]


def _coming_steps(now: datetime, until: datetime) -> list[Coming]:
    # Sequence by sequence, as the index on those underway is ordered; there are few of them.
    rows = Sequence.select(Sequence.id, Sequence.name).where(Sequence.archived_at.is_null())
    return [one for row in rows for one in _coming_of(row, now, until)]


def _coming_of(sequence: Sequence, now: datetime, until: datetime) -> list[Coming]:
    soon = (
        Enrolment.select(Enrolment.step, Enrolment.next_at)
        .where(
            Enrolment.sequence == sequence.id,
            SQL("state = 'active'"),
            Enrolment.next_at >= now,
            Enrolment.next_at < until,
        )
        .order_by(Enrolment.next_at)
        .limit(BOUND + 1)
        .alias("soon")
    )
    rows: Any = (
        ModelSelect(Enrolment, [soon.c.step, soon.c.next_at, fn.COUNT(1)])
        .from_(soon)
        .group_by(soon.c.step, soon.c.next_at)
        .order_by(soon.c.next_at)
        .limit(COMING_ROWS)
        .tuples()
    )
    return [
        Coming(_moment(next_at), "step", sequence.id, sequence.name, step + 1, people)
        for step, next_at, people in rows
    ]


def _facts(
    kinds: tuple[str, ...],
    since: datetime,
    until: datetime | None = None,
    *,
    objects: list[int] | None = None,
) -> int:
    query = Fact.select(fn.COUNT(1)).where(*_within(kinds, since, until, objects))
    return int(query.scalar() or 0)


def _within(
    kinds: tuple[str, ...],
    since: datetime,
    until: datetime | None,
    objects: list[int] | None = None,
) -> list[Any]:
    # Naming the object lets the index (kind, object, time) be used to its last column.
    named = Fact.object_id == 0 if objects is None else Fact.object_id.in_(objects)
    conditions = [Fact.kind.in_(kinds), named, Fact.at >= since]
    return conditions if until is None else [*conditions, Fact.at < until]


def _midnight_after(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else from_ms(int(value))


def _number(value: Any) -> int:
    return to_ms(value) if isinstance(value, datetime) else int(value)


__all__ = [
    "Coming",
    "CouponNumbers",
    "Day",
    "FriendNumbers",
    "Latest",
    "Today",
    "coming",
    "coupon_numbers",
    "free_replies",
    "friend_days",
    "friend_numbers",
    "latest_broadcasts",
    "leaves_today",
]
