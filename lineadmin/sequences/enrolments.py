"""Friends underway: ending, holding and counting them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from peewee import SQL

from lineadmin import journal
from lineadmin.db import atomic
from lineadmin.outbox.live import one_of
from lineadmin.sequences.models import Enrolment

ACTIVE, FINISHED, STOPPED, HELD = "active", "finished", "stopped", "held"
STATES = (ACTIVE, FINISHED, STOPPED, HELD)
# Why somebody left before the end
BLOCKED, ARCHIVED, BY_STAFF, VERSION_GONE = "blocked", "archived", "staff", "version_gone"
GOAL, DATE_GONE, SWITCHED_OFF, PERIOD_OVER = "goal", "date_gone", "switched_off", "period_over"
CHUNK = 5_000
MOST_COUNTED = 10_000  # beyond it screens say "more than"


def active(enrolment: Any = Enrolment) -> Any:
    """Written out so that the partial index on those underway answers it."""
    return enrolment.state == SQL("'active'")


def end_many(ids: Iterable[int], *, reason: str, now: datetime) -> list[int]:
    """End these enrolments where they are still active or held; the friends who left."""
    listed = list(ids)
    if not listed:
        return []
    with atomic():
        ended = list(
            Enrolment.update(state=STOPPED, reason=reason, ended_at=now, next_at=None)
            .where(one_of(Enrolment.id, listed) & Enrolment.state.in_((ACTIVE, HELD)))
            .returning(Enrolment.friend_id, Enrolment.sequence)
            .tuples()
            .execute()
        )
        for sequence_id in {sequence for _friend, sequence in ended}:
            friends = [friend for friend, sequence in ended if sequence == sequence_id]
            note_ended(friends, sequence_id, reason, now)
    return [friend for friend, _sequence in ended]


def finish(ids: Iterable[int], *, now: datetime) -> None:
    """Nothing is left of these runs."""
    with atomic():
        ended = (
            Enrolment.update(state=FINISHED, ended_at=now, next_at=None)
            .where(one_of(Enrolment.id, ids) & active())
            .returning(Enrolment.friend_id, Enrolment.sequence)
            .tuples()
            .execute()
        )
        for friend_id, sequence_id in list(ended):
            note_ended([friend_id], sequence_id, "", now)


def end_some(sequence_id: int, *, reason: str, now: datetime) -> int:
    """End a chunk of the runs of one sequence, in one transaction; how many left."""
    running = Enrolment.select(Enrolment.id).where(
        Enrolment.sequence == sequence_id, Enrolment.state.in_((ACTIVE, HELD))
    )
    return len(end_many([row.id for row in running.limit(CHUNK)], reason=reason, now=now))


def end_for_blockers(blocked_at: dict[int, datetime], *, now: datetime) -> int:
    """End what these friends had started when they blocked the account; how many runs ended."""
    running = Enrolment.select(Enrolment.id, Enrolment.friend_id, Enrolment.entered_at).where(
        one_of(Enrolment.friend_id, blocked_at) & Enrolment.state.in_((ACTIVE, HELD))
    )
    ids = [row.id for row in running if row.entered_at <= blocked_at[row.friend_id]]
    return len(end_many(ids, reason=BLOCKED, now=now))


def release(sequence_id: int) -> int:
    """Let those go on whom a restore put on hold."""
    return int(
        Enrolment.update(state=ACTIVE)
        .where(Enrolment.sequence == sequence_id, Enrolment.state == HELD)
        .execute()
    )


def counts(sequence_ids: Iterable[int], most: int = MOST_COUNTED) -> dict[int, dict[str, int]]:
    """For each sequence how many friends are in each state; counting stops one past `most`."""
    found: dict[int, dict[str, int]] = {}
    for sequence_id in sequence_ids:
        found[sequence_id] = {}
        for state in STATES:
            some = (
                Enrolment.select(SQL("1"))
                .where(Enrolment.sequence == sequence_id, Enrolment.state == state)
                .limit(most + 1)
            )
            found[sequence_id][state] = some.count(clear_limit=False)
    return found


def underway(sequence_id: int) -> int:
    """How many friends are underway, exactly."""
    return int(Enrolment.select().where(active(), Enrolment.sequence == sequence_id).count())


def note_ended(friend_ids: list[int], sequence_id: int, reason: str, now: datetime) -> None:
    """Write the fact into the journal; an empty reason means the end was reached."""
    journal.record_many(
        friend_ids, "sequence.ended", object_id=sequence_id, value={"reason": reason}, at=now
    )
