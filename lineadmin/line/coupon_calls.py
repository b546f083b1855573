"""LINE's own coupons: made, listed and closed through its Coupon API.

Source: https://developers.line.biz/en/reference/messaging-api/#coupon (2026-08-07). LINE tells
neither who has such a coupon nor who used it, and none of it can be changed once it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from lineadmin.line import limits
from lineadmin.line.answers import read_object, text
from lineadmin.line.errors import LineUnclear

UNREADABLE = "LINE's answer could not be read"


@dataclass(frozen=True)
class CouponPage:
    """One page of LINE's list: (id, title) of each, and where the next page begins."""

    items: tuple[tuple[str, str], ...]
    next: str | None


class _Asks(Protocol):
    def _request(
        self, method: str, path: str, *, body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], bytes]: ...

    def _get(self, path: str) -> tuple[dict[str, Any], str | None]: ...


class CouponCalls:
    """Mixed into the gateway."""

    def create_coupon(self: _Asks, body: bytes) -> str:
        """Make a coupon; its id. LINE has no retry key here: a repeat would make a second one.

        :raises LineRefused: LINE would not take it; `details` say why
        """
        _status, headers, data = self._request("POST", "/v2/bot/coupon", body=body)
        request_id = headers.get("x-line-request-id")
        coupon_id = read_object(data, request_id).get("couponId")
        if not isinstance(coupon_id, str) or not coupon_id:
            raise LineUnclear(200, request_id, UNREADABLE)
        return coupon_id

    def close_coupon(self: _Asks, coupon_id: str) -> None:
        """End a coupon for good; it is also taken from friends who have it.

        :raises LineRefused: 404 there is none, 410 it was closed before
        """
        self._request("PUT", f"/v2/bot/coupon/{quote(coupon_id, safe='')}/close")

    def coupons(self: _Asks, status: str, start: str | None = None) -> CouponPage:
        """One page of all coupons in a state (RUNNING, CLOSED, DRAFT)."""
        asked = {"status": status, "limit": str(limits.COUPONS_PER_PAGE)}
        if start:
            asked["start"] = start
        found, request_id = self._get(f"/v2/bot/coupon?{urlencode(asked)}")
        items = found.get("items")
        if not isinstance(items, list):
            raise LineUnclear(200, request_id, UNREADABLE)
        listed = tuple(
            (item["couponId"], text(item.get("title")))
            for item in items
            if isinstance(item, dict) and isinstance(item.get("couponId"), str)
        )
        following = found.get("next")
        return CouponPage(listed, following if isinstance(following, str) and following else None)

    def coupon(self: _Asks, coupon_id: str) -> dict[str, Any]:
        """Everything LINE tells of one coupon.

        :raises LineRefused: 404, there is none
        """
        found, _request_id = self._get(f"/v2/bot/coupon/{quote(coupon_id, safe='')}")
        return found
