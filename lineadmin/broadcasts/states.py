"""The life of a broadcast: its states, their words, and how long late is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lineadmin.i18n import _l

DRAFT = "draft"
APPROVAL = "approval"  # confirmed; a second person has to agree
SCHEDULED = "scheduled"  # confirmed; can be taken back until it leaves
PLANNING = "planning"  # deliveries are being written, nothing has left
SENDING = "sending"
PAUSED = "paused"  # by staff, or because LINE refuses the content
STOPPING = "stopping"  # what is not on its way is being taken back
SENT = "sent"
FAILED = "failed"  # LINE took it and sent it to nobody
CANCELED = "canceled"  # stopped on the way, or dropped
LATE = "late"  # the server was down at its time: staff decide
HELD = "held"  # after a restore: staff decide

LABELS: dict[str, Any] = {
    DRAFT: _l("Draft"),
    APPROVAL: _l("Waits for approval"),
    SCHEDULED: _l("Scheduled"),
    PLANNING: _l("Getting ready"),
    SENDING: _l("Being sent"),
    PAUSED: _l("Paused"),
    STOPPING: _l("Stopping"),
    SENT: _l("Sent"),
    FAILED: _l("Failed"),
    CANCELED: _l("Cancelled"),
    LATE: _l("Too late"),
    HELD: _l("On hold"),
}
KINDS = {
    DRAFT: "",
    APPROVAL: "warn",
    SCHEDULED: "info",
    PLANNING: "info",
    SENDING: "info",
    PAUSED: "warn",
    STOPPING: "warn",
    SENT: "ok",
    FAILED: "bad",
    CANCELED: "quiet",
    LATE: "bad",
    HELD: "warn",
}
ENDED = (SENT, FAILED, CANCELED)
STARTED = (PLANNING, SENDING, PAUSED, STOPPING, SENT)

LATE_AFTER = timedelta(hours=2)


def label(state: str) -> str:
    """The state in the reader's language."""
    return str(LABELS.get(state, state))
