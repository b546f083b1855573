"""What a broadcast whose recipients LINE chooses waits for LINE for.

Before it leaves: that LINE has taken in whom it must not reach. Afterwards: how far LINE is, and in
the end how many it reached, which is what is paid for.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from lineadmin.audiences import exclusion
from lineadmin.audiences.actions import FAILED, THERE
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import narrow, states
from lineadmin.broadcasts.models import Broadcast, Narrowcast
from lineadmin.db import atomic
from lineadmin.line.errors import LineError, LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.line.narrowcast_calls import SUCCEEDED, Progress
from lineadmin.outbox import narrow as outbox
from lineadmin.outbox import quota
from lineadmin.outbox.models import Shipment, ShipmentState

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
KNOWN_FOR = timedelta(days=14)  # LINE forgets a narrowcast's progress
EXPIRED = "expired"
ON_THE_WAY = (states.SENDING, states.PAUSED, states.STOPPING)
AT_ONCE = 100

logger = logging.getLogger(__name__)


def is_due(wall: datetime) -> bool:
    """Whether anything waits for LINE to be asked now."""
    return bool(Narrowcast.select().where(_due(wall)).exists())


def run_due(gateway: Gateway, now: datetime, wall: datetime) -> int:
    """Ask LINE about whatever waits for it; how many answers moved something."""
    due = Narrowcast.select().where(_due(wall)).order_by(Narrowcast.ask_at).limit(AT_ONCE)
    moved = 0
    for row in due:
        try:
            if row.step == narrow.HAND:
                moved += _look_at_exclusion(row, gateway, wall)
            else:
                moved += _look_at_progress(row, gateway, now, wall)
        except LineError as error:
            logger.info("broadcast %s: LINE was asked in vain: %s", row.broadcast_id, error)
            _ask_again(row, wall)
    return moved


def forget_over(gateway: Gateway, wall: datetime) -> int:
    """Delete the audiences made for broadcasts that are over."""
    made = LineAudience.select(LineAudience.broadcast_id).where(
        LineAudience.purpose == exclusion.EXCLUSION
    )
    ids = [row.broadcast_id for row in made if row.broadcast_id is not None]
    if not ids:
        return 0
    needed = Broadcast.select(Broadcast.id).where(
        Broadcast.id.in_(ids), Broadcast.state.not_in((*states.ENDED, states.DRAFT))
    )
    over = set(ids) - {row.id for row in needed}
    return exclusion.forget(sorted(over), gateway, wall) if over else 0


def _due(wall: datetime) -> Any:
    return Narrowcast.ask_at.is_null(False) & (Narrowcast.ask_at <= wall)


def _look_at_exclusion(row: Narrowcast, gateway: Gateway, wall: datetime) -> int:
    broadcast = Broadcast.get_by_id(row.broadcast_id)
    if broadcast.state != states.PLANNING:
        _set(row, ask_at=None)  # whoever lets it go on has it looked at again
        return 0
    made = exclusion.of(row.broadcast_id)
    if made is not None and made.state == FAILED:
        return _cannot_exclude(row, made, made.problem)
    if exclusion.is_missing_somebody(row.broadcast_id):
        # Also where somebody deleted it at LINE meanwhile.
        if made is None or made.state == THERE:
            exclusion.hand_over(row.broadcast_id, wall=wall)
            _set(row, ask_at=wall, asked=0)
            return 1
        _ask_again(row, wall)
        return 0
    if made is not None and made.state != THERE:
        _ask_again(row, wall)
        return 0
    if made is not None and made.line_id is not None:
        try:
            ready = gateway.audience_is_ready(made.line_id)
        except LineRefused as error:
            return _cannot_exclude(row, made, error.message)
        if not ready:
            _ask_again(row, wall)
            return 0
    with atomic():
        Broadcast.update(cursor=0).where(
            Broadcast.id == row.broadcast_id, Broadcast.state == states.PLANNING
        ).execute()
        _set(row, step=narrow.LIST, ask_at=None, asked=0, error="")
    return 1


def _cannot_exclude(row: Narrowcast, made: LineAudience, problem: str) -> int:
    """Whoever wants no messages can't be kept out, so nobody gets it until staff have looked."""
    with atomic():
        exclusion.start_anew(made)
        narrow.pause(row.broadcast_id, narrow.EXCLUSION, problem)
        _set(row, ask_at=None)
    return 1


def _look_at_progress(row: Narrowcast, gateway: Gateway, now: datetime, wall: datetime) -> int:
    shipment = Shipment.get_or_none(Shipment.id == row.shipment_id)
    if shipment is None or not outbox.is_live(shipment):
        return _freeze(row, gateway, now, wall)
    if shipment.state != ShipmentState.ACCEPTED or _is_held(row.broadcast_id):
        _ask_again(row, wall)
        return 0
    if not outbox.was_answered(shipment):
        return _end(row, None, now, "")  # counted as sent by staff, who decided the quota too
    request_id = shipment.accepted_request_id or shipment.line_request_id
    if row.request_id != request_id:
        _set(row, request_id=request_id, accepted_at=shipment.done_at, asked=0)
        row.asked = 0
    try:
        told = gateway.narrowcast_progress(request_id)
    except LineRefused as error:
        if error.status == 404 and wall - (shipment.done_at or wall) > KNOWN_FOR:
            with atomic():
                ended = _end(row, None, now, EXPIRED)
                if ended:
                    outbox.give_up_counting(shipment)
            return ended
        raise
    _set(row, **_told(told))
    if not told.over:
        _ask_again(row, wall)
        return 0
    with atomic():
        ended = _end(row, told, now, told.error)
        if ended:
            outbox.settle(shipment, told.succeeded or 0, wall=wall)
    return ended


def _freeze(row: Narrowcast, gateway: Gateway, now: datetime, wall: datetime) -> int:
    """Store the request, and another one where LINE has certainly not taken the last."""
    state = Broadcast.get_by_id(row.broadcast_id).state
    if state != states.SENDING:
        _set(row, ask_at=None)  # whoever lets it go on has it looked at again
        return 0
    quota.refresh(gateway, now=now, wall=wall)
    # Quiet hours, a month without messages, all sending stopped: looked at again in a moment,
    # since shop time may be elsewhere by then.
    return narrow.freeze(row.broadcast_id, now, wall)


def _is_held(broadcast_id: int) -> bool:
    """Restored from a backup: nothing happens until staff let it go on."""
    held = (Broadcast.id == broadcast_id) & (Broadcast.state == states.HELD)
    return bool(Broadcast.select().where(held).exists())


def _end(row: Narrowcast, told: Progress | None, now: datetime, error: str) -> int:
    """It is over; 0 where another worker was quicker. Reached: None = nobody knows."""
    reached = None if told is None else told.succeeded or 0
    # Something may have arrived although LINE says that it failed.
    failed = told is not None and told.phase != SUCCEEDED and not reached
    with atomic():
        won = (
            Narrowcast.update(ask_at=None, error=error)
            .where(Narrowcast.id == row.id, Narrowcast.ask_at.is_null(False))
            .execute()
        )
        if not won:
            return 0
        Broadcast.update(
            state=states.FAILED if failed else states.SENT,
            finished_at=now,
            sent_count=reached,
            pause_reason="",
            version=Broadcast.version + 1,
        ).where(Broadcast.id == row.broadcast_id, Broadcast.state.in_(ON_THE_WAY)).execute()
    return 1


def _told(told: Progress) -> dict[str, Any]:
    return {
        "phase": told.phase[:16],
        "succeeded": told.succeeded,
        "failed": told.failed,
        "target": told.target,
        "error_code": told.error_code,
    }


def _ask_again(row: Narrowcast, wall: datetime) -> None:
    """Soon at first, then ever more rarely."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.asked, 10))
    _set(row, ask_at=wall + wait, asked=Narrowcast.asked + 1)


def _set(row: Narrowcast, **values: Any) -> None:
    Narrowcast.update(**values).where(Narrowcast.id == row.id).execute()
