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

from peewee import SQL, Value, fn

from lineadmin import segments, settings
from lineadmin.db import atomic, dump_json, is_postgres
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content, reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import Cap, PlanRow, plan_rows
from lineadmin.sequences import calendar, collisions, enrolments, goals, moves
from lineadmin.sequences.definition import AT_FIRST_STEP, Definition, Step
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.moving import moving
from lineadmin.sequences.places import RUN_FACTOR, origin_run, place_of
from lineadmin.sequences.published import definitions
from lineadmin.sequences.starts import UNDECIDED, reason_of
from lineadmin.sequences.transfer import Place, Someone

CHUNK = 5_000


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

    @property
    def place(self) -> Place:
        """What she shares with friends in the same situation, who are moved on together."""
        return Place(self.version_id, self.branch, self.step, self.base_day)


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Plan every step that is due; how many. Harmless to lose, repeat or run twice."""
    planned = 0
    for sequence_id in with_due(now):
        while not stopping():
            done = advance_chunk(sequence_id, now)
            planned += done
            if not done:
                break
    return planned


def is_due(now: datetime) -> bool:
    """Whether any step is due; one question that indexes answer."""
    return bool(with_due(now))


def next_moment(now: datetime) -> datetime | None:
    """When the next step after `now` is due to anybody; None where nobody is underway."""
    later = enrolments.active() & (Enrolment.next_at > now)
    found: datetime | None = Enrolment.select(fn.MIN(Enrolment.next_at)).where(later).scalar()
    return found


def advance_chunk(
    sequence_id: int, now: datetime, *, limit: int = CHUNK, friend_id: int | None = None
) -> int:
    """Plan the next due steps of one sequence in one transaction; how many friends moved on.

    With `friend_id` only hers: a dry run plays one friend.
    """
    with atomic():
        query = _due(sequence_id, now, limit, friend_id)
        if is_postgres():
            query = query.for_update(skip_locked=True, of=Enrolment)
        due = [Due(*row) for row in query.tuples()]
        if not due:
            return 0
        shop = settings.shop()
        sequence = Sequence.get_by_id(sequence_id)
        gone = [one.id for one in due if one.status == BLOCKED_STATUS]
        enrolments.end_many(gone, reason=enrolments.BLOCKED, now=now)
        going = [one for one in due if one.status != BLOCKED_STATUS]
        moved = moves.take_along(
            sequence_id, [Someone(one.id, one.friend_id, one.place) for one in going], now
        )
        places: dict[Place, list[Due]] = defaultdict(list)
        for one in going:
            if one.id not in moved:
                places[one.place].append(one)
        known = definitions({place.version_id for place in places})
        planned: list[PlanRow] = []
        for place, friends in places.items():
            definition = known.get(place.version_id)
            if definition is None or not _is_in(definition, place):
                ids = [one.id for one in friends]
                enrolments.end_many(ids, reason=enrolments.VERSION_GONE, now=now)
            elif place.branch == UNDECIDED:
                _decide(place, friends, definition, shop.zone, now)
            else:
                planned += _plan_place(sequence, place, friends, definition, shop.zone, now)
        plan_rows(planned, now=now, cap=Cap.of(shop))
    return len(due)


def may_send(ids: set[int], now: datetime) -> set[int]:
    """Those sequences whose planned steps may leave: ones at work that LINE has not refused."""
    going = Sequence.select(Sequence.id).where(
        one_of(Sequence.id, ids) & moving() & (Sequence.pause_reason != reasons.REFUSED)
    )
    return {row.id for row in going}


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


def with_due(now: datetime, friend_id: int | None = None) -> list[int]:
    """Every sequence in which friends may move now, most important first.

    With `friend_id` only those in which she may.
    """
    due = enrolments.active() & (Enrolment.sequence == Sequence.id) & (Enrolment.next_at <= now)
    if friend_id is not None:
        due &= Enrolment.friend_id == friend_id
    waiting = Enrolment.select(SQL("1")).where(due)
    moved = (
        Sequence.select(Sequence.id)
        .where(moving(), fn.EXISTS(waiting))
        .order_by(Sequence.priority, Sequence.id)
    )
    return [row.id for row in moved]


def _due(  # type: ignore[no-untyped-def]
    sequence_id: int, now: datetime, limit: int, friend_id: int | None = None
):
    due = enrolments.active() & (Enrolment.sequence == sequence_id) & (Enrolment.next_at <= now)
    if friend_id is not None:
        due &= Enrolment.friend_id == friend_id
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
        .where(due)
        .order_by(Enrolment.next_at, Enrolment.id)
        .limit(limit)
    )


def _is_in(definition: Definition, place: Place) -> bool:
    """Whether the definition has such a step; one that was changed behind our back may not."""
    if place.branch == UNDECIDED:
        return definition.branched
    branches = definition.branches
    return place.branch < len(branches) and place.step < len(branches[place.branch].steps)


def _decide(
    place: Place, friends: list[Due], definition: Definition, zone: ZoneInfo, now: datetime
) -> None:
    """Choose the branch of friends whose first step may be due: the first that fits takes her."""
    left = {one.friend_id: one.id for one in friends}
    for number, branch in enumerate(definition.branches):
        fits = one_of(Friend.id, left)
        if branch.where is not None:
            fits &= segments.where(branch.where, now=now, zone=zone, per_friend=True)
        chosen = [one for (one,) in rows(Friend.select(Friend.id).where(fits))]
        if not chosen:
            continue
        first = branch.steps[0]
        Enrolment.update(
            branch=number,
            branch_reason=Value(dump_json(reason_of(branch, AT_FIRST_STEP))),
            next_at=calendar.planned_moment(
                calendar.planned_day(place.base_day, first), first, zone
            ),
        ).where(
            one_of(Enrolment.id, [left.pop(one) for one in chosen])
            & (Enrolment.branch == UNDECIDED)
            & enrolments.active()
        ).execute()


def _plan_place(
    sequence: Sequence,
    place: Place,
    friends: list[Due],
    definition: Definition,
    zone: ZoneInfo,
    now: datetime,
) -> list[PlanRow]:
    """The rows of friends in one place, who move on; those who have reached the goal leave."""
    steps = definition.branches[place.branch].steps
    done = goals.reached(definition, {one.friend_id: one.id for one in friends}, zone, now)
    leaving = [one for one in friends if one.friend_id in done]
    going = [one for one in friends if one.friend_id not in done]
    step = steps[place.step]
    planned = _rows(sequence, place, going, step, zone, now)
    planned = collisions.settle(planned, sequence, cap=Cap.of(settings.shop()), zone=zone, now=now)
    planned += _rows(sequence, place, leaving, step, zone, now, left_out=reasons.GOAL)
    enrolments.end_many([one.id for one in leaving], reason=enrolments.GOAL, now=now)
    _move_on(sequence.id, place, going, steps, zone, now)
    return planned


def _rows(
    sequence: Sequence,
    place: Place,
    friends: list[Due],
    step: Step,
    zone: ZoneInfo,
    now: datetime,
    left_out: str = "",
) -> list[PlanRow]:
    parts = parse_parts(list(step.messages))
    stored = content.store(
        list(step.messages), personal=is_personal(parts), summary=summarise(parts), now=now
    )
    day = calendar.planned_day(place.base_day, step)
    due_at = calendar.planned_moment(day, step, zone)
    expires_at = calendar.late_from(day, zone)
    if now >= expires_at:
        left_out = left_out or _late(sequence, due_at)
    return [
        PlanRow(
            friend_id=one.friend_id,
            origin=Origin(
                OriginKind.STEP, sequence.id, origin_run(one.run, place.branch, place.step + 1)
            ),
            content_id=stored.id,
            due_at=due_at,
            expires_at=expires_at,
            priority=sequence.priority,
            skip_reason=left_out,
        )
        for one in friends
    ]


def _late(sequence: Sequence, due_at: datetime) -> str:
    """Why nobody planned it in time: the sequence was switched off, or else the server."""
    since = sequence.enabled_at
    return reasons.SWITCHED_OFF if since is not None and due_at < since else reasons.LATE


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
    if not friends:
        return
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


__all__ = [
    "RUN_FACTOR",
    "advance",
    "advance_chunk",
    "goes_on",
    "is_due",
    "may_send",
    "origin_run",
    "place_of",
    "waits",
    "with_due",
]
