"""A survey as a card in the chat: what it is about, what it brings, and the way to its page.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_units
from lineadmin.messages.part import Identifier, Part
from lineadmin.surveys.card import SurveyView

COOL_START, COOL_END = "#067a3e", "#1f5fbf"
INK, HINT, GIFT, BUTTON = "#1a211c", "#55605a", "#8a5300", "#067a3e"


class SurveyCard(Part):
    """A card that leads a friend to her page of a survey."""

    key: ClassVar[str] = "survey"
    survey: Identifier  # the survey's code

    @property
    def needs_public_url(self) -> bool:
        """Her page is on this server."""
        return True


def render(view: SurveyView) -> dict[str, Any]:
    """The Flex message that shows a survey and opens its page."""
    gift = [_text(view.gift, size="sm", color=GIFT, weight="bold")] if view.gift else []
    intro = [_text(view.intro, size="sm", color=INK)] if view.intro else []
    alt = "・".join(line for line in (view.about, view.gift) if line)
    return {
        "type": "flex",
        "altText": cut_to_units(f"【{view.title}】{alt}", limits.ALT_TEXT_UNITS),
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "hero": _hero(view.title),
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "sm",
                "paddingAll": "14px",
                "contents": [*intro, *gift, _text(view.about, size="xs", color=HINT)],
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
                        "action": {"type": "uri", "label": _("Answer now"), "uri": view.url},
                    }
                ],
            },
        },
    }


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
            "startColor": COOL_START,
            "endColor": COOL_END,
        },
        "contents": [_text(title, size="xl", color="#ffffff", weight="bold", align="center")],
    }


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "wrap": True, **style}
