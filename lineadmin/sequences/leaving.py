"""Friends who leave because their sequence ends for them: switched off, or its period is over.

What staff chose is on the sequence; here it is carried out, in short transactions.
"""

from __future__ import annotations

from datetime import date, datetime

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.messages.undo import take_back_coupons
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_program, cancel_waiting
from lineadmin.outbox.models import OriginKind
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.actions import STOP
from lineadmin.sequences.models import Enrolment, Sequence


def advance(now: datetime, wall: datetime) -> int:
    """Let everybody go whose sequence is to stop; how many. Harmless to repeat."""
    today = calendar.local_day(now, settings.shop_zone())
    gone = 0
    for row in _stopping(today):
        reason = enrolments.SWITCHED_OFF if not row.enabled else enrolments.PERIOD_OVER
        gone += enrolments.end_all(row.id, reason=reason, now=now)
        take_back(row.id, now=now, wall=wall)
    return gone


def take_back(sequence_id: int, *, now: datetime, wall: datetime) -> None:
    """Cancel what was planned for those who have left and has not gone out."""
    while cancel_waiting(OriginKind.STEP, sequence_id, reason=reasons.LEFT, now=now):
        pass
    cancel_program(
        OriginKind.STEP,
        sequence_id,
        reason=reasons.LEFT,
        now=now,
        wall=wall,
        undone=take_back_coupons,
    )


def _stopping(today: date) -> list[Sequence]:
    """Sequences that stop those underway, and have some."""
    underway = Enrolment.select(SQL("1")).where(
        Enrolment.sequence == Sequence.id,
        Enrolment.state.in_((enrolments.ACTIVE, enrolments.HELD)),
    )
    off = (Sequence.enabled == False) & (Sequence.when_off == STOP)  # noqa: E712
    over = (Sequence.period_until < today) & (Sequence.when_over == STOP)
    return list(
        Sequence.select().where(Sequence.archived_at.is_null(), off | over, fn.EXISTS(underway))
    )
