"""Amounts, days and states as people and tills write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lineadmin.i18n import LOCALES, use_locale
from lineadmin.purchases.states import STATUS_LABELS, STATUSES

# 2026-11-23, 2026/11/23, 115/11/23 (years of the Republic), with or without a time.
_DAY = re.compile(
    r"(\d{2,4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?"
)
_REPUBLIC = 1911


def read_amount(text: str) -> int | None:
    """ "NT$ 1,200" as 1200; nothing typed is None, what is no whole amount is -1 (refused)."""
    plain = re.sub(r"(?i)nt\$?|[\s$,元]", "", unicodedata.normalize("NFKC", text))
    plain = re.sub(r"\.0+$", "", plain)
    if not plain:
        return None
    return int(plain) if re.fullmatch(r"[0-9]{1,9}", plain) else -1


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A day, or a day and a time, on the shop's clock; noon where only the day is known. None where
    it is neither."""
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return moment.astimezone(UTC)
    found = _DAY.fullmatch(plain)
    if found is None:
        return None
    year, month, day, *clock = (None if part is None else int(part) for part in found.groups())
    if year is None or month is None or day is None:
        return None
    if year < 1000:
        year += _REPUBLIC
    hour, minute, second = (part or 0 for part in clock)
    if clock[0] is None:
        hour = 12
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_status(text: str) -> str | None:
    """A status by its code or its name in any of our languages; None where it is none."""
    word = text.strip().casefold()
    if word in STATUSES:
        return word
    for locale in LOCALES:
        with use_locale(locale):
            for code, label in STATUS_LABELS.items():
                if str(label).casefold() == word:
                    return code
    return None
