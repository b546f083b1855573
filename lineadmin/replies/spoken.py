"""Sentences the program itself says to a friend, in her language (BCP 47, as LINE gives it)."""

from __future__ import annotations

from typing import Any

from lineadmin.friends.words import OPT_IN_DATA, OPT_OUT_DATA
from lineadmin.i18n import DEFAULT_LOCALE, _, use_locale

_LOCALES = {"ja": "ja", "en": "en"}


def stopped(language: str) -> list[dict[str, Any]]:
    """She will get no more steps and broadcasts, and can take that back with one tap."""
    with use_locale(locale_of(language)):
        return [
            {
                "text": _(
                    "Understood: no more notifications from us. You can still write to us and "
                    "get answers. Changed your mind? Tap the button below at any time."
                )
            },
            {"quick_replies": [{"label": _("Notify me again"), "postback": OPT_IN_DATA}]},
        ]


def resumed(language: str) -> list[dict[str, Any]]:
    """She will get steps and broadcasts again, and can take that back with one tap."""
    with use_locale(locale_of(language)):
        return [
            {"text": _("Welcome back! You will get our notifications again.")},
            {"quick_replies": [{"label": _("No more notifications"), "postback": OPT_OUT_DATA}]},
        ]


def linked(language: str, staff_name: str) -> list[dict[str, Any]]:
    """This phone is now a staff member's own LINE."""
    with use_locale(locale_of(language)):
        words = _("Linked. Test messages of %(name)s will arrive here.", name=staff_name)
    # Braces in a name are no placeholder.
    return [{"text": words.replace("{", "{{").replace("}", "}}")}]


def arrived(language: str) -> list[dict[str, Any]]:
    """She told where she comes from, by sending the text an entry link had typed for her."""
    with use_locale(locale_of(language)):
        return [{"text": _("Thank you for coming! If you have a question, just write to us here.")}]


def locale_of(language: str) -> str:
    """The language to speak to a friend: LINE's setting where we speak it, else zh-TW."""
    return _LOCALES.get(language.lower().split("-")[0], DEFAULT_LOCALE)
