"""Taking back what a program has planned and nobody has packed yet."""

from __future__ import annotations

from datetime import datetime

from lineadmin.db import atomic
from lineadmin.outbox.live import queued
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind

CHUNK = 5_000


def withdraw_chunk(
    kind: OriginKind, origin_id: int, *, reason: str, now: datetime, limit: int = CHUNK
) -> int:
    """Cancel up to `limit` waiting deliveries of one program, in one short transaction.

    What is packed is on its way to LINE and stays. 0: nothing is waiting any more.
    """
    waiting = (
        Delivery.select(Delivery.id)
        .where(queued() & (Delivery.origin_kind == int(kind)) & (Delivery.origin_id == origin_id))
        .limit(limit)
    )
    with atomic():
        return int(
            Delivery.update(state=int(DeliveryState.CANCELED), reason=reason, done_at=now)
            .where(Delivery.id.in_(waiting) & queued())
            .execute()
        )


def withdraw_all(kind: OriginKind, origin_id: int, *, reason: str, now: datetime) -> int:
    """Cancel everything of one program that is still waiting, chunk by chunk; how many."""
    total = 0
    while gone := withdraw_chunk(kind, origin_id, reason=reason, now=now):
        total += gone
    return total
