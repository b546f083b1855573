"""The copies friends hold already: what messages show that hand nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from lineadmin.coupons.issue import Reason, Refusal, closed_reason
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.states import redeemable_at

CHUNK = 500


def held_many(
    coupon: Coupon, friend_ids: Iterable[int], *, now: datetime
) -> dict[int, CouponIssue | Refusal]:
    """For each friend the copy she can use now, the one that ends first; nothing is handed out."""
    wanted = list(dict.fromkeys(friend_ids))
    none = Refusal(closed_reason(coupon, now) or Reason.NOT_HELD)
    answers: dict[int, CouponIssue | Refusal] = dict.fromkeys(wanted, none)
    for start in range(0, len(wanted), CHUNK):
        for copy in _usable(coupon, wanted[start : start + CHUNK], now):
            copy.coupon = coupon
            if isinstance(answers[copy.friend_id], Refusal):
                answers[copy.friend_id] = copy
    return answers


def _usable(coupon: Coupon, friend_ids: Sequence[int], now: datetime) -> list[CouponIssue]:
    query = CouponIssue.select().where(
        CouponIssue.coupon == coupon,
        CouponIssue.friend_id.in_(friend_ids),
        redeemable_at(now),
    )
    first_to_end = CouponIssue.expires_at.asc(nulls="last")
    return list(query.order_by(first_to_end, CouponIssue.id))
