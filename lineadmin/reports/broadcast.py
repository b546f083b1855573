"""What became of a broadcast: who got it, who did not and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from peewee import SQL, fn

from lineadmin.outbox.live import literal, one_of, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.outbox.queries import counts_by_state

LEFT_OUT = (DeliveryState.SKIPPED, DeliveryState.FAILED, DeliveryState.CANCELED)


@dataclass(frozen=True)
class Outcome:
    """Friends by what became of their message."""

    planned: int = 0
    sent: int = 0
    waiting: int = 0  # queued, or held after a restore
    on_the_way: int = 0
    left_out: int = 0
    failed: int = 0
    unclear: int = 0
    canceled: int = 0
    reasons: list[tuple[DeliveryState, str, int]] = field(default_factory=list)


def outcome(broadcast_id: int) -> Outcome:
    """The numbers of one broadcast; those who got it are counted in an index only."""
    counted = counts_by_state(OriginKind.BROADCAST, [broadcast_id]).get(broadcast_id, {})

    def of(*states: DeliveryState) -> int:
        return sum(counted.get(state, 0) for state in states)

    return Outcome(
        planned=sum(counted.values()),
        sent=of(DeliveryState.SENT),
        waiting=of(DeliveryState.QUEUED, DeliveryState.HELD),
        on_the_way=of(DeliveryState.PACKED),
        left_out=of(DeliveryState.SKIPPED),
        failed=of(DeliveryState.FAILED),
        unclear=of(DeliveryState.UNKNOWN),
        canceled=of(DeliveryState.CANCELED),
        reasons=_reasons(broadcast_id),
    )


def _reasons(broadcast_id: int) -> list[tuple[DeliveryState, str, int]]:
    # By version too, since the index that answers alone has it between state and reason.
    query = (
        Delivery.select(Delivery.state, Delivery.content, Delivery.reason, fn.COUNT(SQL("*")))
        .where(
            Delivery.origin_kind == literal(OriginKind.BROADCAST),
            Delivery.origin_id == broadcast_id,
            one_of(Delivery.state, LEFT_OUT),
        )
        .group_by(Delivery.state, Delivery.content, Delivery.reason)
    )
    found: Counter[tuple[DeliveryState, str]] = Counter()
    for state, _content, reason, number in rows(query):
        found[DeliveryState(state), reason] += number
    return [(state, reason, number) for (state, reason), number in found.most_common()]
