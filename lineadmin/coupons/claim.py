"""Claiming on the tap: a friend takes a copy herself, and any number of taps gives her one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

from lineadmin.coupons.issue import Fitting, Reason, Refusal, issue_one
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import FRIEND, Friend

CLAIM = "claim"  # the origin of copies that were claimed
PERSONAL = re.compile(r"g([0-9]{1,9})-([0-9]{1,9})-([A-Za-z0-9_-]{22})")


def claim(
    coupon: Coupon, friend: Friend, *, now: datetime, fitting: Fitting
) -> CouponIssue | Refusal:
    """Her copy: a new one, or the one she has. From two phones at once she gets one.

    Whoever is no friend at the moment gets none, where the coupon asks for that.
    """
    if coupon.friends_only and friend.status != FRIEND:
        return Refusal(Reason.NOT_FRIEND)
    return issue_one(coupon, friend.id, origin=CLAIM, now=now, fitting=fitting)


def personal_token(coupon: Coupon, friend_id: int, secret: str) -> str:
    """The last part of the link by which one friend claims a coupon; always the same for her."""
    return f"g{coupon.id}-{friend_id}-{_signature(coupon.id, friend_id, secret)}"


def read_personal(token: str, secret: str) -> tuple[Coupon, Friend] | None:
    """The coupon and the friend behind a personal link; None where it was not made here."""
    found = PERSONAL.fullmatch(token)
    if found is None:
        return None
    coupon_id, friend_id = int(found[1]), int(found[2])
    if not hmac.compare_digest(found[3], _signature(coupon_id, friend_id, secret)):
        return None
    coupon = Coupon.get_or_none(Coupon.id == coupon_id)
    friend = Friend.get_or_none(Friend.id == friend_id)
    return None if coupon is None or friend is None else (coupon, friend)


def by_public_token(token: str) -> Coupon | None:
    """The coupon whose public claim link this is."""
    if not token or not token.isprintable():  # PostgreSQL takes no NUL
        return None
    same = (Coupon.claim_token == token) & (Coupon.claim_token != "")
    coupon: Coupon | None = Coupon.get_or_none(same)
    return coupon


def held_by(friend_id: int, *, limit: int) -> list[CouponIssue]:
    """A friend's copies with their coupons, the newest first."""
    query = (
        CouponIssue.select(CouponIssue, Coupon)
        .join(Coupon)
        .where(CouponIssue.friend_id == friend_id, CouponIssue.voided_at.is_null())
        .order_by(CouponIssue.id.desc())
        .limit(limit)
    )
    return list(query)


def _signature(coupon_id: int, friend_id: int, secret: str) -> str:
    digest = hmac.new(
        secret.encode(), f"coupon-claim:{coupon_id}:{friend_id}".encode(), hashlib.sha256
    ).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
