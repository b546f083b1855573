"""The words of topics, and the one rule by which a ledger amounts to a state."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from lineadmin.i18n import _l

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
FREQUENCIES: dict[str, Any] = {
    DAILY: _l("At most once a day"),
    WEEKLY: _l("At most once a week"),
    MONTHLY: _l("At most once a month"),
}
# From one sending to the next at least. An hour less, so that "at once" on one Monday does not
# stand in the way of the next Monday's fixed time.
GRACE = timedelta(hours=1)
SPANS = {
    DAILY: timedelta(days=1) - GRACE,
    WEEKLY: timedelta(days=7) - GRACE,
    MONTHLY: timedelta(days=28) - GRACE,
}
SENDINGS_PER_MONTH = {DAILY: 30.0, WEEKLY: 52 / 12, MONTHLY: 1.0}

SUBSCRIBED, STOPPED, NONE = "subscribed", "stopped", "none"
STATES = (SUBSCRIBED, STOPPED, NONE)
RENEWED, EXPIRED = "renewed", "expired"
CHANGE_LABELS: dict[str, Any] = {
    SUBSCRIBED: _l("Subscribed"),
    RENEWED: _l("Renewed the subscription"),
    STOPPED: _l("Stopped the subscription"),
    EXPIRED: _l("The consent ran out"),
}

CARD, PAGE, KEYWORD, STAFF, CSV, TIME = "card", "page", "keyword", "staff", "csv", "time"
PLACE_LABELS: dict[str, Any] = {
    CARD: _l("by a card in a message"),
    PAGE: _l("on her own page"),
    KEYWORD: _l("by writing to us"),
    STAFF: _l("by staff"),
    CSV: _l("from a file"),
    TIME: _l("by the passing of time"),
}


class Entry(Protocol):
    """What the rule has to know of a line of the ledger."""

    change: str
    until: datetime | None


def state_after(entries: Iterable[Entry], now: datetime) -> str:
    """The state a friend's lines, oldest first, amount to at `now`: the last line decides.

    A consent whose time is over is none, whether or not somebody has written that down yet.
    """
    told = list(entries)
    if not told:
        return NONE
    last = told[-1]
    agreed = last.change in (SUBSCRIBED, RENEWED)
    return SUBSCRIBED if agreed and (last.until is None or last.until > now) else STOPPED


def ends_after(months: int | None, at: datetime) -> datetime | None:
    """When a consent given at `at` runs out: the same day so many months later, or its last day."""
    if months is None:
        return None
    number = at.year * 12 + at.month - 1 + months
    year, month = divmod(number, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    day = min(at.day, (following - timedelta(days=1)).day)
    return at.replace(year=year, month=month + 1, day=day)
