"""What parts point at: coupons and uploaded pictures, looked up for many messages at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lineadmin.coupons.models import Coupon
from lineadmin.messages.models import Upload
from lineadmin.messages.parts import Part, coupon_codes, upload_tokens


@dataclass(frozen=True)
class CouponFace:
    """What a card tells about a coupon."""

    code: str
    title: str
    benefit: str  # percent | amount | gift | cashback
    benefit_value: float | None = None
    benefit_text: str = ""
    minimum_spend: int = 0
    valid_days: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    state: str = "active"

    @classmethod
    def of(cls, coupon: Coupon) -> CouponFace:
        """The face of a stored coupon."""
        return cls(
            code=coupon.code,
            title=coupon.title,
            benefit=coupon.benefit,
            benefit_value=coupon.benefit_value,
            benefit_text=coupon.benefit_text,
            minimum_spend=coupon.minimum_spend,
            valid_days=coupon.valid_days,
            valid_from=coupon.valid_from,
            valid_until=coupon.valid_until,
            state=coupon.state,
        )


@dataclass(frozen=True)
class References:
    """The coupons by code and the tokens of the pictures that exist."""

    coupons: Mapping[str, CouponFace] = field(default_factory=dict)
    uploads: frozenset[str] = frozenset()


def look_up(parts: Iterable[Part]) -> References:
    """Everything these parts point at, as far as it exists. At most two queries."""
    listed = list(parts)
    codes, tokens = coupon_codes(listed), upload_tokens(listed)
    coupons: dict[str, CouponFace] = {}
    if codes:
        stored = Coupon.select().where(Coupon.code.in_(codes))
        coupons = {coupon.code: CouponFace.of(coupon) for coupon in stored}
    uploads: frozenset[str] = frozenset()
    if tokens:
        rows = Upload.select(Upload.token).where(Upload.token.in_(tokens))
        uploads = frozenset(row.token for row in rows)
    return References(coupons, uploads)
