"""Coupons and copies for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lineadmin.coupons.issue import issue_one
from lineadmin.coupons.models import Coupon, CouponIssue

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # a Monday, 12:00 in Taipei


def make_coupon(**fields: Any) -> Coupon:
    """雙拼便當 8 折, as in the demo shop, unless a test says otherwise."""
    fields = {
        "code": "bento20",
        "title": "雙拼便當 8 折",
        "benefit": "percent",
        "benefit_value": 20,
        "minimum_spend": 100,
        "valid_days": 7,
        "terms": "限內用與外帶，不與其他優惠併用。",
        "created_at": NOON,
        **fields,
    }
    coupon: Coupon = Coupon.create(**fields)
    return coupon


def give(coupon: Coupon, friend_id: int, *, now: datetime = NOON, **how: Any) -> CouponIssue:
    """A copy for one friend; fails where there is none for her."""
    how.setdefault("origin", "greeting")
    copy = issue_one(coupon, friend_id, now=now, **how)
    assert isinstance(copy, CouponIssue), copy
    return copy
