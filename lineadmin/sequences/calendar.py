"""When a step is due: pure arithmetic on days and the shop's clock.

A step's day is the planned day of the step before it (of the trigger for the first) plus
`after_days`, moved on to `weekday`. What happened to the step before (late, left out, held up by
quiet hours) never moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lineadmin.sequences.definition import WEEKDAYS, Step
from lineadmin.settings.shop import parse_clock

LATE_AFTER = timedelta(hours=24)


class Opening(NamedTuple):
    """Where somebody stands in a branch: steps behind her, the day the next one counts from, and
    when that is due (None: there is none)."""

    step: int
    base_day: date
    next_at: datetime | None


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day it is in the shop at `moment`."""
    return moment.astimezone(zone).date()


def planned_day(base: date, step: Step) -> date:
    """The day of `step` where the one before it was planned for `base`."""
    day = base + timedelta(days=step.after_days)
    if step.weekday is not None:
        day += timedelta(days=(WEEKDAYS.index(step.weekday) - day.weekday()) % 7)
    return day


def planned_moment(day: date, step: Step, zone: ZoneInfo) -> datetime:
    """That day at the step's clock time, in UTC.

    On the night the clocks change, a time that happens twice means its first turn, and one that
    never happens the moment just as long after the change.
    """
    at = parse_clock(step.at)
    if at is None:
        raise ValueError(f"not a clock time: {step.at!r}")
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def late_from(day: date, zone: ZoneInfo) -> datetime:
    """From this moment (UTC) a message planned for `day` is late and better not sent."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    return midnight.astimezone(UTC) + LATE_AFTER


def opening(
    steps: Sequence[Step], day: date, ahead_of: datetime | None, zone: ZoneInfo, *, done: int = 0
) -> Opening:
    """Where a friend stands whose trigger was on `day`, with `done` steps behind her.

    :param ahead_of: pass over what would have been due before this moment (a date that became
        known, or moved, too late for its first steps)
    """
    number, base = 0, day
    for step in steps:
        planned = planned_day(base, step)
        moment = planned_moment(planned, step, zone)
        if number >= done and (ahead_of is None or moment >= ahead_of):
            return Opening(number, base, moment)
        number, base = number + 1, planned
    return Opening(number, base, None)
