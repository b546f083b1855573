"""A friend sends where she is; where the shop wants it, she hears which branch is nearest."""

from __future__ import annotations

from typing import Any

from lineadmin import settings
from lineadmin.branches import places, words
from lineadmin.branches.distance import nearest
from lineadmin.i18n import use_locale
from lineadmin.replies.spoken import locale_of


def near(where: tuple[float, float], language: str) -> list[dict[str, Any]]:
    """The answer as parts; nothing where the shop gives none or has no branches."""
    if not settings.shop().branch_reply:
        return []
    found = nearest(*where, places.active())
    if found is None:
        return []
    with use_locale(locale_of(language)):
        return words.answer(found)
