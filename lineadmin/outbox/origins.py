"""Who wanted a message sent: the key that makes planning harmless to repeat."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin.outbox.models import OriginKind

# Steps, broadcasts and reminders are the shop's own idea; the other kinds answer one person.
PROGRAMS = (OriginKind.BROADCAST, OriginKind.STEP, OriginKind.REMINDER, OriginKind.POINTS)
SINGLES = (
    OriginKind.GREETING,
    OriginKind.STAFF,
    OriginKind.TEST,
    OriginKind.THANKS,
    OriginKind.NOTICE,
)


@dataclass(frozen=True)
class Origin:
    """One cause of messages; a friend gets at most one delivery of it.

    `run` tells repeats of one cause apart (a sequence's enrolment run and step).
    """

    kind: OriginKind
    id: int
    run: int = 0
