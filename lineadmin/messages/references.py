"""What parts point at: coupons and uploaded pictures, looked up for many messages at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineadmin.coupons.models import Coupon
from lineadmin.messages.models import Upload
from lineadmin.messages.parts import Part, coupon_codes, upload_tokens


@dataclass(frozen=True)
class References:
    """The coupons by code and the tokens of the pictures that exist."""

    coupons: Mapping[str, Coupon] = field(default_factory=dict)
    uploads: frozenset[str] = frozenset()


def look_up(parts: Iterable[Part]) -> References:
    """Everything these parts point at, as far as it exists. At most two queries."""
    listed = list(parts)
    codes, tokens = coupon_codes(listed), upload_tokens(listed)
    coupons: dict[str, Coupon] = {}
    if codes:
        stored = Coupon.select().where(Coupon.code.in_(codes))
        coupons = {coupon.code: coupon for coupon in stored}
    uploads: frozenset[str] = frozenset()
    if tokens:
        rows = Upload.select(Upload.token).where(Upload.token.in_(tokens))
        uploads = frozenset(row.token for row in rows)
    return References(coupons, uploads)
