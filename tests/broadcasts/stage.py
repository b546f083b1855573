"""Broadcasts on a stage: a confirmed one in a line, and what became of everybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin.broadcasts import actions, run
from lineadmin.broadcasts import confirm as confirming
from lineadmin.broadcasts.models import Broadcast
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.staff.models import Staff
from tests.conftest import NOON

EVERYONE: dict[str, Any] = {"all": []}
HELLO = [{"text": "週一雙拼 8 折"}]
MINUTE = timedelta(minutes=1)
_count = iter(range(1, 10_000))


def tagged(name: str) -> dict[str, Any]:
    return {"field": "tag", "op": "is", "value": name}


def draft(
    audience: Any = EVERYONE,
    *,
    parts: Any = HELLO,
    at: datetime | None = None,
    name: str = "",
    now: datetime = NOON,
    staff: Staff | None = None,
    **more: Any,
) -> Broadcast:
    return actions.draft_broadcast(
        name=name or f"群發 {next(_count)}",
        parts=parts,
        audience=audience,
        at=at,
        staff=staff,
        now=now,
        wall=now,
        **more,
    )


def cancel(row: Broadcast, *, now: datetime = NOON) -> Broadcast:
    return confirming.cancel_broadcast(row.id, staff=None, now=now, wall=now)


def confirm(row: Broadcast, *, now: datetime = NOON, **more: Any) -> Broadcast:
    more.setdefault("everyone_confirmed", True)
    more.setdefault("version", Broadcast.get_by_id(row.id).version)
    more.setdefault("staff", None)
    return confirming.confirm_broadcast(
        row.id, now=now, wall=now, public_url="https://shop.example", **more
    )


def confirmed(audience: Any = EVERYONE, *, now: datetime = NOON, **fields: Any) -> Broadcast:
    return confirm(draft(audience, now=now, **fields), now=now)


def tick(now: datetime) -> int:
    return run.advance(now, now)


def state(row: Broadcast) -> str:
    return str(Broadcast.get_by_id(row.id).state)


def outcomes(row: Broadcast) -> dict[int, str]:
    """{friend id: state, or the reason she was left out}"""
    return {
        delivery.friend_id: delivery.reason or DeliveryState(delivery.state).name
        for delivery in Delivery.select().where(Delivery.origin_id == row.id)
    }


def deliver(row: Broadcast, count: int | None = None) -> None:
    """Pretend that the sender has sent what waits."""
    waiting = Delivery.select(Delivery.id).where(
        Delivery.origin_id == row.id, Delivery.state == DeliveryState.QUEUED
    )
    ids = [one.id for one in waiting.order_by(Delivery.id).limit(count)]
    Delivery.update(state=int(DeliveryState.SENT)).where(Delivery.id.in_(ids)).execute()
