"""Taking back what has not left. What LINE may already have can't be called back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lineadmin.db import atomic
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.live import changed, one_of, packed, queued, ready, rows
from lineadmin.outbox.models import (
    Delivery,
    DeliveryState,
    OriginKind,
    Shipment,
    ShipmentState,
)

CHUNK = 5_000


def cancel_program(
    kind: OriginKind,
    origin_id: int,
    *,
    now: datetime,
    wall: datetime,
    reason: str = reasons.CANCELED,
) -> int:
    """Cancel everything of a broadcast or sequence that LINE has certainly not taken; how many."""
    with atomic():
        unsent = (
            Shipment.update(state=int(ShipmentState.DISSOLVED), done_at=wall)
            .where(
                ready()
                & (Shipment.origin_kind == int(kind))
                & (Shipment.origin_id == origin_id)
                & Shipment.first_unclear_at.is_null()
            )
            .returning(Shipment.id, Shipment.quota_month, Shipment.recipients)
        )
        ended = rows(unsent)
        for _shipment_id, month, recipients in ended:
            quota.release(month, recipients)
        taken_back = _cancel(
            packed() & one_of(Delivery.shipment, [row[0] for row in ended]), reason, now
        )
        waiting = queued() & (Delivery.origin_kind == int(kind)) & (Delivery.origin_id == origin_id)
        return taken_back + _cancel(waiting, reason, now)


def cancel_for_friends(
    kind: OriginKind,
    origin_id: int,
    friend_ids: Iterable[int],
    *,
    now: datetime,
    reason: str = reasons.LEFT,
) -> int:
    """Cancel what waits for some friends: they left the sequence, say. How many deliveries."""
    waiting = (
        queued()
        & (Delivery.origin_kind == int(kind))
        & (Delivery.origin_id == origin_id)
        & one_of(Delivery.friend_id, friend_ids)
    )
    return _cancel(waiting, reason, now)


def cancel_waiting(
    kind: OriginKind,
    origin_id: int,
    *,
    now: datetime,
    reason: str = reasons.CANCELED,
    limit: int = CHUNK,
) -> int:
    """Cancel up to `limit` deliveries of a program that nobody has packed; 0 when none is left.

    For programs of any size: one short transaction at a time, `cancel_program` at the end.
    """
    waiting = (
        Delivery.select(Delivery.id)
        .where(queued() & (Delivery.origin_kind == int(kind)) & (Delivery.origin_id == origin_id))
        .limit(limit)
    )
    with atomic():
        return _cancel(Delivery.id.in_(waiting) & queued(), reason, now)


def _cancel(condition: object, reason: str, now: datetime) -> int:
    return changed(
        Delivery.update(state=int(DeliveryState.CANCELED), reason=reason, done_at=now).where(
            condition
        )
    )
