"""In which state a survey is, and the words for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from lineadmin.i18n import _, _l, format_datetime
from lineadmin.surveys.models import Survey

DRAFT, OPEN, CLOSED = "draft", "open", "closed"
ONCE, SENDING = "once", "sending"

STATE_LABELS: dict[str, Any] = {
    DRAFT: _l("Draft"),
    OPEN: _l("Open to answers"),
    CLOSED: _l("Closed"),
}
REPEAT_LABELS: dict[str, Any] = {
    ONCE: _l("Once per friend"),
    SENDING: _l("Once per message it comes with (each step, each broadcast)"),
}


class Phase(StrEnum):
    """What a survey is at one moment; only OPEN ones can be answered."""

    OPEN = "open"
    DRAFT = "draft"
    CLOSED = "closed"
    NOT_YET = "not_yet"
    ENDED = "ended"


OVER = (Phase.CLOSED, Phase.ENDED)


def phase_of(survey: Survey, now: datetime) -> Phase:
    """The phase at shop time `now`."""
    if survey.state == CLOSED:
        return Phase.CLOSED
    if survey.ends_at is not None and now >= survey.ends_at:
        return Phase.ENDED
    if survey.state == DRAFT:
        return Phase.DRAFT
    if survey.starts_at is not None and now < survey.starts_at:
        return Phase.NOT_YET
    return Phase.OPEN


def phase_sentence(survey: Survey, phase: Phase) -> str:
    """Why nobody can answer now; empty where everybody can."""
    if phase is Phase.NOT_YET and survey.starts_at is not None:
        return _("It starts %(time)s.", time=format_datetime(survey.starts_at))
    if phase is Phase.DRAFT:
        return _("The survey has not been opened yet. Please look again later.")
    return _("The survey is over. Thank you for your interest.") if phase in OVER else ""
