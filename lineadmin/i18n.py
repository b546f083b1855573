"""Languages: catalogues by room, zh-TW first, and how dates, money and counts are written.

Catalogues are the `.po` files under `translations/<locale>/`; they are read as they are, so there
is no compile step and nothing binary in the repository.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations

LOCALES = ("zh_Hant_TW", "en", "ja")
LOCALE_NAMES = {"zh_Hant_TW": "繁體中文", "en": "English", "ja": "日本語"}
HTML_LANG = {"zh_Hant_TW": "zh-Hant-TW", "en": "en", "ja": "ja"}
DEFAULT_LOCALE = "zh_Hant_TW"
CATALOGUES = Path(__file__).parent / "translations"

WEEKDAYS = {
    "zh_Hant_TW": "一二三四五六日",
    "ja": "月火水木金土日",
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)
_zone: ContextVar[tzinfo | None] = ContextVar("zone", default=None)


def _(message: str, **values: object) -> str:
    """`message` in the reader's language; `%(name)s` is filled from `values`."""
    text = translations(_locale.get()).gettext(message)
    return text % values if values else text


def _n(singular: str, plural: str, count: int, **values: object) -> str:
    """The form of a message that fits `count`, which is also available as `%(count)s`."""
    text = translations(_locale.get()).ngettext(singular, plural, count)
    return text % {"count": format_count(count), **values}


def _l(message: str, **values: object) -> Any:
    """`message`, translated when it is shown rather than now (class attributes, errors)."""
    return LazyProxy(_, message, enable_cache=False, **values)


def locale() -> str:
    """The code of the language in use: one of LOCALES."""
    return _locale.get()


def set_locale(code: str | None) -> None:
    """Speak `code` in this request or thread from now on; an unknown code means zh-TW."""
    _locale.set(code if code in LOCALES else DEFAULT_LOCALE)


@contextmanager
def use_locale(code: str) -> Iterator[None]:
    """Speak `code` within the block."""
    token = _locale.set(code if code in LOCALES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


@cache
def translations(code: str) -> NullTranslations:
    """Everything that is translated into `code`, all catalogues together."""
    merged = Catalog(locale=code)
    for path in sorted((CATALOGUES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id and message.string and message.id not in merged:
                    merged[message.id] = message
    if not len(merged):
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return Translations(compiled, domain="lineadmin")


def set_zone(zone: tzinfo | None) -> None:
    """The shop's time zone, in which this request or thread writes times."""
    _zone.set(zone)


def local(moment: datetime) -> datetime:
    """`moment` on the shop's clock."""
    return moment.astimezone(_zone.get() or ZoneInfo("Asia/Taipei"))


def format_date(day: date | datetime) -> str:
    """2026/11/23（一）; a moment is taken on the shop's clock."""
    if isinstance(day, datetime):
        day = local(day).date()
    name = WEEKDAYS[_locale.get()][day.weekday()]
    if _locale.get() == "en":
        return f"{name}, {day.year}/{day.month:02}/{day.day:02}"
    return f"{day.year}/{day.month:02}/{day.day:02}（{name}）"


def format_datetime(moment: datetime | None) -> str:
    """2026/11/23（一）11:30 on the shop's clock; nothing for None."""
    if moment is None:
        return ""
    there = local(moment)
    between = " " if _locale.get() == "en" else ""
    return f"{format_date(there.date())}{between}{there:%H:%M}"


def format_time(moment: datetime) -> str:
    """11:30 on the shop's clock."""
    return f"{local(moment):%H:%M}"


def format_count(number: int) -> str:
    """1,234"""
    return f"{number:,}"


def format_twd(amount: float) -> str:
    """NT$1,200; parts of a dollar are shown only below NT$10."""
    if amount == int(amount) or amount >= 10:
        return f"NT${round(amount):,}"
    return f"NT${amount:.1f}"
