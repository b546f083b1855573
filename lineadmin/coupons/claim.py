"""Claiming on the tap: a friend takes a copy herself, and any number of taps gives her one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from lineadmin.coupons.issue import Fitting, Reason, Refusal, issue_one
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import FRIEND, Friend

CLAIM = "claim"  # the origin of copies that were claimed by a link no message brought
# Links without a source are older, and may still stand in a chat.
PERSONAL = re.compile(
    r"g([0-9]{1,9})-([0-9]{1,9})(?:-([a-z]{1,12})([0-9]{1,10}))?-([A-Za-z0-9_-]{22})"
)


@dataclass(frozen=True)
class Source:
    """The message whose link a copy was claimed by; a copy remembers it as its origin."""

    origin: str = CLAIM
    origin_id: int = 0


NO_MESSAGE = Source()


@dataclass(frozen=True)
class Signed:
    """What a personal link says: which coupon, for whom, and which message it came with."""

    coupon: Coupon
    friend: Friend
    source: Source = NO_MESSAGE


def claim(
    coupon: Coupon,
    friend: Friend,
    *,
    source: Source = NO_MESSAGE,
    now: datetime,
    fitting: Fitting,
) -> CouponIssue | Refusal:
    """Her copy: a new one, or the one she has. From two phones at once she gets one.

    Whoever is no friend at the moment gets none, where the coupon asks for that.
    """
    if coupon.friends_only and friend.status != FRIEND:
        return Refusal(Reason.NOT_FRIEND)
    return issue_one(
        coupon,
        friend.id,
        origin=source.origin,
        origin_id=source.origin_id,
        now=now,
        fitting=fitting,
    )


def personal_token(coupon: Coupon, friend_id: int, secret: str, source: Source = NO_MESSAGE) -> str:
    """The last part of the link by which one friend claims a coupon; always the same for her and
    the program that sends it."""
    said = _said(coupon.id, friend_id, source)
    return f"g{said}-{_signature(said, secret)}"


def read_personal(token: str, secret: str) -> Signed | None:
    """What stands behind a personal link; None where it was not made here."""
    found = PERSONAL.fullmatch(token)
    if found is None:
        return None
    coupon_id, friend_id = int(found[1]), int(found[2])
    source = NO_MESSAGE if found[3] is None else Source(found[3], int(found[4]))
    said = _said(coupon_id, friend_id, source)
    if not hmac.compare_digest(found[5], _signature(said, secret)):
        return None
    coupon = Coupon.get_or_none(Coupon.id == coupon_id)
    friend = Friend.get_or_none(Friend.id == friend_id)
    return None if coupon is None or friend is None else Signed(coupon, friend, source)


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


def _said(coupon_id: int, friend_id: int, source: Source) -> str:
    mine = f"{coupon_id}-{friend_id}"
    return mine if source == NO_MESSAGE else f"{mine}-{source.origin}{source.origin_id}"


def _signature(said: str, secret: str) -> str:
    entry = f"coupon-claim:{said.replace('-', ':')}".encode()
    digest = hmac.new(secret.encode(), entry, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
