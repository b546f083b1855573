"""Moving everybody underway on earlier versions to a newer one: by the worker, in portions.

The row of a move is the work: a cursor walks along those underway, and each portion is one
transaction with the cursor in it, so a worker that dies goes on where it was and nobody is moved
twice. From the moment it was confirmed nobody gets a step of the version she is leaving: whoever is
due before the cursor reaches her is moved first (`take_along`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from peewee import SQL

from lineadmin import settings
from lineadmin.db import atomic, insert_ignore, is_postgres, one_of
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.outbox.live import rows
from lineadmin.sequences import actions, enrolments
from lineadmin.sequences.models import Enrolment, SequenceVersion, VersionMove
from lineadmin.sequences.published import parsed
from lineadmin.sequences.transfer import Outlook, Place, Someone, land, outlook, standing
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 5_000
RUNNING, DONE, STOPPED = "running", "done", "stopped"


def start(
    sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> VersionMove | None:
    """Have the worker move those on earlier versions to the live one; None: there is nobody.

    One that goes on to an earlier version ends: those it had not reached come along here.

    :raises DomainError: nothing is live, or they are being moved there already
    """
    with atomic():
        row = actions.get(sequence_id)
        actions.check_editable(row)
        if row.live_version is None:
            raise DomainError(_l("Nothing was published yet."))
        live: SequenceVersion = SequenceVersion.get_by_id(row.live_version)
        told = outlook(standing(sequence_id), parsed(live.definition), version_id=live.id)
        if not told.move + told.finish:
            return None
        _end((VersionMove.sequence == sequence_id) & (VersionMove.version_id < live.id), now)
        made = VersionMove.insert(
            sequence=sequence_id,
            version_id=live.id,
            expected=told.underway,
            created_at=now,
            created_by=None if staff is None else staff.id,
        )
        if not insert_ignore(made):
            raise DomainError(_l("They are being moved at this moment."))
        after = {"number": live.number, "count": told.move + told.finish}
        audit.record(staff, "sequence.move", "sequence", row.id, row.name, None, after, wall=wall)
    return of_sequence(sequence_id)


def stop(sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Move nobody more; who was moved stays on the newer version. False where it was over."""
    with atomic():
        row = of_sequence(sequence_id)
        if row is None or not _end(VersionMove.id == row.id, now):
            return False
        name, after = row.sequence.name, {"count": row.moved + row.finished}
        audit.record(
            staff, "sequence.move_stop", "sequence", sequence_id, name, None, after, wall=wall
        )
    return True


def of_sequence(sequence_id: int) -> VersionMove | None:
    """The move that goes on in a sequence, if one does."""
    found: VersionMove | None = (
        VersionMove.select().where(_running(), VersionMove.sequence == sequence_id).first()
    )
    return found


def targets(sequence_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Where friends of these sequences are being moved to: the version's id and its number."""
    ids = list(sequence_ids)
    if not ids:
        return {}
    found = (
        VersionMove.select(VersionMove.sequence, SequenceVersion.id, SequenceVersion.number)
        .join(SequenceVersion, on=(SequenceVersion.id == VersionMove.version_id))
        .where(_running(), one_of(VersionMove.sequence, ids))
    )
    return {sequence: (version, number) for sequence, version, number in rows(found)}


def latest(sequence_id: int) -> VersionMove | None:
    """The last move that was begun in a sequence, whatever became of it."""
    mine = VersionMove.select().where(VersionMove.sequence == sequence_id)
    found: VersionMove | None = mine.order_by(VersionMove.id.desc()).first()
    return found


def progress(row: VersionMove) -> int:
    """How far it is, in percent of those who were underway on earlier versions."""
    done = row.moved + row.finished + row.stayed
    return min(99, 100 * done // max(1, row.expected)) if row.state == RUNNING else 100


def is_due() -> bool:
    """Whether friends are being moved."""
    return VersionMove.select(SQL("1")).where(_running()).exists()


def advance(
    now: datetime, stopping: Callable[[], bool] = lambda: False, *, most: int | None = None
) -> int:
    """Move the next portions; how many. `most` ends it earlier, for a loop with others."""
    done = 0
    while not stopping() and (most is None or done < most):
        row = VersionMove.select().where(_running()).order_by(VersionMove.id).first()
        if row is None:
            break
        advance_chunk(row, now)
        done += 1
    return done


def advance_chunk(row: VersionMove, now: datetime, limit: int = CHUNK) -> None:
    """Move the next friends of one move, in one transaction; at the end it is done."""
    with atomic():
        found = _next(row, limit)
        if not found:
            _end(VersionMove.id == row.id, now, DONE)
            return
        won = VersionMove.update(after_id=found[-1].id).where(
            VersionMove.id == row.id, _running(), VersionMove.after_id == row.after_id
        )
        if won.execute():
            earlier = [one for one in found if one.place.version_id < row.version_id]
            _count(row, _land(row, earlier, now), walked=True)


def take_along(sequence_id: int, someone: Iterable[Someone], now: datetime) -> set[int]:
    """Move those whose turn in a running move would come later; the enrolments it moved or ended.

    In the transaction of the caller, who holds these rows.
    """
    row = of_sequence(sequence_id)
    if row is None:
        return set()
    waiting = [one for one in someone if one.place.version_id < row.version_id]
    if not waiting:
        return set()
    _count(row, _land(row, waiting, now), walked=False)
    left = Enrolment.select(Enrolment.id).where(
        one_of(Enrolment.id, [one.id for one in waiting]), Enrolment.version_id < row.version_id
    )
    return {one.id for one in waiting} - {one for (one,) in rows(left)}


def _land(row: VersionMove, someone: list[Someone], now: datetime) -> Outlook:
    version: SequenceVersion = SequenceVersion.get_by_id(row.version_id)
    return land(
        row.sequence_id,
        someone,
        row.version_id,
        parsed(version.definition),
        zone=settings.shop_zone(),
        now=now,
    )


def _count(row: VersionMove, done: Outlook, *, walked: bool) -> None:
    """Whose branch is gone stays, and is counted where the cursor passes her."""
    VersionMove.update(
        moved=VersionMove.moved + done.move,
        finished=VersionMove.finished + done.finish,
        stayed=VersionMove.stayed + (done.stay if walked else 0),
    ).where(VersionMove.id == row.id).execute()


def _next(row: VersionMove, limit: int) -> list[Someone]:
    """The next ones underway behind the cursor, whatever version they are on."""
    found: list[Someone] = []
    for state in (enrolments.ACTIVE, enrolments.HELD):
        # One state at a time: only so does the index give them in order.
        query: Any = (
            Enrolment.select(
                Enrolment.id,
                Enrolment.friend_id,
                Enrolment.version_id,
                Enrolment.branch,
                Enrolment.step,
                Enrolment.base_day,
            )
            .where(
                Enrolment.sequence == row.sequence_id,
                Enrolment.state == state,
                Enrolment.id > row.after_id,
            )
            .order_by(Enrolment.id)
            .limit(limit)
        )
        if is_postgres():
            # Who is being planned at this moment is waited for, and read as she is afterwards.
            query = query.for_update()
        found += [Someone(one[0], one[1], Place(*one[2:])) for one in query.tuples()]
    return sorted(found)[:limit]


def _end(which: Any, now: datetime, state: str = STOPPED) -> int:
    ended = VersionMove.update(state=state, done_at=now).where(which, _running())
    return int(ended.execute())


def _running() -> Any:
    """Written out so that the partial index answers it."""
    return VersionMove.state == SQL("'running'")
