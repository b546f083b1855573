"""What staff decide where the program can't: messages nobody knows the fate of, and held ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lineadmin.db import atomic
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.live import changed, literal, one_of, rows
from lineadmin.outbox.models import (
    Delivery,
    DeliveryState,
    OriginKind,
    Shipment,
    ShipmentState,
)
from lineadmin.staff import audit
from lineadmin.staff.models import Staff


def count_as_sent(
    shipment_ids: Iterable[int], *, staff: Staff | None, now: datetime, wall: datetime
) -> int:
    """Take unknown shipments for sent; the number of deliveries."""
    with atomic():
        ended = _close_unknown(shipment_ids, ShipmentState.ACCEPTED, sent=True, wall=wall)
        count = changed(
            Delivery.update(
                state=int(DeliveryState.SENT), reason=reasons.COUNTED_AS_SENT, done_at=now
            ).where(one_of(Delivery.shipment, ended) & _is(DeliveryState.UNKNOWN))
        )
        _audit(staff, "delivery.count_as_sent", ended, count, wall)
    return count


def send_again(
    shipment_ids: Iterable[int], *, staff: Staff | None, now: datetime, wall: datetime
) -> int:
    """Queue the deliveries of unknown shipments again, under new keys; how many.

    Friends who did get the message get it twice: the door asks for confirmation. They are
    rechecked like everybody, except that the time they had to be sent by no longer counts.
    """
    with atomic():
        ended = _close_unknown(shipment_ids, ShipmentState.DISSOLVED, sent=False, wall=wall)
        count = changed(
            Delivery.update(
                state=int(DeliveryState.QUEUED),
                reason="",
                done_at=None,
                shipment=None,
                expires_at=None,
            ).where(one_of(Delivery.shipment, ended) & _is(DeliveryState.UNKNOWN))
        )
        _audit(staff, "delivery.send_again", ended, count, wall)
    return count


def release_held(
    kind: OriginKind | None = None,
    ids: Iterable[int] | None = None,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> int:
    """Queue what a restore put on hold: of one kind, of some programs, or all. How many.

    What was sent after the backup was taken would be sent again; the door says so.
    """
    with atomic():
        _end_held_shipments(kind, ids, wall)
        count = changed(
            Delivery.update(state=int(DeliveryState.QUEUED), reason="", shipment=None).where(
                _held_deliveries(kind, ids)
            )
        )
        audit.record(
            staff,
            "delivery.release",
            "delivery",
            0,
            _name(kind),
            None,
            {"deliveries": count},
            wall=wall,
        )
    return count


def cancel_held(
    kind: OriginKind | None = None,
    ids: Iterable[int] | None = None,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> int:
    """Give up what a restore put on hold; how many."""
    with atomic():
        _end_held_shipments(kind, ids, wall)
        count = changed(
            Delivery.update(
                state=int(DeliveryState.CANCELED), reason=reasons.RESTORED, done_at=now
            ).where(_held_deliveries(kind, ids))
        )
        audit.record(
            staff,
            "delivery.cancel",
            "delivery",
            0,
            _name(kind),
            None,
            {"deliveries": count},
            wall=wall,
        )
    return count


def _close_unknown(
    shipment_ids: Iterable[int], state: ShipmentState, *, sent: bool, wall: datetime
) -> list[int]:
    query = (
        Shipment.update(state=int(state), done_at=wall)
        .where(
            one_of(Shipment.id, shipment_ids) & (Shipment.state == literal(ShipmentState.UNKNOWN))
        )
        .returning(Shipment.id, Shipment.quota_month, Shipment.recipients)
    )
    ended = rows(query)
    for _shipment_id, month, recipients in ended:
        quota.decide(month, recipients, sent=sent)
    return [row[0] for row in ended]


def _end_held_shipments(kind: OriginKind | None, ids: Iterable[int] | None, wall: datetime) -> None:
    condition = one_of(Shipment.state, (ShipmentState.UNKNOWN, ShipmentState.HELD)) & (
        Shipment.state == literal(ShipmentState.HELD)
    )
    if kind is not None:
        condition &= Shipment.origin_kind == int(kind)
    if ids is not None:
        condition &= one_of(Shipment.origin_id, ids)
    query = (
        Shipment.update(state=int(ShipmentState.DISSOLVED), done_at=wall)
        .where(condition)
        .returning(Shipment.quota_month, Shipment.recipients)
    )
    for month, recipients in rows(query):
        quota.release(month, recipients)


def _held_deliveries(kind: OriginKind | None, ids: Iterable[int] | None) -> object:
    condition = one_of(
        Delivery.state, (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.HELD)
    ) & _is(DeliveryState.HELD)
    if kind is not None:
        condition &= Delivery.origin_kind == int(kind)
    if ids is not None:
        condition &= one_of(Delivery.origin_id, ids)
    return condition


def _is(state: DeliveryState) -> object:
    return Delivery.state == literal(state)


def _audit(
    staff: Staff | None, action: str, shipment_ids: list[int], deliveries: int, wall: datetime
) -> None:
    for shipment_id in shipment_ids[:1]:
        after = {"shipments": len(shipment_ids), "deliveries": deliveries}
        audit.record(staff, action, "shipment", shipment_id, "", None, after, wall=wall)


def _name(kind: OriginKind | None) -> str:
    return "" if kind is None else kind.name.lower()
