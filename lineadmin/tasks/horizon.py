"""What comes next in shop time, and whether everything due is done: for a clock that is moved.

A demo's clock that jumped over a month at once would find every step of it late, as after a month
without a server. Whoever moves it goes from one planned moment to the next instead, and lets the
worker do at each what is due.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.broadcasts import run as broadcasts
from lineadmin.broadcasts.models import Broadcast
from lineadmin.db import from_ms
from lineadmin.inbox import run as inbox
from lineadmin.outbox import pauses, quiet, recheck
from lineadmin.outbox.live import flying, queued, ready
from lineadmin.outbox.models import Delivery, Shipment
from lineadmin.sequences import advance as steps
from lineadmin.sequences import by_hand, dates, enrolments, triggers
from lineadmin.sequences.models import Enrolment
from lineadmin.tasks.sending import Rooms


def next_moment(now: datetime) -> datetime | None:
    """The earliest shop time after `now` at which something was planned to happen."""
    found = [moment for question in _QUESTIONS if (moment := question(now)) is not None]
    return min(found, default=None)


def is_settled(now: datetime, wall: datetime) -> bool:
    """Whether the worker has done whatever was due at `now` and may be done."""
    if inbox.is_due(wall) or triggers.is_due() or dates.is_due(now) or by_hand.is_due():
        return False
    if steps.is_due(now) or broadcasts.is_due(now):
        return False
    if pauses.current().nothing_leaves:
        return True
    if Shipment.select(SQL("1")).where(ready() | flying()).exists():
        return False
    return not recheck.may_go(recheck.due_groups(now), Rooms(), now)


def _next_step(now: datetime) -> datetime | None:
    return _earliest(
        Enrolment.select(fn.MIN(Enrolment.next_at)).where(
            enrolments.active() & (Enrolment.next_at > now)
        )
    )


def _next_delivery(now: datetime) -> datetime | None:
    return _earliest(
        Delivery.select(fn.MIN(Delivery.due_at)).where(queued() & (Delivery.due_at > now))
    )


def _next_broadcast(now: datetime) -> datetime | None:
    return _earliest(
        Broadcast.select(fn.MIN(Broadcast.leaves_at)).where(
            SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')"),
            Broadcast.leaves_at > now,
        )
    )


def _end_of_quiet(now: datetime) -> datetime | None:
    return quiet.ends_at(settings.shop(), now)


def _earliest(query: Any) -> datetime | None:
    found = query.scalar()
    return found if found is None or isinstance(found, datetime) else from_ms(found)


_QUESTIONS: tuple[Callable[[datetime], datetime | None], ...] = (
    _next_step,
    _next_delivery,
    _next_broadcast,
    _end_of_quiet,
    dates.next_look,
)
