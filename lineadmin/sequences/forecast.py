"""What step messages will send in the coming days, from those underway now.

Friends in the same place have the same days before them, so places are counted and the calendar
does the rest. Friends who start later are not in it, and what the cap will leave out is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.outbox import quiet
from lineadmin.outbox.live import one_of, rows
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.definition import Definition
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.moving import moving
from lineadmin.sequences.published import definitions
from lineadmin.settings import ShopSettings

DAYS = 30
LOOKED_AT = 5_000  # friends whose other sequences are looked at for collisions


class Place(NamedTuple):
    """Where friends underway stand."""

    version_id: int
    branch: int
    step: int
    base_day: date


@dataclass(frozen=True)
class Forecast:
    """Messages by local day; `days` has every day of the span, in order."""

    days: list[date]
    by_sequence: dict[int, dict[date, int]]  # sequence id -> day -> messages
    names: dict[int, str]

    def on(self, day: date) -> int:
        """All messages of a day."""
        return sum(counts.get(day, 0) for counts in self.by_sequence.values())

    @property
    def total(self) -> int:
        """All messages of the span."""
        return sum(self.on(day) for day in self.days)


@dataclass
class Collisions:
    """Friends of one sequence who will get more than one step on a day."""

    looked_at: int = 0
    whole: bool = True  # everybody underway was looked at
    by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    others: dict[int, str] = field(default_factory=dict)  # the sequences they collide with


def messages(now: datetime, days: int = DAYS) -> Forecast:
    """Messages of every sequence at work, by local day from today on."""
    shop = settings.shop()
    today = calendar.local_day(now, shop.zone)
    span = [today + timedelta(days=number) for number in range(days)]
    names: dict[int, str] = {
        row.id: row.name for row in Sequence.select().where(moving()).order_by(Sequence.priority)
    }
    found: dict[int, dict[date, int]] = {}
    for sequence_id in names:
        counts: dict[date, int] = defaultdict(int)
        places = _places(sequence_id)
        known = definitions({place.version_id for place, _count in places})
        for place, count in places:
            for day in _days(place, known.get(place.version_id), shop, now, span[-1]):
                counts[day] += count
        if counts:
            found[sequence_id] = dict(counts)
    return Forecast(span, found, names)


def collisions(sequence_id: int, now: datetime, days: int = DAYS) -> Collisions:
    """Of the friends whose step in this sequence comes next, those whose days are shared."""
    shop = settings.shop()
    last = calendar.local_day(now, shop.zone) + timedelta(days=days - 1)
    mine = (
        Enrolment.select(Enrolment.friend_id)
        .where(enrolments.active(), Enrolment.sequence == sequence_id)
        .order_by(Enrolment.next_at)
        .limit(LOOKED_AT + 1)
    )
    ids = [friend_id for (friend_id,) in rows(mine)]
    told = Collisions(looked_at=min(len(ids), LOOKED_AT), whole=len(ids) <= LOOKED_AT)
    all_runs: Any = (
        Enrolment.select(
            Enrolment.friend_id,
            Enrolment.sequence,
            Enrolment.version_id,
            Enrolment.branch,
            Enrolment.step,
            Enrolment.base_day,
        )
        .join(Sequence)
        .where(one_of(Enrolment.friend_id, ids[:LOOKED_AT]), enrolments.active(), moving())
        .tuples()
    )
    by_friend: dict[int, list[tuple[int, Place]]] = defaultdict(list)
    for friend_id, of, *place in all_runs:
        by_friend[friend_id].append((of, Place(*place)))
    shared = {one: runs for one, runs in by_friend.items() if len(runs) > 1}
    known = definitions({place.version_id for runs in shared.values() for _of, place in runs})
    cache: dict[Place, set[date]] = {}
    others: set[int] = set()
    for runs in shared.values():
        days_of: dict[date, list[int]] = defaultdict(list)
        for of, place in runs:
            if place not in cache:
                cache[place] = set(_days(place, known.get(place.version_id), shop, now, last))
            for day in cache[place]:
                days_of[day].append(of)
        for day, sequences in days_of.items():
            if len(sequences) > 1 and sequence_id in sequences:
                told.by_day[day] += 1
                others |= set(sequences) - {sequence_id}
    told.others = {row.id: row.name for row in Sequence.select().where(one_of(Sequence.id, others))}
    return told


def _places(sequence_id: int) -> list[tuple[Place, int]]:
    """How many friends stand where; the index on places answers it alone."""
    columns = (Enrolment.version_id, Enrolment.branch, Enrolment.step, Enrolment.base_day)
    found: Any = (
        Enrolment.select(*columns, fn.COUNT(SQL("1")))
        .where(enrolments.active(), Enrolment.sequence == sequence_id)
        .group_by(*columns)
        .tuples()
    )
    return [(Place(*place), count) for *place, count in found]


def _days(
    place: Place, definition: Definition | None, shop: ShopSettings, now: datetime, last: date
) -> list[date]:
    """The local days on which somebody in that place gets a message, up to `last`."""
    if definition is None or place.branch >= len(definition.branches):
        return []
    # Whose branch is still open is counted among everyone else.
    steps = definition.branches[place.branch].steps
    found: list[date] = []
    base = place.base_day
    for step in steps[place.step :]:
        base = calendar.planned_day(base, step)
        if base > last:
            break
        if calendar.late_from(base, shop.zone) <= now:
            continue
        moment = max(calendar.planned_moment(base, step, shop.zone), now)
        leaves = quiet.ends_at(shop, moment) or moment
        day = calendar.local_day(leaves, shop.zone)
        if day <= last:
            found.append(day)
    return found
