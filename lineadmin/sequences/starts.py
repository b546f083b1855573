"""How friends start: which sequences are live, who may, and putting many underway at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from peewee import Value, fn

from lineadmin import journal, segments
from lineadmin.db import dump_json, is_postgres, to_ms
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend, Source
from lineadmin.outbox.live import Listed
from lineadmin.segments.about_friend import UNKNOWN_SOURCE
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.definition import AT_FIRST_STEP, Branch, Definition, Trigger
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.published import definitions

RUN = 1  # once per friend; dates that come again and staff's own hand count on
UNDECIDED = -1  # the branch of somebody whose first step will decide it

_COLUMNS = (
    Enrolment.sequence,
    Enrolment.friend_id,
    Enrolment.run,
    Enrolment.version_id,
    Enrolment.branch,
    Enrolment.branch_reason,
    Enrolment.step,
    Enrolment.base_day,
    Enrolment.anchor,
    Enrolment.next_at,
    Enrolment.state,
    Enrolment.reason,
    Enrolment.entered_at,
)


@dataclass(frozen=True)
class Live:
    """A sequence that friends may start at this moment."""

    row: Sequence
    version_id: int
    definition: Definition


def live_sequences(*ids: int) -> list[Live]:
    """Every sequence that friends may start, the most important first; only those named, if any."""
    condition = (
        (Sequence.enabled == True)  # noqa: E712
        & Sequence.archived_at.is_null()
        & Sequence.live_version.is_null(False)
    )
    if ids:
        condition &= Sequence.id.in_(ids)
    live = list(Sequence.select().where(condition).order_by(Sequence.priority, Sequence.id))
    read = definitions(row.live_version or 0 for row in live)
    return [
        Live(row, row.live_version, read[row.live_version])
        for row in live
        if row.live_version in read
    ]


def enrol(
    live: Live,
    day: date,
    entered_at: Mapping[int, datetime],
    *,
    condition: Any,
    zone: ZoneInfo,
    now: datetime,
    run: int = RUN,
    anchor: date | None = None,
    told: Any = None,
) -> int:
    """Start these friends as of `day`; how many were new. One who had this run already is not.

    The first branch whose condition fits takes a friend: later inserts meet her row and do nothing.
    Where the first step decides, she waits undecided for the earliest it could be.

    :param entered_at: friend id -> when the trigger happened; at most a chunk of friends
    :param condition: on Friend; who does not fit it does not start
    :param anchor: the friend's own date, for triggers that follow one
    :param told: what the journal keeps beside the fact
    """
    definition = live.definition
    if not entered_at:
        return 0
    given = Listed.pairs("given", [(one, to_ms(at)) for one, at in entered_at.items()])
    condition &= Friend.id == given.column(1)
    started = 0
    for number, branch in _openings(definition):
        fits = condition
        if branch is not None and branch.where is not None:
            fits = condition & segments.where(branch.where, now=now, zone=zone, per_friend=True)
        steps = branch.steps if branch is not None else ()
        opening = calendar.Opening(0, day, first_moment(definition, day, zone))
        if branch is not None:
            opening = calendar.opening(steps, day, now if anchor is not None else None, zone)
        if opening.next_at is None:
            continue
        rows = (
            Friend.select(
                Value(live.row.id),
                Friend.id,
                Value(run),
                Value(live.version_id),
                Value(number),
                Value(_reason(branch) if definition.branched else None),
                Value(opening.step),
                day_value(opening.base_day),
                day_value(anchor),
                Value(to_ms(opening.next_at)),
                Value(enrolments.ACTIVE),
                Value(""),
                given.column(2),
            )
            .from_(Friend, given.source)
            .where(fits)
        )
        query = Enrolment.insert_from(rows, _COLUMNS).on_conflict(action="nothing")
        friends = [one for (one,) in query.returning(Enrolment.friend_id).tuples().execute()]
        journal.record_many(friends, "sequence.enrolled", object_id=live.row.id, value=told, at=now)
        started += len(friends)
    return started


def _openings(definition: Definition) -> list[tuple[int, Branch | None]]:
    if definition.branched and definition.decide == AT_FIRST_STEP:
        return [(UNDECIDED, None)]
    return list(enumerate(definition.branches))


def first_moment(definition: Definition, day: date, zone: ZoneInfo) -> datetime:
    """The earliest moment at which anybody's first step could be due."""
    return min(
        calendar.planned_moment(calendar.planned_day(day, first), first, zone)
        for branch in definition.branches
        for first in branch.steps[:1]
    )


def reason_of(branch: Branch, decided: str) -> dict[str, str]:
    """What is kept about the choice of a branch: its name, and when it was chosen."""
    return {"branch": branch.name, "decided": decided}


def _reason(branch: Branch | None) -> str | None:
    return None if branch is None else dump_json(reason_of(branch, "enrolment"))


def in_period(row: Sequence, day: date) -> bool:
    """Whether friends may start on that day of the shop's."""
    if row.period_from is not None and day < row.period_from:
        return False
    return row.period_until is None or day <= row.period_until


def not_blocked() -> Any:
    """The least that a friend needs in order to start."""
    return Friend.status != BLOCKED_STATUS


def may_start(trigger: Trigger) -> Any:
    """A condition on Friend: neither blocked nor from another source than the trigger names."""
    condition = not_blocked()
    if trigger.sources is None:
        return condition
    ids = [row.id for row in Source.select(Source.id).where(Source.code.in_(trigger.sources))]
    fits = Friend.source.in_(ids)
    if UNKNOWN_SOURCE in trigger.sources:
        fits |= Friend.source.is_null()
    return condition & fits


def latest_runs(sequence_id: int, friend_ids: list[int]) -> dict[int, Enrolment]:
    """The last run of each of these friends in a sequence, for those who have one."""
    newest = (
        Enrolment.select(Enrolment.friend_id, fn.MAX(Enrolment.run).alias("run"))
        .where(Enrolment.sequence == sequence_id, Enrolment.friend_id.in_(friend_ids))
        .group_by(Enrolment.friend_id)
        .alias("newest")
    )
    rows = (
        Enrolment.select()
        .join(
            newest,
            on=(Enrolment.friend_id == newest.c.friend_id) & (Enrolment.run == newest.c.run),
        )
        .where(Enrolment.sequence == sequence_id)
    )
    return {row.friend_id: row for row in rows}


def day_value(day: date | None) -> Value:
    """A day as a constant: PostgreSQL has a type for it, SQLite keeps text."""
    return Value(day if day is None or is_postgres() else day.isoformat())
