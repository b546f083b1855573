"""How many friends LINE itself counted, as it was last told."""

from __future__ import annotations

from datetime import date, datetime

from lineadmin.settings.actions import get, mark

FRIEND_TOTAL = "friends.total"


def friend_total() -> tuple[int, date] | None:
    """How many friends LINE counted, and at the end of which day; None where it never told."""
    value = get(FRIEND_TOTAL)
    return None if value is None else (value["friends"], date.fromisoformat(value["day"]))


def keep_friend_total(friends: int, day: date, *, wall: datetime) -> None:
    """Write down what LINE told."""
    mark(FRIEND_TOTAL, {"friends": friends, "day": day.isoformat()}, wall=wall)
