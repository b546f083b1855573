"""Shipments whose recipients LINE chooses: frozen like any other, paid for once LINE has counted.

There is no delivery per friend behind them. Until LINE has told how many it reached, the ledger
keeps the most it may charge for; `limit.max` of the body never lets it be more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.outbox import quota
from lineadmin.outbox.models import NARROWCAST, OriginKind, Shipment, ShipmentState

# LINE holds messages for its whole target reach until a narrowcast leaves, and says "monthly
# limit" where that is more than is left. It makes no sense to ask again at once.
AGAIN_AFTER = timedelta(minutes=10)
MONTHLY_LIMIT = 429
LIVE = (
    ShipmentState.READY,
    ShipmentState.FLYING,
    ShipmentState.ACCEPTED,
    ShipmentState.UNKNOWN,
    ShipmentState.HELD,
)


def latest(kind: OriginKind, origin_id: int) -> Shipment | None:
    """The latest request of a program."""
    found: Shipment | None = (
        Shipment.select()
        .where(Shipment.origin_kind == int(kind), Shipment.origin_id == origin_id)
        .order_by(Shipment.id.desc())
        .first()
    )
    return found


def is_live(shipment: Shipment | None) -> bool:
    """Whether LINE has it, may have it, or will be asked: there must not be another one."""
    return shipment is not None and shipment.state in LIVE


def must_wait(shipment: Shipment | None, wall: datetime) -> bool:
    """Whether LINE said a moment ago that the month's messages do not suffice."""
    return (
        shipment is not None
        and shipment.status == MONTHLY_LIMIT
        and shipment.done_at is not None
        and wall - shipment.done_at < AGAIN_AFTER
    )


def freeze(
    kind: OriginKind,
    origin_id: int,
    body: Callable[[int], str],
    most: int,
    *,
    partly: bool,
    now: datetime,
    wall: datetime,
) -> Shipment | None:
    """Reserve what LINE may charge and store the request; None where the month has too little.

    :param body: the exact JSON text for so many recipients at most
    :param partly: fewer than `most` are welcome where no more messages are left
    """
    with atomic():
        keep = quota.kept_from(kind, settings.shop())
        month, granted = quota.reserve(most, now=now, keep=keep)
        if not granted or (granted < most and not partly):
            quota.release(month, granted)
            return None
        made: Shipment = Shipment.create(
            kind=NARROWCAST,
            origin_kind=int(kind),
            origin_id=origin_id,
            body=body(granted),
            recipients=granted,
            retry_key=str(uuid4()),
            try_at=wall,
            quota_month=month,
            created_at=wall,
        )
        return made


def settle(shipment: Shipment, reached: int, *, wall: datetime) -> None:
    """LINE has counted: pay for those it reached and give the rest of the reservation back."""
    paid = min(reached, shipment.recipients)
    quota.settle(shipment.quota_month, paid, wall=wall)
    quota.release(shipment.quota_month, shipment.recipients - paid)


def give_up_counting(shipment: Shipment) -> None:
    """LINE will not tell any more how many it reached: everything reserved stays taken."""
    quota.doubt(shipment.quota_month, shipment.recipients)


def was_answered(shipment: Shipment) -> bool:
    """LINE itself accepted it; staff may also have decided to count it as sent."""
    return shipment.state == ShipmentState.ACCEPTED and shipment.status == 200
