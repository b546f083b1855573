"""What comes next in shop time, and whether everything due is done: for a clock that is moved.

A demo's clock that jumped over a month at once would find every step of it late, as after a month
without a server. Whoever moves it goes from one planned moment to the next instead, and lets the
worker do at each what is due.
"""

from __future__ import annotations

from datetime import datetime

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.inbox import run as inbox
from lineadmin.outbox import pauses, quiet, recheck
from lineadmin.outbox.live import flying, queued, ready
from lineadmin.outbox.models import Delivery, Shipment
from lineadmin.tasks import programs
from lineadmin.tasks.sending import Rooms


def next_moment(now: datetime) -> datetime | None:
    """The earliest shop time after `now` at which something was planned to happen."""
    found = (programs.next_moment(now), _next_delivery(now), quiet.ends_at(settings.shop(), now))
    return min((moment for moment in found if moment is not None), default=None)


def is_settled(now: datetime, wall: datetime) -> bool:
    """Whether the worker has done whatever was due at `now` and may be done."""
    if inbox.is_due(wall) or programs.are_due(now):
        return False
    if pauses.current().nothing_leaves:
        return True
    if Shipment.select(SQL("1")).where(ready() | flying()).exists():
        return False
    return not recheck.may_go(recheck.due_groups(now), Rooms(), now)


def _next_delivery(now: datetime) -> datetime | None:
    later = queued() & (Delivery.due_at > now)
    found: datetime | None = Delivery.select(fn.MIN(Delivery.due_at)).where(later).scalar()
    return found
