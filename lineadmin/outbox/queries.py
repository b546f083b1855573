"""Questions about the outbox for screens, /healthz and the programs above."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import SQL, Select, fn

from lineadmin.outbox.live import Listed, flying, literal, one_of, queued, ready, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind, Shipment, ShipmentState

UNFINISHED = (DeliveryState.QUEUED, DeliveryState.PACKED, DeliveryState.HELD)


@dataclass(frozen=True)
class Live:
    """Deliveries underway, in the words of /healthz."""

    queued: int  # waiting for their time, or for a program, the quiet hours or the quota
    sending: int  # in a shipment that has no final answer yet
    unknown: int  # 23 hours without an answer; staff decide


@dataclass(frozen=True)
class LeftBehind:
    """What a tick left: due deliveries nobody packed, and deliveries in unfinished shipments."""

    queued_due: int
    underway: int


def live() -> Live:
    """What is underway; partial indexes answer, however many are done."""
    waiting = Delivery.select(fn.COUNT(Delivery.id)).where(_queued_of_any_kind())
    return Live(queued=waiting.scalar() or 0, sending=_underway(), unknown=unknown_count())


def left_behind(now: datetime) -> LeftBehind:
    """See `LeftBehind`."""
    due = Delivery.select(fn.COUNT(Delivery.id)).where(
        _queued_of_any_kind() & (Delivery.due_at <= now)
    )
    return LeftBehind(due.scalar() or 0, _underway())


def is_due(now: datetime, wall: datetime) -> bool:
    """Is there anything for a sender to do? A few indexed questions, for a poll."""
    if Shipment.select(Shipment.id).where(ready() & (Shipment.try_at <= wall)).exists():
        return True
    if Shipment.select(Shipment.id).where(flying() & (Shipment.lease_until <= wall)).exists():
        return True
    from lineadmin.outbox.recheck import due_groups

    return bool(due_groups(now))


def unknown_count() -> int:
    """Deliveries staff have to decide about."""
    query = Shipment.select(fn.SUM(Shipment.recipients)).where(
        _in_trouble() & (Shipment.state == int(ShipmentState.UNKNOWN))
    )
    return int(query.scalar() or 0)


def counts_by_state(kind: OriginKind, ids: Iterable[int]) -> dict[int, dict[DeliveryState, int]]:
    """{origin id: {state: deliveries}}; an index over all deliveries answers."""
    asked = [(origin_id, int(state)) for origin_id in ids for state in DeliveryState]
    if not asked:
        return {}
    # One count per state walks the index in a third of the time that grouping takes.
    pairs = Listed.pairs("asked", asked)
    each = Delivery.select(fn.COUNT(SQL("*"))).where(
        Delivery.origin_kind == literal(kind),
        Delivery.origin_id == pairs.column(1),
        Delivery.state == pairs.column(2),
    )
    found: dict[int, dict[DeliveryState, int]] = defaultdict(dict)
    query = Select([pairs.source], [pairs.column(1), pairs.column(2), each])
    for origin_id, state, count in rows(query):
        if count:
            found[origin_id][DeliveryState(state)] = count
    return dict(found)


def unfinished(kind: OriginKind, ids: Iterable[int]) -> dict[int, int]:
    """{origin id: deliveries that may still go out}; ids with none are absent."""
    query = (
        Delivery.select(Delivery.origin_id, fn.COUNT(Delivery.id))
        .where(
            (Delivery.origin_kind == int(kind))
            & one_of(Delivery.origin_id, ids)
            & one_of(Delivery.state, UNFINISHED)
        )
        .group_by(Delivery.origin_id)
    )
    return dict(rows(query))


def has_unfinished(kind: OriginKind, origin_id: int) -> bool:
    """May a program's deliveries still go out? Stops at the first that may."""
    return (
        Delivery.select(Delivery.id)
        .where(
            (Delivery.origin_kind == int(kind))
            & (Delivery.origin_id == origin_id)
            & one_of(Delivery.state, UNFINISHED)
        )
        .exists()
    )


def reasons_of(kind: OriginKind, origin_id: int) -> dict[str, int]:
    """{reason: deliveries} of those who did not get it, most frequent first."""
    count = fn.COUNT(Delivery.id)
    query = (
        Delivery.select(Delivery.reason, count)
        .where(
            (Delivery.origin_kind == int(kind))
            & (Delivery.origin_id == origin_id)
            & (Delivery.reason != "")
        )
        .group_by(Delivery.reason)
        .order_by(count.desc())
    )
    return dict(rows(query))


def of_friend(friend_id: int, *, limit: int = 50, before_id: int | None = None) -> list[Delivery]:
    """A friend's deliveries, newest first, with their content."""
    query = Delivery.select().where(Delivery.friend_id == friend_id)
    if before_id is not None:
        query = query.where(Delivery.id < before_id)
    return list(query.order_by(Delivery.due_at.desc(), Delivery.id.desc()).limit(limit))


def in_trouble(*, limit: int = 100) -> list[Shipment]:
    """Shipments staff have to decide about: unknown ones, and those held after a restore."""
    query = Shipment.select().where(_in_trouble())
    return list(query.order_by(Shipment.id.desc()).limit(limit))


def _queued_of_any_kind() -> Any:
    # Any kind, said in a way that makes SQLite choose the partial index over the full one.
    return queued() & one_of(Delivery.origin_kind, OriginKind)


def _underway() -> int:
    total = 0
    for condition in (ready(), flying()):
        query = Shipment.select(fn.SUM(Shipment.recipients)).where(condition)
        total += int(query.scalar() or 0)
    return total


def _in_trouble() -> object:
    return one_of(Shipment.state, (ShipmentState.UNKNOWN, ShipmentState.HELD))
