"""Taking back what has not left. What LINE may already have can't be called back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from lineadmin.db import atomic
from lineadmin.outbox import reasons
from lineadmin.outbox.ends import end_untaken, jobs_of
from lineadmin.outbox.live import changed, one_of, packed, queued
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind, Shipment
from lineadmin.outbox.protocol import Job

CHUNK = 5_000


def cancel_program(
    kind: OriginKind,
    origin_id: int,
    *,
    now: datetime,
    wall: datetime,
    reason: str = reasons.CANCELED,
    undone: Callable[[Sequence[Job], datetime], object] | None = None,
) -> int:
    """Cancel everything of a broadcast or sequence that LINE has certainly not taken; how many.

    :param undone: told what was prepared and will not leave; see `Programs.undone`
    """
    with atomic():
        mine = (Shipment.origin_kind == int(kind)) & (Shipment.origin_id == origin_id)
        ended = end_untaken(mine, wall)
        jobs = [] if undone is None else jobs_of(ended)
        if undone is not None and jobs:
            undone(jobs, now)
        taken_back = _cancel(packed() & one_of(Delivery.shipment, ended), reason, now)
        waiting = queued() & (Delivery.origin_kind == int(kind)) & (Delivery.origin_id == origin_id)
        return taken_back + _cancel(waiting, reason, now)


def cancel_for_friends(
    kind: OriginKind,
    origin_id: int,
    friend_ids: Iterable[int],
    *,
    now: datetime,
    reason: str = reasons.LEFT,
    run: int | None = None,
) -> int:
    """Cancel what waits for some friends: they left the sequence, say. How many deliveries.

    :param run: only the delivery of this run of the origin
    """
    waiting = (
        queued()
        & (Delivery.origin_kind == int(kind))
        & (Delivery.origin_id == origin_id)
        & one_of(Delivery.friend_id, friend_ids)
    )
    if run is not None:
        waiting &= Delivery.origin_run == run
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
