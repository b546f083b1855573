"""In which state a lottery is, and the words for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from lineadmin.i18n import _l
from lineadmin.lottery.models import Lottery

ACTIVE, PAUSED, CLOSED = "active", "paused", "closed"
ONCE, DAILY = "once", "daily"
PAGE, CHAT = "page", "chat"

STATE_LABELS: dict[str, Any] = {
    ACTIVE: _l("In progress"),
    PAUSED: _l("Paused"),
    CLOSED: _l("Closed"),
}
RULE_LABELS: dict[str, Any] = {
    ONCE: _l("Once per friend"),
    DAILY: _l("Once a day per friend"),
}
WAY_LABELS: dict[str, Any] = {
    PAGE: _l("On a page of her phone"),
    CHAT: _l("In the chat, with a free reply"),
}


class Phase(StrEnum):
    """What a lottery is at one moment; only OPEN ones can be drawn in."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    NOT_YET = "not_yet"
    ENDED = "ended"


def phase_of(lottery: Lottery, now: datetime) -> Phase:
    """The phase at shop time `now`."""
    if lottery.state == CLOSED:
        return Phase.CLOSED
    if lottery.ends_at is not None and now >= lottery.ends_at:
        return Phase.ENDED
    if lottery.state == PAUSED:
        return Phase.PAUSED
    if lottery.starts_at is not None and now < lottery.starts_at:
        return Phase.NOT_YET
    return Phase.OPEN
