"""Why a friend did not get a message: codes kept on deliveries, and their words for staff."""

from __future__ import annotations

from typing import Any

from lineadmin.i18n import _l

# Left out while planning or at the recheck (SKIPPED)
BLOCKED = "blocked"
OPTED_OUT = "opted_out"
NO_CONSENT = "no_consent"
HOLDOUT = "holdout"
CAP = "cap"
DORMANT = "dormant"
EXPIRED = "expired"
LATE = "late"
COUPON_GONE = "coupon_gone"
COUPON_USED = "coupon_used"
COUPON_NEW = "coupon_new"
POINTS_SPENT = "points_spent"
NO_PUBLIC_URL = "no_public_url"
NOT_PREPARED = "not_prepared"
GOAL = "goal"
COLLISION = "collision"
SWITCHED_OFF = "switched_off"
# Sent all the same, on another day than planned
SHIFTED = "shifted"
# Taken back by staff or by its program (CANCELED)
CANCELED = "canceled"
LEFT = "left"
# LINE said no (FAILED)
REFUSED = "refused"
# Nobody knows (UNKNOWN)
NO_ANSWER = "no_answer"
REFUSED_LATER = "refused_later"
# Decided by staff afterwards (SENT)
COUNTED_AS_SENT = "counted_as_sent"
# The database was restored from a backup (HELD)
RESTORED = "restored"

# A program that stands still, and a reply that was not sent
QUOTA = "quota"
STOPPED = "stopped"
TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reply token's age, no secret
UNREACHABLE = "unreachable"
RATE = "rate"
AUTH = "auth"
CRASHED = "crashed"
NO_REPLY_ANSWER = "no_reply_answer"

LABELS: dict[str, Any] = {
    BLOCKED: _l("Has blocked the account"),
    OPTED_OUT: _l("Wants no notifications"),
    NO_CONSENT: _l("Does not subscribe to the topic"),
    HOLDOUT: _l("In the group that gets nothing, for comparison"),
    CAP: _l("Has had enough messages lately"),
    DORMANT: _l("Never answered several wake-up messages"),
    EXPIRED: _l("Too late to be of use"),
    LATE: _l("The server was down at its time"),
    NO_PUBLIC_URL: _l("This server has no public address"),
    GOAL: _l("Her stop condition was reached"),
    COLLISION: _l("A more important message came that day"),
    SWITCHED_OFF: _l("The step messages were switched off at its time"),
    SHIFTED: _l("Moved a day for a more important message"),
    NOT_PREPARED: _l("The message could not be made"),
    COUPON_GONE: _l("The coupon is gone"),
    COUPON_USED: _l("Has used the coupon already"),
    POINTS_SPENT: _l("Has spent the points already"),
    COUPON_NEW: _l("Has only just got the coupon"),
    CANCELED: _l("Canceled"),
    LEFT: _l("Left the step messages before"),
    REFUSED: _l("LINE refused it"),
    NO_ANSWER: _l("LINE gave no answer for 23 hours"),
    REFUSED_LATER: _l("No answer at first, then refused by LINE"),
    COUNTED_AS_SENT: _l("Counted as sent by staff"),
    RESTORED: _l("Held after restoring a backup"),
    QUOTA: _l("This month's messages are used up"),
    STOPPED: _l("All sending is stopped"),
    TOKEN_EXPIRED: _l("The moment for a free reply had passed"),
    UNREACHABLE: _l("LINE could not be reached"),
    RATE: _l("LINE asked to send more slowly"),
    AUTH: _l("LINE does not accept our access"),
    NO_REPLY_ANSWER: _l("LINE gave no answer"),
    CRASHED: _l("The server stopped while sending it"),
}


def label(code: str) -> str:
    """The words for a reason, in the reader's language; an unknown code speaks for itself."""
    return str(LABELS.get(code, code))
