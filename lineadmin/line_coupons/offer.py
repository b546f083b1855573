"""What people decide about a LINE coupon, LINE's limits on it, and the request it becomes.

Source: https://developers.line.biz/en/reference/messaging-api/#create-coupon (2026-08-07)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from lineadmin.db import EPOCH
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.line import limits
from lineadmin.line.text import utf16_length

DISCOUNT, CASHBACK, FREE, GIFT, OTHERS = "discount", "cashBack", "free", "gift", "others"
FIXED, PERCENTAGE, EXPLICIT = "fixed", "percentage", "explicit"

REWARD_LABELS: dict[str, Any] = {
    DISCOUNT: _l("Off the price"),
    CASHBACK: _l("Cashback"),
    FREE: _l("Free of charge"),
    GIFT: _l("Gift"),
    OTHERS: _l("Something else"),
}
PRICE_LABELS: dict[str, Any] = {
    PERCENTAGE: _l("Percent"),
    FIXED: _l("Amount"),
    EXPLICIT: _l("Price before and after"),
}
PRICES = {DISCOUNT: (PERCENTAGE, FIXED, EXPLICIT), CASHBACK: (PERCENTAGE, FIXED)}
MOST_MONEY = 10_000_000


@dataclass(frozen=True)
class LineOffer:
    """Everything LINE wants to know. Money is in the currency of the account's country."""

    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    reward: str = DISCOUNT
    price: str = PERCENTAGE  # percentage | fixed | explicit; of discount and cashback only
    value: int | None = None  # percent or amount
    price_before: int | None = None
    price_after: int | None = None
    description: str = ""
    usage_condition: str = ""
    coupon_code: str = ""  # one for everybody
    image_url: str = ""
    lottery: bool = False
    probability: int | None = None  # percent, for a lottery
    most_winners: int | None = None  # for a lottery; None = no limit
    use_once: bool = True
    public: bool = False  # shown in LINE's own services, too


def request_of(offer: LineOffer, *, timezone: str, wall: datetime) -> dict[str, Any]:
    """The body LINE is asked to make a coupon of.

    :param timezone: the shop's
    :raises DomainError: what LINE would refuse, with its field
    """
    body = drafted(offer)
    if offer.ends_at is not None and offer.ends_at <= wall:
        raise DomainError(_l("The last day is over already."), field="ends_at")
    return body | {"timezone": line_zone(timezone)}


def drafted(offer: LineOffer) -> dict[str, Any]:
    """The same body for a draft: without a zone, and it may be over by now.

    :raises DomainError: what LINE would refuse, with its field
    """
    _check_words(offer)
    starts, ends = _check_dates(offer)
    body: dict[str, Any] = {
        "title": offer.title.strip(),
        "startTimestamp": int(starts.timestamp()),
        "endTimestamp": int(ends.timestamp()),
        "visibility": "PUBLIC" if offer.public else "UNLISTED",
        "maxUseCountPerTicket": 1 if offer.use_once else -1,
        "acquisitionCondition": _acquisition(offer),
        "reward": _reward(offer),
    }
    for name, value in (
        ("description", offer.description),
        ("usageCondition", offer.usage_condition),
        ("couponCode", offer.coupon_code),
        ("imageUrl", offer.image_url),
    ):
        if value.strip():
            body[name] = value.strip()
    return body


def line_zone(timezone: str) -> str:
    """LINE's name of the shop's time zone.

    :raises DomainError: LINE knows no such zone for coupons
    """
    name = timezone.upper().replace("/", "_")
    if name not in limits.COUPON_ZONES:
        raise DomainError(
            _(
                "LINE's coupons know no time zone %(zone)s. Choose a neighbouring one in the shop "
                "settings, such as Asia/Taipei or Asia/Tokyo.",
                zone=timezone,
            )
        )
    return name


def offer_of(definition: dict[str, Any]) -> LineOffer | None:
    """The decisions behind what LINE was or has told; None for what only its manager makes."""
    told = definition
    reward, drawn = _group(told.get("reward")), _group(told.get("acquisitionCondition"))
    price = _group(reward.get("priceInfo"))
    if reward.get("type") not in REWARD_LABELS or drawn.get("type") not in ("normal", "lottery"):
        return None
    lottery = drawn["type"] == "lottery"
    winners = drawn.get("maxAcquireCount")
    return LineOffer(
        title=str(told.get("title") or ""),
        starts_at=moment(told.get("startTimestamp")),
        ends_at=moment(told.get("endTimestamp")),
        reward=str(reward["type"]),
        price=str(price.get("type") or PERCENTAGE),
        value=price.get("percentage", price.get("fixedAmount")),
        price_before=price.get("originalPrice"),
        price_after=price.get("priceAfterDiscount"),
        description=str(told.get("description") or ""),
        usage_condition=str(told.get("usageCondition") or ""),
        coupon_code=str(told.get("couponCode") or ""),
        image_url=str(told.get("imageUrl") or ""),
        lottery=lottery,
        probability=drawn.get("lotteryProbability") if lottery else None,
        most_winners=winners if lottery and winners != -1 else None,
        use_once=told.get("maxUseCountPerTicket") != -1,
        public=told.get("visibility") == "PUBLIC",
    )


def moment(seconds: Any) -> datetime:
    """A moment as LINE writes it."""
    known = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 <= seconds < 2**38
    return EPOCH + timedelta(seconds=seconds if known else 0)


def _group(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def reward_text(definition: dict[str, Any]) -> str:
    """What a coupon gives, in a few words, from what LINE was or has told."""
    reward = definition.get("reward") if isinstance(definition, dict) else None
    if not isinstance(reward, dict):
        return ""
    label = str(REWARD_LABELS.get(str(reward.get("type")), reward.get("type") or ""))
    price = reward.get("priceInfo")
    if not isinstance(price, dict):
        return label
    if price.get("type") == PERCENTAGE:
        return f"{label} {price.get('percentage')}%"
    if price.get("type") == FIXED:
        return f"{label} {format_count(_int(price.get('fixedAmount')))}"
    before, after = _int(price.get("originalPrice")), _int(price.get("priceAfterDiscount"))
    return f"{label} {format_count(before)} → {format_count(after)}"


def _int(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _check_words(offer: LineOffer) -> None:
    if not offer.title.strip():
        raise DomainError(_l("Give the coupon a name."), field="title")
    for field, most in (
        ("title", limits.COUPON_TITLE_UNITS),
        ("description", limits.COUPON_DESCRIPTION_UNITS),
        ("usage_condition", limits.COUPON_USAGE_UNITS),
        ("coupon_code", limits.COUPON_CODE_UNITS),
    ):
        if utf16_length(getattr(offer, field).strip()) > most:
            raise DomainError(
                _("At most %(count)s characters.", count=format_count(most)), field=field
            )
    address = offer.image_url.strip()
    if address:
        parts = urlsplit(address) if re.match(r"https://", address) else None
        if parts is None or not parts.hostname:
            raise DomainError(_l("The picture needs an https address."), field="image_url")
        if utf16_length(address) > limits.MEDIA_URL_UNITS:
            raise DomainError(
                _("At most %(count)s characters.", count=format_count(limits.MEDIA_URL_UNITS)),
                field="image_url",
            )


def _check_dates(offer: LineOffer) -> tuple[datetime, datetime]:
    if offer.starts_at is None:
        raise DomainError(_l("Choose the first day."), field="starts_at")
    if offer.ends_at is None:
        raise DomainError(_l("Choose the last day; LINE's coupons always end."), field="ends_at")
    if offer.ends_at <= offer.starts_at:
        raise DomainError(_l("The last day is before the first one."), field="ends_at")
    return offer.starts_at, offer.ends_at


def _acquisition(offer: LineOffer) -> dict[str, Any]:
    if not offer.lottery:
        return {"type": "normal"}
    if offer.probability is None or not 1 <= offer.probability <= 99:
        raise DomainError(_l("A whole number of percent from 1 to 99."), field="probability")
    winners = offer.most_winners
    if winners is not None and not 1 <= winners <= limits.COUPON_MOST_WINNERS:
        raise DomainError(
            _(
                "A whole number from %(low)s to %(high)s.",
                low=1,
                high=format_count(limits.COUPON_MOST_WINNERS),
            ),
            field="most_winners",
        )
    return {
        "type": "lottery",
        "lotteryProbability": offer.probability,
        "maxAcquireCount": -1 if winners is None else winners,
    }


def _reward(offer: LineOffer) -> dict[str, Any]:
    if offer.reward not in REWARD_LABELS:
        raise DomainError(_l("Choose what the coupon gives."), field="reward")
    if offer.reward not in PRICES:
        return {"type": offer.reward}
    if offer.price not in PRICES[offer.reward]:
        raise DomainError(_l("LINE's cashback is a percentage or an amount."), field="price")
    return {"type": offer.reward, "priceInfo": _price(offer)}


def _price(offer: LineOffer) -> dict[str, Any]:
    if offer.price == PERCENTAGE:
        if offer.value is None or not 1 <= offer.value <= 99:
            raise DomainError(_l("A whole number of percent from 1 to 99."), field="value")
        return {"type": PERCENTAGE, "percentage": offer.value}
    if offer.price == FIXED:
        if offer.value is None or not 1 <= offer.value <= MOST_MONEY:
            raise DomainError(_l("Enter the amount in whole dollars."), field="value")
        return {"type": FIXED, "fixedAmount": offer.value}
    before, after = offer.price_before, offer.price_after
    if before is None or not 1 <= before <= MOST_MONEY:
        raise DomainError(_l("Enter the amount in whole dollars."), field="price_before")
    if after is None or not 0 <= after < before:
        raise DomainError(_l("The new price has to be below the old one."), field="price_after")
    return {"type": EXPLICIT, "originalPrice": before, "priceAfterDiscount": after}
