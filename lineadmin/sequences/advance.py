"""Planning the steps that are due, and moving the friends on to their next.

Chunk by chunk in short transactions: claimed by the partial index on those underway, planned into
deliveries, moved on in bulk. A chunk that dies half-way never happened; one that is repeated finds
its deliveries already there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.db import atomic, is_postgres
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content, reasons
from lineadmin.outbox.live import one_of
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import Cap, PlanRow, plan_rows
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.definition import Definition, Step, parse
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion

CHUNK = 5_000
RUN_FACTOR, BRANCH_FACTOR = 1_000, 100


class Due(NamedTuple):
    """One friend whose next step is due."""

    id: int
    friend_id: int
    run: int
    version_id: int
    branch: int
    step: int
    base_day: date
    status: str


class Place(NamedTuple):
    """What friends in the same situation share, so that they are moved on together."""

    version_id: int
    branch: int
    step: int
    base_day: date


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Plan every step that is due; how many. Harmless to lose, repeat or run twice."""
    planned = 0
    for sequence_id, priority in _with_due(now):
        while not stopping():
            done = advance_chunk(sequence_id, now, priority=priority)
            planned += done
            if not done:
                break
    return planned


def is_due(now: datetime) -> bool:
    """Whether any step is due; one question that indexes answer."""
    return bool(_with_due(now))


def advance_chunk(
    sequence_id: int, now: datetime, *, priority: int = 50, limit: int = CHUNK
) -> int:
    """Plan the next due steps of one sequence in one transaction; how many friends moved on."""
    with atomic():
        query = _due(sequence_id, now, limit)
        if is_postgres():
            query = query.for_update(skip_locked=True, of=Enrolment)
        due = [Due(*row) for row in query.tuples()]
        if not due:
            return 0
        shop = settings.shop()
        gone = [one.id for one in due if one.status == BLOCKED_STATUS]
        enrolments.end_many(gone, reason=enrolments.BLOCKED, now=now)
        places: dict[Place, list[Due]] = defaultdict(list)
        for one in due:
            if one.status != BLOCKED_STATUS:
                places[Place(one.version_id, one.branch, one.step, one.base_day)].append(one)
        definitions = _definitions({place.version_id for place in places})
        rows: list[PlanRow] = []
        for place, friends in places.items():
            definition = definitions.get(place.version_id)
            if definition is None or place.step >= len(definition.branches[place.branch].steps):
                ids = [one.id for one in friends]
                enrolments.end_many(ids, reason=enrolments.VERSION_GONE, now=now)
                continue
            steps = definition.branches[place.branch].steps
            rows += _rows(sequence_id, place, friends, steps[place.step], shop.zone, now, priority)
            _move_on(sequence_id, place, friends, steps, shop.zone, now)
        plan_rows(rows, now=now, cap=Cap.of(shop))
    return len(due)


def origin_run(run: int, branch: int, step: int) -> int:
    """How a delivery names its place: enrolment run, branch and step (from 1)."""
    return run * RUN_FACTOR + branch * BRANCH_FACTOR + step


def place_of(run_number: int) -> tuple[int, int]:
    """Branch and step (from 1) of a delivery's `origin_run`."""
    return run_number % RUN_FACTOR // BRANCH_FACTOR, run_number % BRANCH_FACTOR


def may_send(ids: set[int], now: datetime) -> set[int]:
    """Those sequences whose planned steps may leave: enabled ones that LINE has not refused."""
    rows = Sequence.select(Sequence.id).where(
        one_of(Sequence.id, ids)
        & (Sequence.enabled == True)  # noqa: E712
        & Sequence.archived_at.is_null()
        & (Sequence.pause_reason != reasons.REFUSED)
    )
    return {row.id for row in rows}


def waits(sequence_id: int, reason: str) -> None:
    """The sender can't go on with a sequence: no messages left, or LINE refuses its content."""
    Sequence.update(pause_reason=reason).where(
        Sequence.id == sequence_id, Sequence.pause_reason != reason
    ).execute()


def goes_on(sequence_id: int) -> None:
    """Its messages are being packed again."""
    Sequence.update(pause_reason="").where(
        Sequence.id == sequence_id, Sequence.pause_reason == reasons.QUOTA
    ).execute()


def _with_due(now: datetime) -> list[tuple[int, int]]:
    """Id and priority of every sequence in which friends may move now, most important first."""
    waiting = Enrolment.select(SQL("1")).where(
        enrolments.active() & (Enrolment.sequence == Sequence.id) & (Enrolment.next_at <= now)
    )
    rows = (
        Sequence.select(Sequence.id, Sequence.priority)
        .where(
            Sequence.enabled == True,  # noqa: E712
            Sequence.archived_at.is_null(),
            fn.EXISTS(waiting),
        )
        .order_by(Sequence.priority, Sequence.id)
    )
    return [(row.id, row.priority) for row in rows]


def _due(sequence_id: int, now: datetime, limit: int):  # type: ignore[no-untyped-def]
    return (
        Enrolment.select(
            Enrolment.id,
            Enrolment.friend_id,
            Enrolment.run,
            Enrolment.version_id,
            Enrolment.branch,
            Enrolment.step,
            Enrolment.base_day,
            Friend.status,
        )
        .join(Friend, on=(Friend.id == Enrolment.friend_id))
        .where(
            enrolments.active() & (Enrolment.sequence == sequence_id) & (Enrolment.next_at <= now)
        )
        .order_by(Enrolment.next_at, Enrolment.id)
        .limit(limit)
    )


def _definitions(version_ids: set[int]) -> dict[int, Definition]:
    rows = SequenceVersion.select().where(SequenceVersion.id.in_(version_ids))
    return {row.id: parse(row.definition) for row in rows}


def _rows(
    sequence_id: int,
    place: Place,
    friends: list[Due],
    step: Step,
    zone: ZoneInfo,
    now: datetime,
    priority: int,
) -> list[PlanRow]:
    parts = parse_parts(list(step.messages))
    stored = content.store(
        list(step.messages), personal=is_personal(parts), summary=summarise(parts), now=now
    )
    day = calendar.planned_day(place.base_day, step)
    due_at = calendar.planned_moment(day, step, zone)
    expires_at = calendar.late_from(day, zone)
    late = reasons.LATE if now >= expires_at else ""
    return [
        PlanRow(
            friend_id=one.friend_id,
            origin=Origin(
                OriginKind.STEP, sequence_id, origin_run(one.run, place.branch, place.step + 1)
            ),
            content_id=stored.id,
            due_at=due_at,
            expires_at=expires_at,
            priority=priority,
            skip_reason=late,
        )
        for one in friends
    ]


def _move_on(
    sequence_id: int,
    place: Place,
    friends: list[Due],
    steps: tuple[Step, ...],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    day = calendar.planned_day(place.base_day, steps[place.step])
    after = place.step + 1
    finished = after == len(steps)
    if finished:
        change = Enrolment.update(
            step=after, base_day=day, next_at=None, state=enrolments.FINISHED, ended_at=now
        )
    else:
        next_at = calendar.planned_moment(
            calendar.planned_day(day, steps[after]), steps[after], zone
        )
        change = Enrolment.update(step=after, base_day=day, next_at=next_at)
    change.where(
        one_of(Enrolment.id, [one.id for one in friends])
        & (Enrolment.step == place.step)
        & enrolments.active()
    ).execute()
    if finished:
        enrolments.note_ended([one.friend_id for one in friends], sequence_id, "", now)
