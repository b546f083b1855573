"""Friends who leave because their sequence ends for them: archived, switched off, its period over.

What staff chose is on the sequence; here it is carried out, in short transactions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.messages.undo import take_back_coupons
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_program, cancel_waiting
from lineadmin.outbox.live import literal, queued
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.sequences import calendar, enrolments
from lineadmin.sequences.actions import STOP
from lineadmin.sequences.models import Enrolment, Sequence


def advance(
    now: datetime,
    wall: datetime,
    stopping: Callable[[], bool] = lambda: False,
    *,
    most: int | None = None,
) -> int:
    """Let everybody go whose sequence is to stop; how many. Harmless to repeat.

    :param most: so many portions at a time; the rest go on the next call
    """
    gone = portions = 0
    for row in _stopping(calendar.local_day(now, settings.shop_zone())):
        # First: a worker that dies in between would find nobody underway and leave it undone.
        take_back(row.id, now=now, wall=wall)
        while not stopping() and (most is None or portions < most):
            portions += 1
            left = enrolments.end_some(row.id, reason=_reason(row), now=now)
            gone += left
            if not left:
                take_back(row.id, now=now, wall=wall)
                break
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


def _reason(row: Sequence) -> str:
    if row.archived_at is not None:
        return enrolments.ARCHIVED
    return enrolments.PERIOD_OVER if row.enabled else enrolments.SWITCHED_OFF


def _stopping(today: date) -> list[Sequence]:
    """Sequences that stop those underway, and have some, or planned messages that wait."""
    underway = Enrolment.select(SQL("1")).where(
        Enrolment.sequence == Sequence.id,
        Enrolment.state.in_((enrolments.ACTIVE, enrolments.HELD)),
    )
    off = (Sequence.enabled == False) & (Sequence.when_off == STOP)  # noqa: E712
    over = (Sequence.period_until < today) & (Sequence.when_over == STOP)
    away = Sequence.archived_at.is_null(False)
    waiting = Delivery.select(SQL("1")).where(
        queued(),
        Delivery.origin_kind == literal(OriginKind.STEP),
        Delivery.origin_id == Sequence.id,
    )
    # When its period is over, a last step that is planned still comes to who is through with it.
    unsent = (away | off) & fn.EXISTS(waiting)
    return list(Sequence.select().where(away | off | over, fn.EXISTS(underway) | unsent))
