"""A card in the chat that leads a friend to her own pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.members.links import HOME
from lineadmin.members.pages import PAGES
from lineadmin.messages import flex
from lineadmin.messages.part import Identifier, Part


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
    return flex.message(
        f"{title}・{about}",
        flex.bubble(
            body=flex.body(
                [
                    flex.text(title, size="lg", color=flex.INK, weight="bold"),
                    flex.text(about, size="sm", color=flex.HINT),
                ],
                spacing="xs",
            ),
            footer=flex.footer([flex.button(flex.opens(_("Open"), url_of(page.code, friend_url)))]),
        ),
    )
