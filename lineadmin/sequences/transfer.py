"""Moving friends underway on earlier versions to the one that is live.

A friend stays in the branch of the same name and gets its next step: whoever had two steps gets the
third of the new version, counted from the planned day of her second. Whose branch is gone finishes
on the version she is on. Chunk by chunk, harmless to repeat: whoever moved is not looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from peewee import fn

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.outbox.live import one_of, rows
from lineadmin.sequences import actions, calendar, enrolments
from lineadmin.sequences.definition import Definition, parse
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from lineadmin.sequences.published import definitions
from lineadmin.sequences.starts import UNDECIDED
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 5_000


@dataclass(frozen=True)
class Outlook:
    """What moving would do with friends underway on earlier versions."""

    move: int  # get the next step of the new version
    finish: int  # have had as many steps as the new version has
    stay: int  # their branch does not exist any more

    @property
    def underway(self) -> int:
        """All of them."""
        return self.move + self.finish + self.stay


class _Spot(NamedTuple):
    version_id: int
    branch: int
    step: int


class _Group(NamedTuple):
    spot: _Spot
    base_day: date


def underway_by_version(sequence_id: int) -> Mapping[int, int]:
    """Friends underway on each version, by its id."""
    query = (
        Enrolment.select(Enrolment.version_id, fn.COUNT(Enrolment.id))
        .where(_underway(sequence_id))
        .group_by(Enrolment.version_id)
    )
    return {int(version): int(count) for version, count in rows(query)}


def outlook(sequence_id: int, new: Definition, *, version_id: int | None = None) -> Outlook:
    """What moving to `new` would do; `version_id`: its id where it has been published."""
    query = (
        Enrolment.select(
            Enrolment.version_id, Enrolment.branch, Enrolment.step, fn.COUNT(Enrolment.id)
        )
        .where(_underway(sequence_id))
        .group_by(Enrolment.version_id, Enrolment.branch, Enrolment.step)
    )
    counts = {_Spot(*row[:3]): int(row[3]) for row in rows(query) if row[0] != version_id}
    old = definitions({spot.version_id for spot in counts})
    told = {"move": 0, "finish": 0, "stay": 0}
    for spot, count in counts.items():
        landing = _landing(spot, old, new)
        if landing is None:
            told["stay"] += count
        elif landing != UNDECIDED and spot.step >= len(new.branches[landing].steps):
            told["finish"] += count
        else:
            told["move"] += count
    return Outlook(**told)


def move_underway(
    sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> Outlook:
    """Move everybody underway on an earlier version to the live one, in short transactions.

    :raises DomainError: nothing is live
    """
    row = actions.get(sequence_id)
    if row.live_version is None:
        raise DomainError(_l("Nothing was published yet."))
    live: SequenceVersion = SequenceVersion.get_by_id(row.live_version)
    new = parse(live.definition)
    zone = settings.shop_zone()
    done = {"move": 0, "finish": 0, "stay": 0}
    after = 0
    while True:
        with atomic():
            last = _move_chunk(row, live.id, new, zone, now, after, done)
        if last is None:
            break
        after = last
    told = Outlook(**done)
    if told.move or told.finish:
        audit.record(
            staff,
            "sequence.move",
            "sequence",
            row.id,
            row.name,
            None,
            {"number": live.number, "count": told.move + told.finish},
            wall=wall,
        )
    return told


def _move_chunk(
    row: Sequence,
    version_id: int,
    new: Definition,
    zone: ZoneInfo,
    now: datetime,
    after: int,
    done: dict[str, int],
) -> int | None:
    """Move the next friends behind enrolment id `after`; the last id looked at, None at the end."""
    query: Any = (
        Enrolment.select(
            Enrolment.id,
            Enrolment.friend_id,
            Enrolment.version_id,
            Enrolment.branch,
            Enrolment.step,
            Enrolment.base_day,
        )
        .where(_underway(row.id), Enrolment.id > after)
        .order_by(Enrolment.id)
        .limit(CHUNK)
    )
    found = list(query.tuples())
    if not found:
        return None
    groups: dict[_Group, dict[int, int]] = defaultdict(dict)
    for enrolment_id, friend_id, version, branch, step, base_day in found:
        if version != version_id:
            groups[_Group(_Spot(version, branch, step), base_day)][enrolment_id] = friend_id
    old = definitions({group.spot.version_id for group in groups})
    for group, friends in groups.items():
        landing = _landing(group.spot, old, new)
        if landing is None:
            done["stay"] += len(friends)
            continue
        ended = _land(row, version_id, group, landing, friends, new, zone, now)
        done["finish" if ended else "move"] += len(friends)
    return int(found[-1][0])


def _land(
    row: Sequence,
    version_id: int,
    group: _Group,
    landing: int,
    friends: dict[int, int],
    new: Definition,
    zone: ZoneInfo,
    now: datetime,
) -> bool:
    """Write where these friends are now; whether that is the end for them."""
    ids = list(friends)
    here = (
        one_of(Enrolment.id, ids)
        & (Enrolment.step == group.spot.step)
        & (Enrolment.version_id == group.spot.version_id)
        & Enrolment.state.in_((enrolments.ACTIVE, enrolments.HELD))
    )
    branches = new.branches if landing == UNDECIDED else (new.branches[landing],)
    if landing != UNDECIDED and group.spot.step >= len(branches[0].steps):
        Enrolment.update(
            version_id=version_id,
            branch=landing,
            next_at=None,
            state=enrolments.FINISHED,
            ended_at=now,
        ).where(here).execute()
        enrolments.note_ended(list(friends.values()), row.id, "", now)
        return True
    steps = [branch.steps[group.spot.step] for branch in branches]
    next_at = min(
        calendar.planned_moment(calendar.planned_day(group.base_day, step), step, zone)
        for step in steps
    )
    Enrolment.update(version_id=version_id, branch=landing, next_at=next_at).where(here).execute()
    return False


def _landing(spot: _Spot, old: Mapping[int, Definition], new: Definition) -> int | None:
    """The new number of the branch of the same name; None where there is none."""
    if spot.branch == UNDECIDED:
        return UNDECIDED
    version = old.get(spot.version_id)
    if version is None or spot.branch >= len(version.branches):
        return None
    names = [branch.name for branch in new.branches]
    name = version.branches[spot.branch].name
    if not version.branched and not new.branched:
        return 0
    return names.index(name) if names.count(name) == 1 else None


def _underway(sequence_id: int) -> Any:
    return (Enrolment.sequence == sequence_id) & Enrolment.state.in_(
        (enrolments.ACTIVE, enrolments.HELD)
    )
