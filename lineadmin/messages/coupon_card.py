"""A coupon as a card in the chat: LINE's Flex bubble, with the benefit in large type."""

from __future__ import annotations

from typing import Any

from lineadmin.coupons.card import CardView
from lineadmin.i18n import _
from lineadmin.line.text import cut_to_graphemes, grapheme_length
from lineadmin.messages import flex

WARM_START, WARM_END = "#e8590c", "#c2255c"
BENEFIT_HUGE_GRAPHEMES, BENEFIT_LARGE_GRAPHEMES, BENEFIT_GRAPHEMES = 6, 12, 60


def coupon_card(view: CardView) -> dict[str, Any]:
    """The Flex message that shows a coupon and opens it."""
    opens = flex.opens(_("Claim the coupon") if view.to_claim else _("View coupon"), view.url)
    about = [line for line in (view.minimum_text, view.validity_text) if line]
    benefit = cut_to_graphemes(view.benefit_text or view.title, BENEFIT_GRAPHEMES)
    if view.picture:
        hero = flex.picture(view.picture, action=opens)
        gives = [_under_picture(view)]
    else:
        hero = flex.banner(benefit, WARM_START, WARM_END, height="112px", size=_size(benefit))
        gives = []
    return flex.message(
        f"【{view.title}】{'・'.join(about)}",
        flex.bubble(
            hero=hero,
            body=flex.body(
                [
                    *gives,
                    flex.text(view.title, size="md", color=flex.INK, weight="bold"),
                    *(flex.text(line, size="xs", color=flex.HINT) for line in about),
                ],
                spacing="xs",
            ),
            footer=flex.footer([flex.button(opens, style="link")], padding="4px"),
            styles=flex.RULED,
        ),
    )


def _under_picture(view: CardView) -> dict[str, Any]:
    """The benefit, large in the card's own colour."""
    benefit = cut_to_graphemes(view.benefit_text, BENEFIT_GRAPHEMES)
    return flex.text(benefit, size="xl", color=WARM_END, weight="bold")


def _size(benefit: str) -> str:
    length = grapheme_length(benefit)
    if length <= BENEFIT_HUGE_GRAPHEMES:
        return "4xl"
    return "xl" if length <= BENEFIT_LARGE_GRAPHEMES else "md"
