"""A topic as a card in the chat: what it is, how often, how to stop, and yes or no.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_units
from lineadmin.messages.part import Identifier, Part
from lineadmin.topics.card import TopicView

START, END = "#067a3e", "#00838f"
INK, HINT, BUTTON = "#1a211c", "#55605a", "#067a3e"


class TopicCard(Part):
    """A card that asks the friend whether she wants a topic."""

    key: ClassVar[str] = "topic"
    topic: Identifier  # the topic's code


def render(view: TopicView) -> dict[str, Any]:
    """The Flex message that asks for consent."""
    alt_text = f"【{view.name}】{view.frequency_text}"
    stop = _("To stop, tap “No, thanks” here or write to us: Unsubscribe %(name)s", name=view.name)
    return {
        "type": "flex",
        "altText": cut_to_units(alt_text, limits.ALT_TEXT_UNITS),
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "hero": _hero(view.name),
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "sm",
                "paddingAll": "14px",
                "contents": [
                    *([_text(view.description, size="md", color=INK)] if view.description else []),
                    _text(view.frequency_text, size="sm", color=INK, weight="bold"),
                    _text(view.wording, size="xs", color=HINT),
                    _text(stop, size="xs", color=HINT),
                ],
            },
            "footer": {
                "type": "box",
                "layout": "vertical",
                "spacing": "sm",
                "paddingAll": "10px",
                "contents": [
                    _button(_("Subscribe"), view.yes, style="primary", color=BUTTON),
                    _button(_("No, thanks"), view.no, style="link", color=HINT),
                ],
            },
        },
    }


def _button(label: str, data: str, **style: str) -> dict[str, Any]:
    action = {"type": "postback", "label": label, "data": data, "displayText": label}
    return {"type": "button", "height": "sm", **style, "action": action}


def _hero(name: str) -> dict[str, Any]:
    return {
        "type": "box",
        "layout": "vertical",
        "height": "88px",
        "justifyContent": "center",
        "paddingAll": "12px",
        "background": {
            "type": "linearGradient",
            "angle": "135deg",
            "startColor": START,
            "endColor": END,
        },
        "contents": [_text(name, size="xl", color="#ffffff", weight="bold", align="center")],
    }


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "wrap": True, **style}
