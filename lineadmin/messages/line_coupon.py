"""One of LINE's own coupons as a message: LINE draws it and keeps it for the friend.

Source: https://developers.line.biz/en/reference/messaging-api/#coupon-message (2026-08-07)
"""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.messages.part import Identifier, Part


class LineCouponPart(Part):
    """A coupon that was made at LINE. Everybody gets the same; nobody tells us who uses it."""

    key: ClassVar[str] = "line_coupon"
    line_coupon: Identifier  # LINE's id


def render(part: LineCouponPart) -> dict[str, Any]:
    """LINE's message object."""
    return {"type": "coupon", "couponId": part.line_coupon}
