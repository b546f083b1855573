"""Files that wait in the database: uploaded, mapped, and imported piece by piece.

A file of a hundred thousand rows takes longer than a request may: the worker does it, a few seconds
at a time, and whoever waits sees how far it is. What a file holds its importer knows: friends here,
purchases in their own room.
"""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import IO, Any, Protocol

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.csv_cells import Lookup
from lineadmin.friends.csv_columns import check_columns
from lineadmin.friends.csv_import import Chunk, ImportResult, read_chunks, save_chunk, tell
from lineadmin.friends.models import FriendImport
from lineadmin.i18n import DEFAULT_LOCALE, _l, use_locale
from lineadmin.staff.models import Staff

UPLOADED, WAITING, DONE, FAILED = "uploaded", "waiting", "done", "failed"
KEPT = timedelta(hours=1)  # between the upload and the button
TOLD = timedelta(days=7)  # how long a result can be read
SLICE_SECONDS = 2.0  # of the worker's time before it looks at its other chores
NAME_CHARACTERS = 200
FRIENDS = "friends"


class Piece(Protocol):
    """Some rows of a file, read and judged."""

    rows: int


class Importer(Protocol):
    """How files of one kind are read and saved; made anew for every run."""

    def check(self, columns: Sequence[str]) -> list[str]:
        """What each column holds, checked."""

    def read(self, file: IO[bytes], columns: Sequence[str], *, skip: int) -> Iterable[Any]:
        """Pieces of the file after its first rows."""

    def save(
        self,
        piece: Any,
        result: ImportResult,
        *,
        staff: Staff | None,
        now: datetime,
        wall: datetime,
    ) -> None:
        """Write a piece, and count it."""

    def tell(self, result: ImportResult, name: str, *, staff: Staff | None, wall: datetime) -> None:
        """The audit line at the end."""


class _Friends:
    """Friends, as csv_import.py reads and saves them."""

    def __init__(self, now: datetime) -> None:
        self._lookup = Lookup(now)

    def check(self, columns: Sequence[str]) -> list[str]:
        return check_columns(columns, list(self._lookup.fields))

    def read(self, file: IO[bytes], columns: Sequence[str], *, skip: int) -> Iterable[Chunk]:
        return read_chunks(file, self._lookup, columns, skip=skip)

    def save(
        self,
        piece: Chunk,
        result: ImportResult,
        *,
        staff: Staff | None,
        now: datetime,
        wall: datetime,
    ) -> None:
        save_chunk(piece, self._lookup, result, staff=staff, now=now, wall=wall)

    def tell(self, result: ImportResult, name: str, *, staff: Staff | None, wall: datetime) -> None:
        tell(result, name, staff=staff, wall=wall)


_importers: dict[str, Callable[[datetime], Importer]] = {FRIENDS: _Friends}


def register(kind: str, importer: Callable[[datetime], Importer]) -> None:
    """Have files of another kind imported too; `importer` is made with the moment of the run."""
    _importers[kind] = importer


def keep(
    data: bytes, name: str, *, staff: Staff, wall: datetime, kind: str = FRIENDS
) -> FriendImport:
    """Put a file aside for the person who uploaded it."""
    _forget_old(wall)
    made: FriendImport = FriendImport.create(
        token=secrets.token_hex(16),
        staff_id=staff.id,
        name=name[:NAME_CHARACTERS],
        data=data,
        created_at=wall,
        changed_at=wall,
        kind=kind,
    )
    return made


def find(token: str, *, staff: Staff, kind: str = FRIENDS) -> FriendImport | None:
    """The file of this person with this token."""
    found: FriendImport | None = FriendImport.get_or_none(
        FriendImport.token == token, FriendImport.staff_id == staff.id, FriendImport.kind == kind
    )
    return found


def recent(*, staff: Staff, limit: int = 5, kind: str = FRIENDS) -> list[FriendImport]:
    """This person's latest imports, under way or done, without their bytes."""
    shown = [FriendImport.token, FriendImport.name, FriendImport.state, FriendImport.changed_at]
    rows = FriendImport.select(*shown).where(
        FriendImport.staff_id == staff.id,
        FriendImport.state != UPLOADED,
        FriendImport.kind == kind,
    )
    return list(rows.order_by(FriendImport.id.desc()).limit(limit))


def forget(job: FriendImport) -> None:
    """Throw an uploaded file away."""
    FriendImport.delete().where(FriendImport.id == job.id, FriendImport.state == UPLOADED).execute()


def start(
    token: str,
    columns: Sequence[str],
    rows: int,
    *,
    staff: Staff,
    wall: datetime,
    kind: str = FRIENDS,
) -> FriendImport:
    """Have the file imported; pressed twice, it is imported once.

    :raises DomainError: it is being imported already, or its hour is over; or the columns do not do
    """
    chosen = _importers[kind](wall).check(columns)
    won = (
        FriendImport.update(
            state=WAITING,
            columns=chosen,
            rows_total=rows,
            result=asdict(ImportResult()),
            changed_at=wall,
        )
        .where(
            FriendImport.token == token,
            FriendImport.staff_id == staff.id,
            FriendImport.state == UPLOADED,
            FriendImport.kind == kind,
            FriendImport.created_at > wall - KEPT,
        )
        .execute()
    )
    if not won:
        raise DomainError(
            _l("This file has been imported already, or its hour is over. Upload it again.")
        )
    job: FriendImport = FriendImport.get(FriendImport.token == token)
    return job


def run_due(now: datetime, wall: datetime) -> int:
    """Go on with the file that waits longest, for a few seconds; how many rows that was."""
    job = (
        FriendImport.select().where(FriendImport.state == WAITING).order_by(FriendImport.id).first()
    )
    return 0 if job is None else run(job, now=now, wall=wall, seconds=SLICE_SECONDS)


def run(job: FriendImport, *, now: datetime, wall: datetime, seconds: float | None = None) -> int:
    """Import more of this file, all of it without `seconds`; how many rows that was.

    Rows and cursor are committed together: a second worker, or one that starts after a kill -9,
    neither repeats nor leaves out any.
    """
    staff = Staff.get_or_none(Staff.id == job.staff_id)
    with use_locale(staff.locale if staff is not None else DEFAULT_LOCALE):
        return _run(job, staff, now, wall, seconds)


class _Overtaken(Exception):
    """Somebody else has moved the cursor: what this one wrote is taken back."""


def _run(
    job: FriendImport, staff: Staff | None, now: datetime, wall: datetime, seconds: float | None
) -> int:
    until = time.monotonic() + (seconds or 0)
    importer = _importers[job.kind](now)
    done: int = job.rows_done
    result = result_of(job)
    try:
        chunks = importer.read(io.BytesIO(bytes(job.data)), job.columns, skip=done)
        for chunk in chunks:
            with atomic():
                importer.save(chunk, result, staff=staff, now=now, wall=wall)
                _move(job, done, done + chunk.rows, result, wall)
            done += chunk.rows
            if seconds is not None and time.monotonic() >= until:
                return done - job.rows_done
        with atomic():
            _end(job, DONE, wall)
            importer.tell(result, job.name, staff=staff, wall=wall)
    except _Overtaken:
        return 0
    except DomainError as error:
        _end(job, FAILED, wall, problem=str(error))
    return max(1, done - job.rows_done)


def _move(job: FriendImport, before: int, after: int, result: ImportResult, wall: datetime) -> None:
    won = (
        FriendImport.update(rows_done=after, result=asdict(result), changed_at=wall)
        .where(
            FriendImport.id == job.id,
            FriendImport.state == WAITING,
            FriendImport.rows_done == before,
        )
        .execute()
    )
    if not won:
        raise _Overtaken


def _end(job: FriendImport, state: str, wall: datetime, *, problem: str = "") -> None:
    won = (
        FriendImport.update(state=state, problem=problem, data=b"", changed_at=wall)
        .where(FriendImport.id == job.id, FriendImport.state == WAITING)
        .execute()
    )
    if not won:
        raise _Overtaken


def result_of(job: FriendImport) -> ImportResult:
    """What became of its rows so far."""
    return ImportResult(**(job.result or {}))


def _forget_old(wall: datetime) -> None:
    unused = (FriendImport.state == UPLOADED) & (FriendImport.created_at <= wall - KEPT)
    told = FriendImport.state.in_((DONE, FAILED)) & (FriendImport.changed_at <= wall - TOLD)
    FriendImport.delete().where(unused | told).execute()
