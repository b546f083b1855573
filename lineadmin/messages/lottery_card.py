"""A lottery as a card in the chat: its prizes, and the button that draws.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_graphemes, cut_to_units
from lineadmin.lottery.card import LotteryView
from lineadmin.messages.part import Identifier, Part

WARM_START, WARM_END = "#c2255c", "#5f3dc4"
INK, HINT, BUTTON = "#1a211c", "#55605a", "#067a3e"
PRIZES_SHOWN = 5


class LotteryCard(Part):
    """A card that lets the friend draw in a lottery."""

    key: ClassVar[str] = "lottery"
    lottery: Identifier  # the lottery's code

    @property
    def needs_public_url(self) -> bool:
        """Her page is on this server."""
        return True


def render(view: LotteryView) -> dict[str, Any]:
    """The Flex message that shows a lottery and lets her draw."""
    about = [line for line in (view.rule_text, view.period_text) if line]
    prizes = view.prizes[:PRIZES_SHOWN]
    return {
        "type": "flex",
        "altText": cut_to_units(f"【{view.title}】{'・'.join(about)}", limits.ALT_TEXT_UNITS),
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "hero": _hero(view.title),
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "xs",
                "paddingAll": "14px",
                "contents": [
                    *(_text(name, size="md", color=INK, weight="bold") for name in prizes),
                    *(_text(line, size="xs", color=HINT) for line in about),
                ],
            },
            "footer": {
                "type": "box",
                "layout": "vertical",
                "paddingAll": "10px",
                "contents": [
                    {
                        "type": "button",
                        "style": "primary",
                        "height": "sm",
                        "color": BUTTON,
                        "action": _action(view),
                    }
                ],
            },
        },
    }


def _action(view: LotteryView) -> dict[str, Any]:
    label = _("Draw now")
    if view.postback:
        return {
            "type": "postback",
            "label": label,
            "data": view.postback,
            "displayText": label,
        }
    return {"type": "uri", "label": label, "uri": view.url}


def _hero(title: str) -> dict[str, Any]:
    return {
        "type": "box",
        "layout": "vertical",
        "height": "96px",
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
                cut_to_graphemes(title, 60),
                size="xl",
                color="#ffffff",
                weight="bold",
                align="center",
            )
        ],
    }


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "wrap": True, **style}
