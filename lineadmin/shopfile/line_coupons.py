"""LINE's own coupons. A file makes drafts of them and asks LINE for nothing: a coupon at LINE can't
be changed or taken back, so somebody on the staff looks at it first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lineadmin import settings
from lineadmin.line_coupons import actions
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.line_coupons.offer import (
    CASHBACK,
    EXPLICIT,
    FIXED,
    PERCENTAGE,
    PRICES,
    LineOffer,
    offer_of,
)
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.offers import day_or_moment, end_of, start_of
from lineadmin.shopfile.schema import LineBenefit, LineCouponFilePart

PLACES: dict[str, Path] = {
    "starts_at": ("from",),
    "ends_at": ("until",),
    "reward": ("benefit", "type"),
    "price": ("benefit",),
    "value": ("benefit",),
    "price_before": ("benefit", "before"),
    "price_after": ("benefit", "after"),
    "probability": ("draw", "percent"),
    "most_winners": ("draw", "winners"),
    "coupon_code": ("code",),
    "usage_condition": ("condition",),
    "image_url": ("picture",),
}
# What the file calls otherwise, and what is left out where it is so.
WORDS = {
    "code": "coupon_code",
    "description": "description",
    "condition": "usage_condition",
    "picture": "image_url",
}


def load_line_coupons(parts: list[LineCouponFilePart], context: Context) -> None:
    """Keep as drafts what LINE does not have; what it has may not read otherwise."""
    zone = settings.shop_zone()
    for index, part in enumerate(parts):
        path = ("line_coupons", index)
        offer = LineOffer(
            title=part.title,
            starts_at=start_of(part.from_, zone),
            ends_at=end_of(part.until, zone),
            **_price(part.benefit, (*path, "benefit"), context),
            lottery=part.draw is not None,
            probability=None if part.draw is None else part.draw.percent,
            most_winners=None if part.draw is None else part.draw.winners,
            use_once=part.once,
            public=part.public,
            **{ours: getattr(part, theirs) for theirs, ours in WORDS.items()},
        )
        with context.at(path, PLACES):
            before = LineCoupon.select().count()
            _row, changed = actions.draft(offer, staff=context.staff, wall=context.wall)
            created = LineCoupon.select().count() > before
        context.report.note("LINE coupon", part.title, created=created, changed=changed)


def dump_line_coupons() -> list[dict[str, Any]]:
    """Drafts, and what LINE has and has not closed; what only LINE's manager makes is left out."""
    known = LineCoupon.select().where(LineCoupon.state.in_((actions.DRAFT, actions.RUNNING)))
    offers = [offer_of(row.definition) for row in known.order_by(LineCoupon.id)]
    found = [_dumped(offer) for offer in offers if offer is not None]
    return sorted(found, key=lambda item: (item["title"], item["from"], item["until"]))


def _price(benefit: LineBenefit, path: Path, context: Context) -> dict[str, Any]:
    ways = {
        PERCENTAGE: benefit.percent,
        FIXED: benefit.amount,
        EXPLICIT: benefit.before if benefit.before is not None else benefit.after,
    }
    reward = CASHBACK if benefit.type == "cashback" else benefit.type
    given = [way for way, number in ways.items() if number is not None]
    if len(given) != (1 if reward in PRICES else 0):
        told = "expected one of percent, amount, or before and after"
        raise context.refuse(path, told if reward in PRICES else "expected a type alone")
    return {
        "reward": reward,
        "price": given[0] if given else PERCENTAGE,
        "value": benefit.percent if benefit.percent is not None else benefit.amount,
        "price_before": benefit.before,
        "price_after": benefit.after,
    }


def _dumped(offer: LineOffer) -> dict[str, Any]:
    zone = settings.shop_zone()
    benefit: dict[str, Any] = {"type": "cashback" if offer.reward == CASHBACK else offer.reward}
    if offer.reward in PRICES and offer.price == EXPLICIT:
        benefit |= {"before": offer.price_before, "after": offer.price_after}
    elif offer.reward in PRICES:
        benefit["percent" if offer.price == PERCENTAGE else "amount"] = offer.value
    assert offer.starts_at is not None  # noqa: S101 - LINE's coupons have both
    assert offer.ends_at is not None  # noqa: S101
    item: dict[str, Any] = {
        "title": offer.title,
        "benefit": benefit,
        "from": day_or_moment(offer.starts_at.astimezone(zone), timedelta()),
        "until": day_or_moment(offer.ends_at.astimezone(zone), timedelta(days=1)),
    }
    if offer.lottery:
        item["draw"] = {"percent": offer.probability, "winners": offer.most_winners}
    if not offer.use_once:
        item["once"] = False
    if offer.public:
        item["public"] = True
    return item | {
        theirs: getattr(offer, ours) for theirs, ours in WORDS.items() if getattr(offer, ours)
    }
