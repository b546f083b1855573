"""What moving friends underway to another version does with each of them.

A friend stays in the branch of the same name and gets its next step: whoever had two steps gets the
third of the new version, counted from the planned day of her second, or on the next possible day
where that has passed. Whose branch is gone finishes on the version she is on. Who is moved and when
is in moves.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from peewee import SQL, fn

from lineadmin.outbox.live import one_of, rows
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.definition import DATE, Definition, Step
from lineadmin.sequences.models import Enrolment
from lineadmin.sequences.published import definitions
from lineadmin.sequences.starts import UNDECIDED

Spot: TypeAlias = tuple[int, int, int]  # version, branch, steps behind her


@dataclass(frozen=True)
class Outlook:
    """What moving would do with friends underway on earlier versions."""

    move: int = 0  # get the next step of the new version
    finish: int = 0  # have had as many steps as the new version has
    stay: int = 0  # their branch does not exist any more

    @property
    def underway(self) -> int:
        """All of them."""
        return self.move + self.finish + self.stay


class Place(NamedTuple):
    """Where friends in the same situation stand, who are moved on together."""

    version_id: int
    branch: int
    step: int
    base_day: date


class Someone(NamedTuple):
    """One friend underway, and where."""

    id: int
    friend_id: int
    place: Place


def standing(sequence_id: int) -> dict[Spot, int]:
    """How many of those underway stand where: a million are counted in an index."""
    found: dict[Spot, int] = defaultdict(int)
    mine = Enrolment.sequence == sequence_id
    columns = (Enrolment.version_id, Enrolment.branch, Enrolment.step)
    for who in (enrolments.active(), Enrolment.state == enrolments.HELD):
        query = Enrolment.select(*columns, fn.COUNT(SQL("1"))).where(mine & who)
        for version, branch, step, count in rows(query.group_by(*columns)):
            found[version, branch, step] += int(count)
    return found


def underway_by_version(standing: Mapping[Spot, int]) -> Mapping[int, int]:
    """Friends underway on each version, by its id."""
    found: dict[int, int] = defaultdict(int)
    for (version, _branch, _step), count in standing.items():
        found[version] += count
    return found


def outlook(
    standing: Mapping[Spot, int], new: Definition, *, version_id: int | None = None
) -> Outlook:
    """What moving to `new` would do; `version_id`: its id where it has been published."""
    counts = {
        spot: count
        for spot, count in standing.items()
        if version_id is None or spot[0] < version_id
    }
    old = definitions({version for version, _branch, _step in counts})
    told = {"move": 0, "finish": 0, "stay": 0}
    for (version, branch, step), count in counts.items():
        landing = _landing(old.get(version), branch, new)
        if landing is None:
            told["stay"] += count
        elif _is_over(landing, step, new):
            told["finish"] += count
        else:
            told["move"] += count
    return Outlook(**told)


def land(
    sequence_id: int,
    someone: Iterable[Someone],
    version_id: int,
    new: Definition,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> Outlook:
    """Write where these friends are in the new version; in the transaction of the caller.

    Whoever moved on meanwhile, or was moved before, is left alone and not counted.
    """
    places: dict[Place, dict[int, int]] = defaultdict(dict)
    for one in someone:
        places[one.place][one.id] = one.friend_id
    old = definitions({place.version_id for place in places})
    moved = finished = stayed = 0
    for place, friends in places.items():
        landing = _landing(old.get(place.version_id), place.branch, new)
        if landing is None:
            stayed += len(friends)
            continue
        here = (
            one_of(Enrolment.id, friends)
            & (Enrolment.step == place.step)
            & (Enrolment.version_id == place.version_id)
            & Enrolment.state.in_((enrolments.ACTIVE, enrolments.HELD))
        )
        if _is_over(landing, place.step, new):
            change = Enrolment.update(
                version_id=version_id,
                branch=landing,
                next_at=None,
                state=enrolments.FINISHED,
                ended_at=now,
            )
            ended = [
                friend for (friend,) in rows(change.where(here).returning(Enrolment.friend_id))
            ]
            enrolments.note_ended(ended, sequence_id, "", now)
            finished += len(ended)
            continue
        base_day, next_at = _opening(place, old[place.version_id], landing, new, zone, now)
        moved += (
            Enrolment.update(
                version_id=version_id, branch=landing, base_day=base_day, next_at=next_at
            )
            .where(here)
            .execute()
        )
    return Outlook(moved, finished, stayed)


def _opening(
    place: Place,
    old: Definition,
    landing: int,
    new: Definition,
    zone: ZoneInfo,
    now: datetime,
) -> tuple[date, datetime]:
    """The day her next step counts from, and when it comes.

    A moment that passed while nothing of hers was due is none that was missed: it comes on the next
    possible day instead. What is tied to her own date is better left out than late.
    """
    moment, step = _first(_next_steps(new, landing, place.step), place.base_day, zone)
    old_steps = _next_steps(old, place.branch, place.step)
    missed = bool(old_steps) and moment == _first(old_steps, place.base_day, zone)[0]
    if moment > now or missed or new.trigger.kind == DATE:
        return place.base_day, moment
    today = calendar.local_day(now, zone)
    base_day = today - timedelta(days=step.after_days)
    if calendar.planned_moment(calendar.planned_day(base_day, step), step, zone) <= now:
        base_day += timedelta(days=1)
    return base_day, calendar.planned_moment(calendar.planned_day(base_day, step), step, zone)


def _first(steps: list[Step], base: date, zone: ZoneInfo) -> tuple[datetime, Step]:
    """When the first of these steps would come, and which that is."""
    moments = [
        calendar.planned_moment(calendar.planned_day(base, step), step, zone) for step in steps
    ]
    return min(moments), steps[moments.index(min(moments))]


def _next_steps(definition: Definition, branch: int, step: int) -> list[Step]:
    """What may come next for somebody who stands there; several while her branch is not decided."""
    branches = definition.branches if branch == UNDECIDED else (definition.branches[branch],)
    return [one.steps[step] for one in branches if step < len(one.steps)]


def _is_over(landing: int, step: int, new: Definition) -> bool:
    return landing != UNDECIDED and step >= len(new.branches[landing].steps)


def _landing(old: Definition | None, branch: int, new: Definition) -> int | None:
    """The new number of the branch of the same name; None where there is none."""
    if old is None:
        return None
    if branch == UNDECIDED:
        return UNDECIDED if new.branched else 0
    if branch >= len(old.branches):
        return None
    if not old.branched and not new.branched:
        return 0
    names = [one.name for one in new.branches]
    name = old.branches[branch].name
    return names.index(name) if names.count(name) == 1 else None
