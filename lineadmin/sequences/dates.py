"""Sequences that follow a friend's own date: her birthday every year, or a date field of the shop.

Each day is looked at once, by the index on its dates, so a tick costs what is due and no more. When
a date moves, those underway move with it; what they got already is not sent again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.models import Field, Friend, FriendField
from lineadmin.outbox.live import one_of, rows
from lineadmin.sequences import calendar, enrolments, starts
from lineadmin.sequences.definition import BIRTHDAY, DATE, Trigger
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.published import definitions
from lineadmin.sequences.starts import Live

CHUNK = 5_000
MOST_DAYS_BACK = 31  # after a longer silence, older days are let go
LEAP_DAY, DAY_BEFORE = "02-29", "02-28"

logger = logging.getLogger(__name__)


def advance(now: datetime) -> int:
    """Start the friends whose days have come; how many. Harmless to lose, repeat or run twice."""
    today = calendar.local_day(now, settings.shop_zone())
    started = 0
    for sequence_id in _to_look_at(today):
        try:
            while (more := advance_chunk(sequence_id, now)) is not None:
                started += more
        except DomainError:
            # A condition that no longer makes sense must not hold up the other sequences.
            logger.exception("sequence %s cannot start anybody", sequence_id)
    return started


def is_due(now: datetime) -> bool:
    """Whether a day has begun that was not looked at."""
    return bool(_to_look_at(calendar.local_day(now, settings.shop_zone())))


def next_look(now: datetime) -> datetime | None:
    """When the next day of any friend's own dates begins; None where no sequence follows one."""
    if not any(live.definition.trigger.kind == DATE for live in starts.live_sequences()):
        return None
    zone = settings.shop_zone()
    day = calendar.local_day(now, zone) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def advance_chunk(sequence_id: int, now: datetime) -> int | None:
    """Start the next friends of one sequence; None when it has seen every day until today."""
    zone = settings.shop_zone()
    today = calendar.local_day(now, zone)
    with atomic():
        found = starts.live_sequences(sequence_id)
        if not found or found[0].definition.trigger.kind != DATE:
            Sequence.update(dated_until=today, dated_version=Sequence.live_version).where(
                Sequence.id == sequence_id
            ).execute()
            return None
        [live] = found
        day, after = _next_day(live, today, zone)
        if day > today:
            return None
        trigger = live.definition.trigger
        ids = _whose_day(trigger, day - timedelta(days=trigger.offset_days), after)
        started = 0
        if starts.in_period(live.row, day):
            started = start_on(live, day, ids, zone, now)
        whole = len(ids) < CHUNK
        Sequence.update(
            dated_until=day if whole else day - timedelta(days=1),
            dated_version=live.version_id,
            dated_after=0 if whole else ids[-1],
        ).where(Sequence.id == sequence_id).execute()
        return started


def start_on(live: Live, day: date, friend_ids: list[int], zone: ZoneInfo, now: datetime) -> int:
    """Start friends whose trigger is on `day`; how many. Who is underway stays where she is, and
    who is through starts again only for a later day."""
    anchor = day - timedelta(days=live.definition.trigger.offset_days)
    runs = starts.latest_runs(live.row.id, friend_ids)
    by_run: dict[int, dict[int, datetime]] = defaultdict(dict)
    for friend_id in friend_ids:
        last = runs.get(friend_id)
        if last is None or _is_over(last, day, zone):
            by_run[1 if last is None else last.run + 1][friend_id] = now
    return sum(
        starts.enrol(
            live,
            day,
            entered_at,
            condition=starts.not_blocked(),
            zone=zone,
            now=now,
            run=run,
            anchor=anchor,
        )
        for run, entered_at in sorted(by_run.items())
    )


def follow_changes(live: Live, friend_ids: list[int], zone: ZoneInfo, now: datetime) -> None:
    """Something else is known of these friends: move, start or end those whose date it is."""
    trigger = live.definition.trigger
    if trigger.kind != DATE or not friend_ids:
        return
    today = calendar.local_day(now, zone)
    known = dates_of(trigger, friend_ids)
    runs = starts.latest_runs(live.row.id, friend_ids)
    gone: list[int] = []
    starting: dict[date, list[int]] = defaultdict(list)
    for friend_id in friend_ids:
        run, written = runs.get(friend_id), known.get(friend_id)
        if run is not None and run.state == enrolments.ACTIVE and run.anchor is not None:
            if written is None:
                gone.append(run.id)
            elif (anchor := nearest(written, run.anchor)) != run.anchor:
                _move(run, anchor, zone, now)
            continue
        if written is None:
            continue
        day = nearest(written, today) + timedelta(days=trigger.offset_days)
        # Days still to come have their own turn; on a day that has passed, what is ahead is sent.
        if day <= today and starts.in_period(live.row, day):
            starting[day].append(friend_id)
    enrolments.end_many(gone, reason=enrolments.DATE_GONE, now=now)
    for day, ids in starting.items():
        start_on(live, day, ids, zone, now)


def dates_of(trigger: Trigger, friend_ids: Iterable[int]) -> dict[int, str]:
    """The date each of these friends has in the trigger's field, as it is stored: MM-DD of a
    birthday, YYYY-MM-DD of a field; who has none is missing."""
    if trigger.about == BIRTHDAY:
        found: Any = Friend.select(Friend.id, Friend.birthday).where(
            one_of(Friend.id, friend_ids) & Friend.birthday.is_null(False)
        )
    else:
        found = FriendField.select(FriendField.friend, FriendField.text).where(
            (FriendField.field == _field_id(trigger))
            & one_of(FriendField.friend, friend_ids)
            & (FriendField.text != "")
        )
    return dict(rows(found))


def nearest(written: str, near: date) -> date:
    """The date that is meant; of a birthday, the one closest to `near`."""
    if len(written) > 5:
        return date.fromisoformat(written)
    choices = [_in_year(written, near.year + years) for years in (-1, 0, 1)]
    return min(choices, key=lambda choice: abs(choice - near))


def next_start(trigger: Trigger, written: str, today: date) -> date | None:
    """The next day on which somebody with this date starts; None where it has passed for good."""
    offset = timedelta(days=trigger.offset_days)
    if len(written) > 5:
        day = date.fromisoformat(written) + offset
        return day if day >= today else None
    # The offset may lead into the year before or after.
    days = (_in_year(written, today.year + years) + offset for years in (-2, -1, 0, 1, 2))
    return min(day for day in days if day >= today)


def _to_look_at(today: date) -> list[int]:
    """Live sequences that have not seen today's dates, or not as they are now."""
    waiting = Sequence.select(Sequence.id).where(
        Sequence.enabled == True,  # noqa: E712
        Sequence.archived_at.is_null(),
        Sequence.live_version.is_null(False),
        Sequence.dated_until.is_null()
        | (Sequence.dated_until < today)
        | (Sequence.dated_version != Sequence.live_version),
    )
    return [row.id for row in waiting]


def _next_day(live: Live, today: date, zone: ZoneInfo) -> tuple[date, int]:
    """The next day to look at, and the friend to go on after."""
    row = live.row
    earliest = today - timedelta(days=MOST_DAYS_BACK)
    if row.enabled_at is not None:
        earliest = max(earliest, calendar.local_day(row.enabled_at, zone))
    if row.dated_until is None or row.dated_version != live.version_id:
        return today, 0
    day = row.dated_until + timedelta(days=1)
    return (day, row.dated_after) if day >= earliest else (min(earliest, today), 0)


def _whose_day(trigger: Trigger, anchor: date, after: int) -> list[int]:
    """Friends whose date is `anchor`, in id order, behind `after`; at most a chunk."""
    if trigger.about == BIRTHDAY:
        written = [f"{anchor:%m-%d}"]
        leap = _in_year(LEAP_DAY, anchor.year)
        if written == [DAY_BEFORE] and leap == anchor:
            written.append(LEAP_DAY)
        column: Any = Friend.id
        query: Any = Friend.select(column).where(Friend.birthday.in_(written), column > after)
    else:
        column = FriendField.friend
        query = FriendField.select(column).where(
            FriendField.field == _field_id(trigger),
            FriendField.text == anchor.isoformat(),
            column > after,
        )
    return [friend_id for (friend_id,) in rows(query.order_by(column).limit(CHUNK))]


def _field_id(trigger: Trigger) -> int:
    row = Field.get_or_none(Field.key == trigger.about)
    return 0 if row is None else int(row.id)


def _in_year(written: str, year: int) -> date:
    """A birthday in some year; one on a leap day is the day before in the other years."""
    month, day = map(int, written.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28)


def _is_over(run: Enrolment, day: date, zone: ZoneInfo) -> bool:
    """Whether somebody with this run behind her may start again on `day`."""
    if run.state in (enrolments.ACTIVE, enrolments.HELD) or run.ended_at is None:
        return False
    return day > calendar.local_day(run.ended_at, zone)


def _move(run: Enrolment, anchor: date, zone: ZoneInfo, now: datetime) -> None:
    """Move what is left of a run with the date; what is behind her stays behind her."""
    definition = definitions({run.version_id}).get(run.version_id)
    if definition is None:
        return
    day = anchor + timedelta(days=definition.trigger.offset_days)
    if run.branch == starts.UNDECIDED:
        opening = calendar.Opening(0, day, starts.first_moment(definition, day, zone))
    else:
        steps = definition.branches[run.branch].steps
        opening = calendar.opening(steps, day, now, zone, done=run.step)
    if opening.next_at is None:
        enrolments.finish([run.id], now=now)
        return
    Enrolment.update(
        anchor=anchor, base_day=opening.base_day, next_at=opening.next_at, step=opening.step
    ).where(Enrolment.id == run.id, Enrolment.step == run.step, enrolments.active()).execute()
