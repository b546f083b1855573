"""A month of a sequence: on which days its steps fall for a friend who starts on a given day."""

from __future__ import annotations

import calendar as months
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_admin import expose
from peewee import fn

from lineadmin import clock, settings
from lineadmin.admin.sequence_editor import EditorRoutes
from lineadmin.db import from_ms
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import as_read
from lineadmin.outbox.live import rows
from lineadmin.sequences import actions, calendar, enrolments
from lineadmin.sequences.definition import Definition
from lineadmin.sequences.models import Enrolment

LAST_YEAR = 2200


@dataclass(frozen=True)
class Entry:
    """One step on its day."""

    at: str
    branch: int
    name: str
    number: int
    place: str
    summary: str


@dataclass
class Day:
    """One square of the month."""

    day: date
    inside: bool  # of the month that is shown
    today: bool
    start: bool
    entries: list[Entry] = field(default_factory=list)
    underway: int = 0  # friends whose next step is planned for it


class CalendarRoutes(EditorRoutes):
    """The month view; mixed into the screen of step messages."""

    @expose("/<int:sequence_id>/calendar/")
    def calendar(self, sequence_id: int) -> str:
        """The steps of every branch on the days they fall, and friends' next steps."""
        row = self._get(sequence_id)
        zone = settings.shop_zone()
        today = calendar.local_day(clock.now(), zone)
        start = _day(request.args.get("start", "")) or today
        definition = actions.definition_of(row)
        steps = planned(definition, start)
        shown = _month(request.args.get("month", "")) or _first_month(steps, start)
        return self.render(
            "admin/sequence_calendar.html",
            **{**self._context(row, "settings", with_outcomes=False), "tab": "calendar"},
            weeks=weeks(shown, steps, next_steps(row.id, shown, zone), today=today, start=start),
            month=shown,
            before=(shown - timedelta(days=1)).replace(day=1),
            after=(shown + timedelta(days=31)).replace(day=1),
            start=start,
            last=max(steps, default=start),
            names=[branch.name for branch in definition.branches] if definition.branched else [],
        )


def planned(definition: Definition, start: date) -> dict[date, list[Entry]]:
    """Every step by its day, for a friend who starts on `start`; the planner's own arithmetic."""
    found: dict[date, list[Entry]] = defaultdict(list)
    for index, branch in enumerate(definition.branches):
        day = start
        for number, step in enumerate(branch.steps, 1):
            day = calendar.planned_day(day, step)
            summary = as_read(parse_parts(list(step.messages)))
            name = branch.name if definition.branched else ""
            found[day].append(Entry(step.at, index, name, number, f"{index}-{number}", summary))
    for entries in found.values():
        entries.sort(key=lambda one: (one.at, one.branch))
    return dict(found)


def next_steps(sequence_id: int, month: date, zone: ZoneInfo) -> dict[date, int]:
    """How many friends have their next step on each day that a month's sheet shows."""
    first = _moment(month - timedelta(days=6), zone)
    last = _moment(month + timedelta(days=38), zone)
    query = (
        Enrolment.select(Enrolment.next_at, fn.COUNT(Enrolment.id))
        .where(
            enrolments.active(),
            Enrolment.sequence == sequence_id,
            Enrolment.next_at >= first,
            Enrolment.next_at < last,
        )
        .group_by(Enrolment.next_at)
    )
    found: dict[date, int] = defaultdict(int)
    for moment, count in rows(query):
        found[calendar.local_day(from_ms(moment), zone)] += int(count)
    return found


def weeks(
    month: date,
    steps: dict[date, list[Entry]],
    underway: dict[date, int],
    *,
    today: date,
    start: date,
) -> list[list[Day]]:
    """The sheet of a month, Monday first."""
    return [
        [
            Day(
                day=day,
                inside=day.month == month.month,
                today=day == today,
                start=day == start,
                entries=steps.get(day, []),
                underway=underway.get(day, 0),
            )
            for day in week
        ]
        for week in months.Calendar().monthdatescalendar(month.year, month.month)
    ]


def _first_month(steps: dict[date, list[Entry]], start: date) -> date:
    return min(steps, default=start).replace(day=1)


def _moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _month(text: str) -> date | None:
    return _day(f"{text}-01") if len(text) == 7 else None


def _day(text: Any) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < LAST_YEAR else None
