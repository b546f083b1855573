"""The two times: shop time, which a demo can move, and the real time of leases and tokens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from peewee import BigIntegerField

from lineadmin.db import EPOCH, BaseModel, db

OFFSET_IS_FRESH_SECONDS = 0.2


class ClockOffset(BaseModel):
    """One row: how far shop time runs ahead of real time, in milliseconds (simulator mode)."""

    milliseconds = BigIntegerField(default=0)

    class Meta:
        database = db
        legacy_table_names = False
        table_name = "clock_offset"


class _State:
    movable = False
    fixed: datetime | None = None
    offset = timedelta()
    read_at = float("-inf")
    lock = threading.Lock()


def wall() -> datetime:
    """Real time: leases, backoff, retry keys, reply tokens, sessions, heartbeat, audit."""
    nanoseconds = time.time_ns()
    return EPOCH + timedelta(milliseconds=nanoseconds // 1_000_000)


def now() -> datetime:
    """Shop time: due, late, undo, quiet hours, cap, periods, age, validity."""
    if _State.fixed is not None:
        return _State.fixed
    if not _State.movable:
        return wall()
    return wall() + _offset()


def allow_moving(movable: bool) -> None:
    """Simulator mode: shop time follows the offset in the database. Otherwise it is real time."""
    _State.movable = movable
    forget_offset()


def move(delta: timedelta) -> datetime:
    """Move shop time forward for every process; answers the new shop time.

    :raises ValueError: outside simulator mode, or backwards
    """
    if not _State.movable:
        raise ValueError("time can be moved in simulator mode only")
    if delta < timedelta():
        raise ValueError("time only moves forward")
    milliseconds = delta // timedelta(milliseconds=1)
    with db.atomic():
        moved = (
            ClockOffset.update(milliseconds=ClockOffset.milliseconds + milliseconds)
            .where(ClockOffset.id == 1)
            .execute()
        )
        if not moved:
            ClockOffset.insert(id=1, milliseconds=milliseconds).execute()
    forget_offset()
    return now()


def offset() -> timedelta:
    """How far shop time is ahead of real time."""
    return _offset() if _State.movable else timedelta()


@contextmanager
def fixed_at(moment: datetime | None) -> Iterator[None]:
    """Within the block shop time stands still at `moment`; None changes nothing."""
    before = _State.fixed
    if moment is not None:
        _State.fixed = moment.astimezone(UTC)
    try:
        yield
    finally:
        _State.fixed = before


def forget_offset() -> None:
    """Read the offset from the database again at the next question."""
    _State.read_at = float("-inf")


def _offset() -> timedelta:
    with _State.lock:
        if time.monotonic() - _State.read_at > OFFSET_IS_FRESH_SECONDS:
            row = ClockOffset.get_or_none(ClockOffset.id == 1)
            _State.offset = timedelta(milliseconds=row.milliseconds if row else 0)
            _State.read_at = time.monotonic()
        return _State.offset
