"""What the cards in a chat share: the pieces of LINE's Flex bubbles, in one look.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineadmin.line import limits
from lineadmin.line.text import cut_to_units

INK, HINT, GREEN = "#1a211c", "#55605a", "#067a3e"
RULED = {"footer": {"separator": True}}  # styles of a bubble: a line above its buttons
WHITE = "#ffffff"  # on a banner's colours, with a contrast of 3:1 at least, as large type needs


def message(alt: str, contents: dict[str, Any]) -> dict[str, Any]:
    """The message around a bubble or a carousel; `alt` is what a chat list and a notice show."""
    return {
        "type": "flex",
        "altText": cut_to_units(alt, limits.ALT_TEXT_UNITS),
        "contents": contents,
    }


def bubble(**blocks: Any) -> dict[str, Any]:
    """A bubble of a card's width from its hero, body, footer and styles."""
    return {"type": "bubble", "size": "kilo", **blocks}


def text(words: str, **style: str) -> dict[str, Any]:
    """Words that wrap; `style` as LINE names it."""
    return {"type": "text", "text": words, "wrap": True, **style}


def banner(
    words: str, start: str, end: str, *, height: str = "96px", size: str = "xl"
) -> dict[str, Any]:
    """The upper block of a card without a picture: large words on two colours."""
    return {
        "type": "box",
        "layout": "vertical",
        "height": height,
        "justifyContent": "center",
        "paddingAll": "12px",
        "background": {
            "type": "linearGradient",
            "angle": "135deg",
            "startColor": start,
            "endColor": end,
        },
        "contents": [text(words, size=size, color=WHITE, weight="bold", align="center")],
    }


def picture(url: str, **more: Any) -> dict[str, Any]:
    """The upper block of a card with a picture; `more` may hold its action."""
    return {
        "type": "image",
        "url": url,
        "size": "full",
        "aspectRatio": "20:13",
        "aspectMode": "cover",
        **more,
    }


def body(contents: Sequence[dict[str, Any]], *, spacing: str = "sm") -> dict[str, Any]:
    """The block of words, one below the other."""
    return {
        "type": "box",
        "layout": "vertical",
        "spacing": spacing,
        "paddingAll": "14px",
        "contents": list(contents),
    }


def footer(
    buttons: Sequence[dict[str, Any]], *, padding: str = "10px", **style: str
) -> dict[str, Any]:
    """The block of buttons, one below the other."""
    return {
        "type": "box",
        "layout": "vertical",
        "paddingAll": padding,
        **style,
        "contents": list(buttons),
    }


def button(action: dict[str, Any], *, style: str = "primary", color: str = GREEN) -> dict[str, Any]:
    """A button; `action` is what a tap on it does."""
    return {"type": "button", "style": style, "height": "sm", "color": color, "action": action}


def postback(label: str, data: str) -> dict[str, Any]:
    """A tap that tells this server `data`, and says the label in the chat."""
    return {"type": "postback", "label": label, "data": data, "displayText": label}


def opens(label: str, url: str) -> dict[str, Any]:
    """A tap that opens an address."""
    return {"type": "uri", "label": label, "uri": url}
