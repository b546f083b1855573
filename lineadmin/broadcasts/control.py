"""What staff do with a broadcast on its way: pause, stop; and with one that is late or on hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.broadcasts import narrow, states
from lineadmin.broadcasts.confirm import leaving
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get, move, record
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.outbox import resolve
from lineadmin.outbox.models import OriginKind
from lineadmin.staff.models import Staff


def pause(broadcast_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Let nothing more of it leave for now.

    :raises DomainError: it is not on its way, or LINE has it already
    """
    _require_here(broadcast_id)
    _switch(
        broadcast_id,
        (states.PLANNING, states.SENDING),
        states.PAUSED,
        "pause",
        staff,
        wall,
        pause_reason="staff",
    )


def resume(broadcast_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Go on where it was paused."""
    row = get(broadcast_id)
    to = states.PLANNING if row.plan_whole_at is None else states.SENDING
    if row.estimated is not None:
        narrow.look_again(row.id, wall)
    _switch(broadcast_id, (states.PAUSED,), to, "resume", staff, wall, pause_reason="")


def stop(broadcast_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Take back everything that is not on its way yet; the worker does it within seconds.

    :raises DomainError: LINE has it already
    """
    _require_here(broadcast_id)
    _switch(
        broadcast_id,
        (states.PLANNING, states.SENDING, states.PAUSED),
        states.STOPPING,
        "stop",
        staff,
        wall,
        pause_reason="",
    )


def send_late(
    broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> Broadcast:
    """Send after all what the server slept through; the undo window starts anew."""
    row = get(broadcast_id)
    _switch(
        broadcast_id,
        (states.LATE,),
        states.SCHEDULED,
        "send",
        staff,
        wall,
        leaves_at=leaving(None, row.expected or 2, now),
    )
    return get(broadcast_id)


def drop(broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> None:
    """Give up one that is late or on hold; nothing more of it leaves."""
    with atomic():
        resolve.cancel_held(OriginKind.BROADCAST, [broadcast_id], staff=staff, now=now, wall=wall)
        _switch(
            broadcast_id,
            (states.LATE, states.HELD),
            states.CANCELED,
            "drop",
            staff,
            wall,
            finished_at=now,
        )


def release(broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> Broadcast:
    """Let one go on that a restore put on hold.

    One that had not begun gets its undo window anew.
    """
    row = get(broadcast_id)
    fields: dict[str, Any] = {}
    if row.plan_whole_at is not None:
        to = states.SENDING
    elif row.cursor:
        to = states.PLANNING
    else:
        to = states.SCHEDULED
        fields["leaves_at"] = leaving(row.at, row.expected or 2, now)
    with atomic():
        resolve.release_held(OriginKind.BROADCAST, [broadcast_id], staff=staff, now=now, wall=wall)
        _switch(broadcast_id, (states.HELD,), to, "release", staff, wall, **fields)
        if row.estimated is not None:
            narrow.look_again(row.id, wall)
    return get(broadcast_id)


def _require_here(broadcast_id: int) -> None:
    """:raises DomainError: LINE chooses the recipients, and has the one request already"""
    if get(broadcast_id).estimated is not None and narrow.line_has_it(broadcast_id):
        raise DomainError(_l("LINE has it already. It can't be called back any more."))


def _switch(
    broadcast_id: int,
    from_states: tuple[str, ...],
    to: str,
    verb: str,
    staff: Staff | None,
    wall: datetime,
    **fields: Any,
) -> None:
    with atomic():
        row = get(broadcast_id)
        move(row, from_states, to, **fields)
        record(staff, verb, row, {"state": row.state}, {"state": to}, wall)
