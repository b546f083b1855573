"""Questions about coupons that screens and other rooms ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lineadmin.coupons.benefits import benefit_text, validity_text
from lineadmin.coupons.issue import closed_reason
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.states import CLOSED


@dataclass(frozen=True)
class Pickable:
    """A coupon as a composer offers it. `left` None = as many as wanted."""

    code: str
    title: str
    benefit_text: str
    validity_text: str
    left: int | None
    paused: bool


def pickable(now: datetime | None = None) -> list[Pickable]:
    """Coupons that can be put into a message, the newest first; with `now`, not the ended ones."""
    found = Coupon.select().where(Coupon.state != CLOSED).order_by(Coupon.id.desc())
    return [
        Pickable(
            code=coupon.code,
            title=coupon.title,
            benefit_text=benefit_text(coupon),
            validity_text=validity_text(coupon),
            left=None if coupon.stock is None else max(0, coupon.stock - coupon.issued),
            paused=coupon.state != "active",
        )
        for coupon in found
        if now is None or coupon.state != "active" or closed_reason(coupon, now) is None
    ]


def by_code(code: str) -> Coupon | None:
    """The coupon with this short name."""
    coupon: Coupon | None = Coupon.get_or_none(Coupon.code == code)
    return coupon
