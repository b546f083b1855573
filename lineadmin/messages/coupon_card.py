"""A coupon as a card in the chat: LINE's Flex bubble, with the benefit in large type.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from typing import Any

from lineadmin.coupons.card import CardView
from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_graphemes, cut_to_units, grapheme_length

# Contrast of white on either colour is at least 3:1, as large type needs.
WARM_START, WARM_END = "#e8590c", "#c2255c"
INK, HINT, LINK = "#1a211c", "#55605a", "#067a3e"
BENEFIT_HUGE_GRAPHEMES, BENEFIT_LARGE_GRAPHEMES, BENEFIT_GRAPHEMES = 6, 12, 60


def coupon_card(view: CardView) -> dict[str, Any]:
    """The Flex message that shows a coupon and opens it."""
    opens = {"type": "uri", "label": _label(view), "uri": view.url}
    about = [line for line in (view.minimum_text, view.validity_text) if line]
    alt_text = f"【{view.title}】{'・'.join(about)}"
    return {
        "type": "flex",
        "altText": cut_to_units(alt_text, limits.ALT_TEXT_UNITS),
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "hero": _picture(view) if view.picture else _hero(view.benefit_text or view.title),
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "xs",
                "paddingAll": "14px",
                "contents": [
                    *([_gives(view)] if view.picture else []),
                    _text(view.title, size="md", color=INK, weight="bold"),
                    *(_text(line, size="xs", color=HINT) for line in about),
                ],
            },
            "footer": {
                "type": "box",
                "layout": "vertical",
                "paddingAll": "4px",
                "contents": [
                    {
                        "type": "button",
                        "style": "link",
                        "height": "sm",
                        "color": LINK,
                        "action": opens,
                    }
                ],
            },
            "styles": {"footer": {"separator": True}},
        },
    }


def _hero(benefit: str) -> dict[str, Any]:
    return {
        "type": "box",
        "layout": "vertical",
        "height": "112px",
        "justifyContent": "center",
        "paddingAll": "12px",
        "background": {
            "type": "linearGradient",
            "angle": "135deg",
            "startColor": WARM_START,
            "endColor": WARM_END,
        },
        "contents": [
            _text(
                cut_to_graphemes(benefit, BENEFIT_GRAPHEMES),
                size=_size(benefit),
                color="#ffffff",
                weight="bold",
                align="center",
            )
        ],
    }


def _picture(view: CardView) -> dict[str, Any]:
    return {
        "type": "image",
        "url": view.picture,
        "size": "full",
        "aspectRatio": "20:13",
        "aspectMode": "cover",
        "action": {"type": "uri", "label": _label(view), "uri": view.url},
    }


def _label(view: CardView) -> str:
    return _("Claim the coupon") if view.to_claim else _("View coupon")


def _gives(view: CardView) -> dict[str, Any]:
    """The benefit under a picture, large in the card's own colour."""
    return _text(
        cut_to_graphemes(view.benefit_text, BENEFIT_GRAPHEMES),
        size="xl",
        color=WARM_END,
        weight="bold",
    )


def _size(benefit: str) -> str:
    length = grapheme_length(benefit)
    if length <= BENEFIT_HUGE_GRAPHEMES:
        return "4xl"
    return "xl" if length <= BENEFIT_LARGE_GRAPHEMES else "md"


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "wrap": True, **style}
