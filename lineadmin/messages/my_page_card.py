"""A card in the chat that leads a friend to her own pages.

Source: https://developers.line.biz/en/reference/messaging-api/#flex-message (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_units
from lineadmin.members.links import HOME
from lineadmin.members.pages import PAGES
from lineadmin.messages.part import Identifier, Part

INK, HINT, BUTTON = "#1a211c", "#55605a", "#067a3e"


class MyPage(Part):
    """A card with a button to one of the friend's own pages."""

    key: ClassVar[str] = "my_page"
    my_page: Identifier  # the page's code

    @property
    def needs_public_url(self) -> bool:
        """Her pages are on this server."""
        return True


def check(part: MyPage) -> Iterator[tuple[str, str]]:
    """What is wrong, as (field, sentence)."""
    if part.my_page not in PAGES:
        yield "my_page", _("Choose one of: %(pages)s.", pages=", ".join(PAGES))


def url_of(page: str, friend_url: str) -> str:
    """The address of one of her pages, from that of her first one."""
    return friend_url if page == HOME else f"{friend_url}/{page}"


def render(part: MyPage, friend_url: str) -> dict[str, Any]:
    """The Flex message; `friend_url` is the address of her first page."""
    page = PAGES[part.my_page]
    title, about = str(page.title), str(page.about)
    action = {"type": "uri", "label": _("Open"), "uri": url_of(page.code, friend_url)}
    return {
        "type": "flex",
        "altText": cut_to_units(f"{title}・{about}", limits.ALT_TEXT_UNITS),
        "contents": {
            "type": "bubble",
            "size": "kilo",
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "xs",
                "paddingAll": "14px",
                "contents": [
                    _text(title, size="lg", color=INK, weight="bold"),
                    _text(about, size="sm", color=HINT),
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
                        "action": action,
                    }
                ],
            },
        },
    }


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "wrap": True, **style}
