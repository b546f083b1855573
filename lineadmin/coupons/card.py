"""What a message says about a coupon: the words of the card that leads to the friend's page."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin.coupons import benefits
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.i18n import use_locale


@dataclass(frozen=True)
class CardView:
    """The texts of a coupon card, in one language. `url` opens the friend's page."""

    benefit_text: str
    title: str
    validity_text: str
    minimum_text: str
    url: str
    picture: str = ""  # address of the picture over it, if it has one
    to_claim: bool = False  # `url` gives her a copy; there is none yet


def card_view(
    coupon: Coupon, issue: CouponIssue | None, url: str, locale: str, *, base_url: str = ""
) -> CardView:
    """The card of one copy, or of the coupon as such (previews). Pure: reads no database.

    `base_url` is this server's public address; without it the picture's stays relative.
    Days are written on the shop's clock as set with `i18n.set_zone`.
    """
    with use_locale(locale):
        if issue is None:
            validity = benefits.validity_text(coupon)
        else:
            validity = benefits.period_text(issue.usable_from, issue.expires_at)
        return CardView(
            benefit_text=benefits.headline(coupon),
            title=coupon.title,
            validity_text=validity,
            minimum_text=benefits.minimum_text(coupon),
            url=url,
            picture=f"{base_url}/media/{coupon.picture}/original" if coupon.picture else "",
        )


def page_path(issue: CouponIssue) -> str:
    """The path of the friend's page; put PUBLIC_URL before it."""
    return f"/c/{issue.token}"
