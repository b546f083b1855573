"""The ledger of points: given, taken, expired. A balance never falls below zero.

Each change first moves `member.points` by a conditional update, which is also the lock: the lots
of one member are touched by one transaction at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import Case, fn

from lineadmin import journal
from lineadmin.db import atomic, from_ms, insert_ignore, is_postgres
from lineadmin.errors import DomainError
from lineadmin.i18n import _, format_count
from lineadmin.members.models import Member, PointEntry, PointLot
from lineadmin.members.setup import setup
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

GIVE, TAKE, EXPIRE = "give", "take", "expire"
MOST = 1_000_000
LONGEST_REASON = 100
CHUNK = 500


@dataclass(frozen=True)
class Change:
    """Points to give (above zero) or take (below). `expires_at` None: they do not."""

    amount: int
    reason: str = ""
    expires_at: datetime | None = None
    request_key: str | None = None  # the same key changes once


def change(
    member_id: int, asked: Change, *, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    """Give or take points; False where this request was carried out before.

    :raises DomainError: fewer are left than are to be taken, or a value cannot be right
    """
    _check(asked, now)
    with atomic():
        _expire_members([member_id], now)
        entry_id = _enter(member_id, asked, staff, now)
        if entry_id is None:
            return False
        moved = (
            Member.update(points=Member.points + asked.amount)
            .where(Member.id == member_id, Member.points + asked.amount >= 0)
            .execute()
        )
        if not moved:
            raise _too_few(member_id)
        if asked.amount > 0:
            PointLot.create(
                member=member_id, entry=entry_id, left=asked.amount, expires_at=asked.expires_at
            )
        else:
            _spend(member_id, -asked.amount)
        _note(member_id, asked, staff, now, wall)
    return True


def balance(member_id: int, now: datetime) -> int:
    """What a member can use at `now`, whether or not what ran out was written off yet."""
    alive = _alive(now) & (PointLot.member == member_id)
    return int(PointLot.select(fn.COALESCE(fn.SUM(PointLot.left), 0)).where(alive).scalar())


def expiring(member_id: int) -> list[tuple[datetime | None, int]]:
    """What is left of her points by the moment they expire, the soonest first."""
    rows: Any = (
        PointLot.select(PointLot.expires_at, fn.SUM(PointLot.left))
        .where(PointLot.left > 0, PointLot.member == member_id)
        .group_by(PointLot.expires_at)
        .order_by(PointLot.expires_at.is_null(), PointLot.expires_at)
        .tuples()
    )
    return [(_moment(ends), int(left)) for ends, left in rows]


def entries(member_id: int, *, limit: int) -> list[PointEntry]:
    """The last lines of her ledger, the newest first."""
    mine = PointEntry.select().where(PointEntry.member == member_id)
    return list(mine.order_by(PointEntry.id.desc()).limit(limit))


def end_of(now: datetime, zone: ZoneInfo, days: int | None) -> datetime | None:
    """The shop's midnight after so many days: what is given on Monday for 1 day is good through
    Tuesday."""
    if days is None:
        return None
    return end_of_day(now.astimezone(zone).date() + timedelta(days=days), zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The shop's midnight at the end of a day."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def usual_end(now: datetime, zone: ZoneInfo) -> datetime | None:
    """When points that are given now expire, as the shop set it."""
    return end_of(now, zone, setup().points_days)


def expire(now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Write off what has run out, in chunks of members; how many members."""
    done = 0
    while not stopping():
        rows = _run_out(now).select(PointLot.member).distinct().limit(CHUNK)
        found = sorted(member_id for (member_id,) in rows.tuples())
        if not found:
            break
        with atomic():
            _expire_members(found, now)
        done += len(found)
    return done


def is_due(now: datetime) -> bool:
    """Whether any points have run out; one look at an index."""
    return bool(_run_out(now).exists())


def next_moment(now: datetime) -> datetime | None:
    """When the next points run out."""
    soonest = PointLot.select(fn.MIN(PointLot.expires_at)).where(
        PointLot.left > 0, PointLot.expires_at > now
    )
    return _moment(soonest.scalar())


def _alive(now: datetime) -> Any:
    return (PointLot.left > 0) & (PointLot.expires_at.is_null() | (PointLot.expires_at > now))


def _run_out(now: datetime) -> Any:
    return PointLot.select(PointLot.id).where(PointLot.left > 0, PointLot.expires_at <= now)


def _expire_members(member_ids: list[int], now: datetime) -> None:
    """Write off what has run out of these members. In id order, so that two never wait for each
    other."""
    locked = Member.select(Member.id, Member.friend).where(Member.id.in_(member_ids))
    if is_postgres():
        locked = locked.for_update()
    friends = {row.id: row.friend_id for row in locked.order_by(Member.id)}
    lots = list(
        PointLot.select(PointLot.id, PointLot.member, PointLot.left, PointLot.expires_at)
        .where(
            PointLot.left > 0,
            PointLot.expires_at <= now,
            PointLot.member.in_(list(friends)),
        )
        .order_by(PointLot.expires_at, PointLot.id)
    )
    if not lots:
        return
    lost: dict[tuple[int, datetime], int] = {}
    totals: dict[int, int] = {}
    for lot in lots:
        key = (lot.member_id, lot.expires_at)
        lost[key] = lost.get(key, 0) + lot.left
        totals[lot.member_id] = totals.get(lot.member_id, 0) + lot.left
    PointEntry.insert_many(
        [
            {"member": member_id, "kind": EXPIRE, "amount": -amount, "at": ended}
            for (member_id, ended), amount in lost.items()
        ]
    ).execute()
    PointLot.update(left=0).where(PointLot.id.in_([lot.id for lot in lots])).execute()
    fewer = Case(Member.id, tuple(totals.items()), 0)
    Member.update(points=Member.points - fewer).where(Member.id.in_(list(totals))).execute()
    journal.record_each(
        "points.expired",
        [
            (friend_id, member_id, None, -amount, ended)
            for (member_id, ended), amount in lost.items()
            if (friend_id := friends[member_id]) is not None
        ],
    )


def _enter(member_id: int, asked: Change, staff: Staff | None, now: datetime) -> int | None:
    """The id of the new line; None where this request has one already."""
    line = {
        "member": member_id,
        "kind": GIVE if asked.amount > 0 else TAKE,
        "amount": asked.amount,
        "reason": asked.reason.strip(),
        "expires_at": asked.expires_at if asked.amount > 0 else None,
        "staff_id": None if staff is None else staff.id,
        "request_key": asked.request_key,
        "at": now,
    }
    if asked.request_key is None:
        return int(PointEntry.insert(**line).execute())
    if not insert_ignore(PointEntry.insert(**line)):
        return None
    return int(PointEntry.get(PointEntry.request_key == asked.request_key).id)


def _spend(member_id: int, amount: int) -> None:
    """Take from her lots, the soonest to expire first; there are enough."""
    lots = (
        PointLot.select(PointLot.id, PointLot.left)
        .where(PointLot.left > 0, PointLot.member == member_id)
        .order_by(PointLot.expires_at.is_null(), PointLot.expires_at, PointLot.id)
    )
    for lot in list(lots):
        taken = min(amount, lot.left)
        PointLot.update(left=PointLot.left - taken).where(PointLot.id == lot.id).execute()
        amount -= taken
        if not amount:
            return


def _note(
    member_id: int, asked: Change, staff: Staff | None, now: datetime, wall: datetime
) -> None:
    member = Member.get_by_id(member_id)
    if member.friend_id is not None:
        kind = "points.given" if asked.amount > 0 else "points.spent"
        journal.record(
            member.friend_id, kind, object_id=member_id, value=asked.reason or None,
            amount=asked.amount, at=now,
        )  # fmt: skip
    audit.record(
        staff, "points.change", "member", member_id, member.number, None,
        {"points": asked.amount, "reason": asked.reason}, wall=wall,
    )  # fmt: skip


def _check(asked: Change, now: datetime) -> None:
    if not 0 < abs(asked.amount) <= MOST:
        sentence = _("Points are a whole number up to %(most)s, not 0.", most=format_count(MOST))
        raise DomainError(sentence, field="amount")
    if len(asked.reason) > LONGEST_REASON:
        sentence = _("At most %(count)s characters.", count=LONGEST_REASON)
        raise DomainError(sentence, field="reason")
    if asked.amount > 0 and asked.expires_at is not None and asked.expires_at <= now:
        raise DomainError(_("These points would have expired already."), field="until")


def _too_few(member_id: int) -> DomainError:
    left = Member.get_by_id(member_id).points
    sentence = _("Only %(count)s points are left.", count=format_count(left))
    return DomainError(sentence, field="amount")


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return from_ms(int(value))


__all__ = [
    "EXPIRE",
    "GIVE",
    "TAKE",
    "Change",
    "balance",
    "change",
    "end_of",
    "end_of_day",
    "entries",
    "expire",
    "expiring",
    "is_due",
    "next_moment",
    "usual_end",
]
