"""Before and after reminding: how many it will reach and cost, and what became of those planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, fn

from lineadmin import settings
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.outbox import quota
from lineadmin.outbox.models import DeliveryState, OriginKind
from lineadmin.outbox.queries import counts_by_state, reasons_of
from lineadmin.settings.cost import Cost, cost


@dataclass(frozen=True)
class Forecast:
    """If everybody who holds the coupon now still held it at the time: whom it reaches."""

    holders: int
    blocked: int
    opted_out: int
    cost: Cost

    @property
    def will_get(self) -> int:
        """Holders who may be written to."""
        return self.holders - self.blocked - self.opted_out


@dataclass(frozen=True)
class Outcome:
    """What became of the reminders so far; `left_out` by reason."""

    sent: int
    underway: int
    left_out: dict[str, int]


def forecast(coupon: Coupon, *, now: datetime) -> Forecast:
    """Whom the reminder of a coupon will reach, and what it costs as the month stands."""
    holders = (
        CouponIssue.select(CouponIssue.friend_id)
        .where(
            CouponIssue.coupon == coupon,
            CouponIssue.redeemed_at.is_null(),
            CouponIssue.voided_at.is_null(),
            CouponIssue.expires_at > now,
        )
        .distinct()
    )
    blocked = Friend.status == BLOCKED
    stopped = (Friend.status != BLOCKED) & Friend.opted_out_at.is_null(False)
    counted: Any = (
        Friend.select(
            fn.COUNT(Friend.id),
            fn.COALESCE(fn.SUM(Case(None, [(blocked, 1)], 0)), 0),
            fn.COALESCE(fn.SUM(Case(None, [(stopped, 1)], 0)), 0),
        )
        .where(Friend.id.in_(holders))
        .tuples()
        .get()
    )
    total, blocking, opted_out = map(int, counted)
    meter = quota.meter(now)
    used = meter.used + meter.reserved + meter.unknown
    price = cost(total - blocking - opted_out, used=used, shop=settings.shop())
    return Forecast(total, blocking, opted_out, price)


def outcome(coupon_id: int) -> Outcome:
    """The numbers of the reminders planned so far."""
    counted = counts_by_state(OriginKind.REMINDER, [coupon_id]).get(coupon_id, {})
    underway = (DeliveryState.QUEUED, DeliveryState.PACKED, DeliveryState.HELD)
    return Outcome(
        sent=counted.get(DeliveryState.SENT, 0),
        underway=sum(counted.get(state, 0) for state in underway),
        left_out=reasons_of(OriginKind.REMINDER, coupon_id),
    )
