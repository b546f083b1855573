"""Shipments that end without LINE's yes: dissolved, or given up and handed to staff."""

from __future__ import annotations

from datetime import datetime, timedelta

from lineadmin.friends.models import Friend
from lineadmin.line.limits import RETRY_KEY_LIFE
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.live import changed, one_of, packed, ready, rows
from lineadmin.outbox.models import (
    Content,
    Delivery,
    DeliveryState,
    Shipment,
    ShipmentState,
)
from lineadmin.outbox.protocol import Addressee, Errand, Job, Programs

# LINE keeps a retry key for 24 hours from the first request (limits.RETRY_KEY_LIFE); afterwards the
# same key would send again. An unclear shipment stops trying well before that.
GIVE_UP_AFTER = RETRY_KEY_LIFE - timedelta(hours=1)


def dissolve(ids: list[int], programs: Programs, *, now: datetime, wall: datetime) -> int:
    """Queue the deliveries of shipments again that LINE has certainly not taken; how many."""
    if not ids:
        return 0
    ended = end_untaken(one_of(Shipment.id, ids), wall)
    jobs = jobs_of(ended)
    if jobs:
        programs.undone(jobs, now)
    return changed(
        Delivery.update(state=int(DeliveryState.QUEUED), shipment=None).where(
            one_of(Delivery.shipment, ended) & packed()
        )
    )


def end_untaken(condition: object, wall: datetime) -> list[int]:
    """End ready shipments that no try was unclear for, and give their quota back; their ids."""
    query = (
        Shipment.update(
            state=int(ShipmentState.DISSOLVED), lease_until=None, leased_by="", done_at=wall
        )
        .where(ready() & Shipment.first_unclear_at.is_null() & condition)
        .returning(Shipment.id, Shipment.quota_month, Shipment.recipients)
    )
    ended = rows(query)
    for _shipment_id, month, recipients in ended:
        quota.release(month, recipients)
    return [shipment_id for shipment_id, _month, _recipients in ended]


def jobs_of(shipment_ids: list[int]) -> list[Job]:
    """What was prepared one by one for these shipments: it may have been issued coupons."""
    query = (
        Delivery.select(
            Delivery.id,
            Delivery.origin_kind,
            Delivery.origin_id,
            Delivery.origin_run,
            Delivery.content,
            Friend.id,
            Friend.line_user_id,
            Friend.display_name,
        )
        .join(Content, on=(Content.id == Delivery.content))
        .switch(Delivery)
        .join(Friend, on=(Friend.id == Delivery.friend_id))
        .where(one_of(Delivery.shipment, shipment_ids) & packed())
        .where(Content.personal == True)  # noqa: E712
    )
    found = rows(query)
    wanted = {row[4] for row in found}
    contents = {row.id: row for row in Content.select().where(one_of(Content.id, wanted))}
    return [Job(Errand(*row[:4]), Addressee(*row[5:]), contents[row[4]]) for row in found]


def give_up_old(*, now: datetime, wall: datetime) -> int:
    """Hand shipments to staff that were unclear for too long, also while nothing may leave."""
    old = Shipment.select(Shipment.id).where(
        ready() & (Shipment.first_unclear_at <= wall - GIVE_UP_AFTER)
    )
    return give_up([shipment_id for (shipment_id,) in rows(old)], now=now, wall=wall)


def give_up(
    ids: list[int], *, now: datetime, wall: datetime, reason: str = reasons.NO_ANSWER
) -> int:
    """Mark unclear shipments as unknown: staff decide, the quota stays taken. Deliveries marked."""
    if not ids:
        return 0
    query = (
        Shipment.update(
            state=int(ShipmentState.UNKNOWN), lease_until=None, leased_by="", done_at=wall
        )
        .where(one_of(Shipment.id, ids) & ready())
        .returning(Shipment.id, Shipment.quota_month, Shipment.recipients)
    )
    ended = rows(query)
    for _shipment_id, month, recipients in ended:
        quota.doubt(month, recipients)
    return changed(
        Delivery.update(state=int(DeliveryState.UNKNOWN), reason=reason, done_at=now).where(
            one_of(Delivery.shipment, [row[0] for row in ended]) & packed()
        )
    )
