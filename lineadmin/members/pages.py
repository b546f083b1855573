"""The names of a friend's own pages, for their tabs and for the cards that lead there.

A room that has something to show her adds a line here and draws it in web (see web/my_page.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lineadmin.i18n import _l
from lineadmin.members.links import HOME


@dataclass(frozen=True)
class Page:
    """`about` is what a card in the chat says of it."""

    code: str  # the last part of its address
    title: Any
    about: Any


_ALL = (
    Page(HOME, _l("My page"), _l("Everything of yours with us, in one place.")),
    Page("coupons", _l("My coupons"), _l("See what you can use, and use it at the counter.")),
    Page("orders", _l("My orders"), _l("See how far your order is, and ask for a change.")),
    Page("topics", _l("My subscriptions"), _l("Choose what we send you, and stop it at any time.")),
    Page(
        "member", _l("Member card"), _l("Bind your member card once, then it is always with you.")
    ),
    Page("points", _l("My points"), _l("See your points and when they end.")),
)

PAGES: dict[str, Page] = {page.code: page for page in _ALL}
