"""Several sequences and one friend: within the cap, the more important message goes first.

A step that shares its day with a step of a more important sequence, and finds the cap full because
of it, moves to the day after; where that is full too, it is left out. Both keep their reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import fn

from lineadmin.db import from_ms
from lineadmin.outbox import reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.outbox.plan import COUNTED, Cap, PlanRow, over_cap
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.moving import moving

DAY, TICK = timedelta(days=1), timedelta(milliseconds=1)


class Held(NamedTuple):
    """More important steps that are still to come for a friend: how many, and when the last is."""

    number: int
    last: datetime


def settle(
    planned: list[PlanRow], sequence: Sequence, *, cap: Cap | None, zone: ZoneInfo, now: datetime
) -> list[PlanRow]:
    """The rows of one place of a sequence, with those in the way moved or left out."""
    going = [row for row in planned if not row.skip_reason]
    if cap is None or not going:
        return planned
    first = _more_important(sequence)
    if not first:
        return planned
    due_at = going[0].due_at
    ids = [row.friend_id for row in going]
    begins, ends = _day(calendar.local_day(due_at, zone), zone)
    held = _reserved(ids, first, max(begins, now), ends)
    had = _had(ids, first, begins, ends)
    in_the_way = _over(held.keys() | had.keys(), held, due_at, cap)
    if not in_the_way:
        return planned
    later: dict[int, datetime] = {}
    for friend_id in in_the_way:
        last = had.get(friend_id, due_at)
        if friend_id in held:
            last = max(last, held[friend_id].last)
        later[friend_id] = next_day(max(due_at, last), zone)
    full = _full(later, first, cap, now)
    return [_moved(row, later, full, zone) for row in planned]


def next_day(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same time of the shop's clock, a day later."""
    local = moment.astimezone(zone)
    return (local + DAY).replace(fold=0).astimezone(UTC)


def _moved(row: PlanRow, later: Mapping[int, datetime], full: set[int], zone: ZoneInfo) -> PlanRow:
    moment = later.get(row.friend_id)
    if moment is None:
        return row
    if row.friend_id in full:
        return replace(row, skip_reason=reasons.COLLISION)
    expires_at = calendar.late_from(calendar.local_day(moment, zone), zone)
    return replace(row, due_at=moment, expires_at=expires_at, shifted=True)


def _full(later: Mapping[int, datetime], first: list[int], cap: Cap, now: datetime) -> set[int]:
    """Those for whom the cap has no room at the later moment either."""
    together: dict[datetime, list[int]] = defaultdict(list)
    for friend_id, moment in later.items():
        together[moment].append(friend_id)
    full: set[int] = set()
    span = timedelta(days=cap.days)
    for moment, ids in together.items():
        # Whatever could share a window with it, before it and behind it.
        held = _reserved(ids, first, max(moment - span + TICK, now), moment + span)
        full |= _over(ids, held, moment, cap)
    return full


def _more_important(sequence: Sequence) -> list[int]:
    rows = Sequence.select(Sequence.id).where(
        moving(), Sequence.priority < sequence.priority, Sequence.id != sequence.id
    )
    return [row.id for row in rows]


def _reserved(
    friend_ids: Iterable[int], first: list[int], since: datetime, until: datetime
) -> dict[int, Held]:
    """More important steps from `since` up to `until` that nobody has planned yet."""
    found = (
        Enrolment.select(Enrolment.friend_id, fn.COUNT(Enrolment.id), fn.MAX(Enrolment.next_at))
        .where(
            one_of(Enrolment.friend_id, friend_ids)
            & enrolments.active()
            & one_of(Enrolment.sequence, first)
            & (Enrolment.next_at >= since)
            & (Enrolment.next_at < until)
        )
        .group_by(Enrolment.friend_id)
    )
    return {one: Held(number, from_ms(last)) for one, number, last in rows(found)}


def _had(
    friend_ids: Iterable[int], first: list[int], begins: datetime, ends: datetime
) -> dict[int, datetime]:
    """Friends who get a more important step within that time, or got one, and when."""
    found = (
        Delivery.select(Delivery.friend_id, fn.MAX(Delivery.due_at))
        .where(
            one_of(Delivery.friend_id, friend_ids)
            & (Delivery.due_at >= begins)
            & (Delivery.due_at < ends)
            & (Delivery.origin_kind == int(OriginKind.STEP))
            & one_of(Delivery.origin_id, first)
            & Delivery.state.in_(COUNTED)
        )
        .group_by(Delivery.friend_id)
    )
    return {one: from_ms(last) for one, last in rows(found)}


def _over(
    friend_ids: Iterable[int], held: Mapping[int, Held], due_at: datetime, cap: Cap
) -> set[int]:
    """Those for whom the cap has no room at that moment, what is reserved counted in."""
    by_held: dict[int, list[int]] = defaultdict(list)
    for friend_id in friend_ids:
        by_held[held[friend_id].number if friend_id in held else 0].append(friend_id)
    over: set[int] = set()
    for number, ids in by_held.items():
        over |= over_cap(ids, due_at, Cap(cap.messages - number, cap.days))
    return over


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    starts = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + DAY
    return starts, datetime(following.year, following.month, following.day, tzinfo=zone)
