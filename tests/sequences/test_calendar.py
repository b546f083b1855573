"""Days, weekdays and clock times of steps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lineadmin.sequences import calendar
from lineadmin.sequences.definition import Step
from tests.sequences.stage import TAIPEI


@pytest.mark.parametrize(
    ("base", "step", "expected"),
    [
        (date(2026, 11, 23), Step(1, "10:00"), date(2026, 11, 24)),
        (date(2026, 11, 23), Step(30, "10:00"), date(2026, 12, 23)),
        (date(2026, 1, 31), Step(1, "10:00"), date(2026, 2, 1)),
        (date(2028, 2, 28), Step(1, "10:00"), date(2028, 2, 29)),
        (date(2026, 12, 31), Step(1, "10:00"), date(2027, 1, 1)),
        # Monday 23rd: the next Monday at or after the day itself.
        (date(2026, 11, 22), Step(1, "10:00", "mon"), date(2026, 11, 23)),
        (date(2026, 11, 23), Step(1, "10:00", "mon"), date(2026, 11, 30)),
        (date(2026, 11, 23), Step(7, "10:00", "mon"), date(2026, 11, 30)),
        (date(2026, 11, 23), Step(3, "10:00", "sun"), date(2026, 11, 29)),
    ],
)
def test_the_day_of_a_step(base: date, step: Step, expected: date) -> None:
    assert calendar.planned_day(base, step) == expected


def test_ten_steps_of_thirty_days_fall_on_days_30_to_300() -> None:
    day, start = date(2026, 1, 1), date(2026, 1, 1)
    days = []
    for _ in range(10):
        day = calendar.planned_day(day, Step(30, "10:00"))
        days.append((day - start).days)
    assert days == list(range(30, 301, 30))


def test_clock_times_are_the_shops() -> None:
    ten = calendar.planned_moment(date(2026, 11, 24), Step(1, "10:00"), TAIPEI)
    assert ten == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def test_the_nights_on_which_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    # 29 March 2026: 02:30 never happens. 25 October: it happens twice.
    never = calendar.planned_moment(date(2026, 3, 29), Step(1, "02:30"), berlin)
    assert never.astimezone(berlin).strftime("%H:%M") == "03:30"
    twice = calendar.planned_moment(date(2026, 10, 25), Step(1, "02:30"), berlin)
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    ten = calendar.planned_moment(date(2026, 10, 25), Step(1, "10:00"), berlin)
    assert ten == datetime(2026, 10, 25, 9, 0, tzinfo=UTC)


def test_late_is_a_day_after_the_planned_day_ended() -> None:
    late = calendar.late_from(date(2026, 11, 24), TAIPEI)
    assert late.astimezone(TAIPEI) == datetime(2026, 11, 26, 0, 0, tzinfo=TAIPEI)


def test_the_day_of_a_moment_is_the_shops() -> None:
    before_midnight = datetime(2026, 11, 23, 15, 50, tzinfo=UTC)  # 23:50 in Taipei
    assert calendar.local_day(before_midnight, TAIPEI) == date(2026, 11, 23)
    assert calendar.local_day(before_midnight.replace(hour=16), TAIPEI) == date(2026, 11, 24)
