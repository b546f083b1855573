"""Those who got a broadcast against those who on purpose did not: what it really brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.journal.models import Fact
from lineadmin.outbox import reasons
from lineadmin.outbox.live import literal, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.purchases.models import Purchase
from lineadmin.reports.lift import Difference, difference
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import TrackedLink

WATCHED = timedelta(days=7)


@dataclass(frozen=True)
class Compared:
    """One thing friends did, in both groups. `lift` None: a group is empty."""

    sent_did: int
    held_did: int
    lift: Difference | None


@dataclass(frozen=True)
class Comparison:
    """Both groups within seven days; `over` once those are."""

    sent: int
    held: int
    redeemed: Compared
    clicked: Compared
    bought: Compared
    over: bool


def comparison(row: Broadcast, *, now: datetime) -> Comparison | None:
    """What the holdout group shows; None where there is none, or nothing was sent yet."""
    if not row.holdout_percent or row.leaves_at is None or row.plan_whole_at is None:
        return None
    since, until = row.leaves_at, row.leaves_at + WATCHED
    got = Delivery.state == literal(DeliveryState.SENT)
    held = (Delivery.state == literal(DeliveryState.SKIPPED)) & (Delivery.reason == reasons.HOLDOUT)
    sent_all, held_all = _count(row.id, got), _count(row.id, held)

    def compared(kind: str, objects: Any) -> Compared:
        did = _did(row.id, got, kind, objects, since, until)
        other = _did(row.id, held, kind, objects, since, until)
        return Compared(did, other, difference(did, sent_all, other, held_all))

    bought, not_sent = (_bought(row.id, group, since, until) for group in (got, held))
    return Comparison(
        sent=sent_all,
        held=held_all,
        redeemed=compared("coupon.redeemed", Coupon.select(Coupon.id)),
        clicked=compared(CLICKED, TrackedLink.select(TrackedLink.id)),
        bought=Compared(bought, not_sent, difference(bought, sent_all, not_sent, held_all)),
        over=now >= until,
    )


def _mine(broadcast_id: int, group: Any) -> Any:
    return (
        (Delivery.origin_kind == int(OriginKind.BROADCAST))
        & (Delivery.origin_id == broadcast_id)
        & group
    )


def _count(broadcast_id: int, group: Any) -> int:
    return int(Delivery.select(fn.COUNT(1)).where(_mine(broadcast_id, group)).scalar() or 0)


def _did(
    broadcast_id: int, group: Any, kind: str, objects: Any, since: datetime, until: datetime
) -> int:
    """People of the group with such a fact in time; the facts lead, as there are fewer of them."""
    query = (
        Fact.select(fn.COUNT(Fact.friend_id.distinct()))
        .join(Delivery, on=(Delivery.friend_id == Fact.friend_id))
        .where(
            Fact.kind == kind,
            Fact.object_id.in_(objects),
            Fact.at >= since,
            Fact.at < until,
            _mine(broadcast_id, group),
        )
    )
    return int(rows(query)[0][0] or 0)


def _bought(broadcast_id: int, group: Any, since: datetime, until: datetime) -> int:
    """People of the group who bought in time; what was taken back is not there."""
    query = (
        Purchase.select(fn.COUNT(Purchase.friend.distinct()))
        .join(Delivery, on=(Delivery.friend_id == Purchase.friend))
        .where(
            Purchase.uncounted_at.is_null(),
            Purchase.at >= since,
            Purchase.at < until,
            _mine(broadcast_id, group),
        )
    )
    return int(rows(query)[0][0] or 0)
