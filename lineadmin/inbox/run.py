"""Working the inbox off: events are claimed in the order they happened and handled one by one.

1. A batch is claimed with a lease; a crash hands it to the next worker when the lease runs out.
2. Each event's changes are one transaction, which also notes the reply it owes. An event that
   fails steps back, longer each time, and is set aside after five tries; the others go on.
3. Replies are given outside transactions by a few threads, each friend's always by the same one,
   so that nobody gets hers in the wrong order and one slow answer of LINE holds up few.
"""

from __future__ import annotations

import json
import logging
import time
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import SQL

from lineadmin.db import (
    EPOCH,
    atomic,
    db,
    dump_json,
    ensure_connection,
    is_postgres,
    run_sql,
    to_ms,
)
from lineadmin.i18n import set_zone
from lineadmin.inbox import dispatch, messages
from lineadmin.inbox.models import InboundEvent
from lineadmin.line.gateway import Gateway
from lineadmin.line.parse import read_event
from lineadmin.replies.owed import Owed, pay, token_time
from lineadmin.settings import shop_zone

LEASE = timedelta(seconds=60)
BACKOFF = (1, 5, 30, 120)  # seconds after the first, second, … failure
TRIES = 5
BATCH = 50
LIMIT = 2000
LANES = 4
ERROR_LENGTH = 1000

logger = logging.getLogger(__name__)


def is_due(wall: datetime) -> bool:
    """Whether any event waits for its turn; one cheap indexed question."""
    return bool(InboundEvent.select(InboundEvent.id).where(_claimable(wall)).exists())


def dispatch_due(
    gateway: Gateway,
    now: datetime,
    wall: datetime,
    limit: int = LIMIT,
    *,
    public_url: str | None = None,
) -> int:
    """Handle what waits, at most `limit` events, and give the replies; how many were handled."""
    with Dispatcher(gateway, public_url=public_url) as dispatcher:
        return dispatcher.run(now, wall, limit)


class Dispatcher:
    """The same for a process that keeps doing it: its threads stay.

    `wait=False` in `run` lets replies finish on their own, so that the next events need not wait
    for a slow answer of LINE.
    """

    def __init__(
        self, gateway: Gateway, *, public_url: str | None = None, lanes: int = LANES
    ) -> None:
        self._gateway = gateway
        self._public_url = public_url
        self._lanes = [
            ThreadPoolExecutor(1, thread_name_prefix=f"reply-{number}") for number in range(lanes)
        ]
        self._paying: list[Future[None]] = []

    def __enter__(self) -> Dispatcher:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self, seconds: float | None = None) -> None:
        """Let the replies under way finish, for at most `seconds`, and end the threads.

        Replies that had no time are given by whoever claims their events next.
        """
        futures.wait(self._paying, timeout=seconds)
        for lane in self._lanes:
            if lane._threads and seconds is None:
                lane.submit(_disconnect)
            lane.shutdown(wait=seconds is None, cancel_futures=seconds is not None)

    def run(self, now: datetime, wall: datetime, limit: int = LIMIT, *, wait: bool = True) -> int:
        """Handle what waits, at most `limit` events; how many were handled."""
        moment = _Moment(now, wall)
        handled = 0
        while handled < limit:
            rows = _claim(moment.wall, min(BATCH, limit - handled))
            if not rows:
                break
            shop = dispatch.look()
            set_zone(shop.zone)
            for row in rows:
                handled += self._handle(row, moment, shop)
        self._paying = [future for future in self._paying if not future.done()]
        if wait:
            for future in self._paying:
                future.result()
            self._paying = []
        return handled

    def _handle(self, row: InboundEvent, moment: _Moment, shop: dispatch.Shop) -> int:
        try:
            owed = _change(row, moment, shop)
        except _TakenOver:
            return 0
        except Exception as error:
            _step_back(row, error, moment.wall)
            return 0
        if owed is not None:
            lane = self._lanes[owed.friend_id % len(self._lanes)]
            self._paying.append(lane.submit(self._pay, row, owed, moment))
        return 1

    def _pay(self, row: InboundEvent, owed: Owed, moment: _Moment) -> None:
        try:
            ensure_connection()
            set_zone(shop_zone())
            outcome = pay(
                owed,
                gateway=self._gateway,
                public_url=self._public_url,
                now=moment.now,
                wall=moment.wall,
            )
            with atomic():
                if owed.message_id and (outcome is None or outcome.dropped):
                    messages.reopen(owed.message_id)
                _finish(row, moment.wall)
        except Exception as error:
            _step_back(row, error, moment.wall)


@dataclass(frozen=True)
class _Moment:
    """Both times when the run began; both go on while it lasts."""

    start_now: datetime
    start_wall: datetime
    started: float

    def __init__(self, now: datetime, wall: datetime) -> None:
        object.__setattr__(self, "start_now", now)
        object.__setattr__(self, "start_wall", wall)
        object.__setattr__(self, "started", time.monotonic())

    @property
    def passed(self) -> timedelta:
        return timedelta(milliseconds=int((time.monotonic() - self.started) * 1000))

    @property
    def now(self) -> datetime:
        """Shop time."""
        return self.start_now

    @property
    def wall(self) -> datetime:
        """Real time."""
        return self.start_wall + self.passed


class _TakenOver(Exception):
    """Our lease ran out and another worker has this event: nothing of ours is kept."""


def shop_moment(event_at: datetime, *, now: datetime, wall: datetime) -> datetime:
    """LINE's timestamp of an event as a moment of shop time, never in the future.

    LINE stamps in real time. Where shop time was moved away from that, the event keeps its age:
    "ten seconds ago" stays ten seconds ago. A stamp that lies nearer to shop time than to real
    time came from somewhere that keeps shop time itself.
    """
    if event_at <= EPOCH:
        return now
    if abs(now - event_at) <= abs(wall - event_at):
        return min(event_at, now)
    return min(now - (wall - event_at), now)


def _claimable(wall: datetime) -> object:
    # Written as the partial index is, so that SQLite uses it.
    return (
        SQL("handled_at IS NULL AND set_aside_at IS NULL")
        & (InboundEvent.try_at <= wall)
        & (InboundEvent.lease_until.is_null() | (InboundEvent.lease_until < wall))
    )


def _claim(wall: datetime, limit: int) -> list[InboundEvent]:
    if not is_due(wall):
        return []
    with atomic():
        due = (
            InboundEvent.select(InboundEvent.id)
            .where(_claimable(wall))
            .order_by(InboundEvent.at, InboundEvent.id)
            .limit(limit)
        )
        if is_postgres():
            due = due.for_update(skip_locked=True)
        claimed = (
            InboundEvent.update(lease_until=wall + LEASE)
            .where(InboundEvent.id.in_(due))
            .returning(InboundEvent)
        )
        rows: list[InboundEvent] = list(claimed.execute())
    return sorted(rows, key=lambda row: (row.at, row.id))


def _change(row: InboundEvent, moment: _Moment, shop: dispatch.Shop) -> Owed | None:
    """Make the event's changes and mark it; answers the reply that is still owed."""
    if row.answer is not None:
        return Owed.from_json(row.answer)  # the changes were made before a crash
    event = read_event(json.loads(row.raw))
    wall = moment.wall
    scene = dispatch.Scene(
        row=row,
        event=event,
        at=shop_moment(row.at, now=moment.now, wall=wall),
        event_at=row.at,
        wall=wall,
        token_ms=token_time(
            received_at=row.received_at,
            event_at=row.at,
            redelivered=row.redelivered > 0 or event.is_redelivery,
            wall=wall,
        ),
        shop=shop,
    )
    with atomic():
        owed = dispatch.handle(scene)
        if owed is None:
            _finish(row, wall)
        else:
            _owe(row, owed)
    return owed


def _finish(row: InboundEvent, wall: datetime) -> None:
    """:raises _TakenOver: the event is not ours any more"""
    _mark(row, "handled_at = ?, answer = NULL, lease_until = NULL, error = ''", to_ms(wall))


def _owe(row: InboundEvent, owed: Owed) -> None:
    """:raises _TakenOver: the event is not ours any more"""
    _mark(row, "answer = ?", dump_json(owed.to_json()))


def _mark(row: InboundEvent, change: str, value: object) -> None:
    marked = run_sql(
        f"UPDATE inbound_event SET {change}"  # noqa: S608 - our own two texts
        " WHERE id = ? AND handled_at IS NULL AND lease_until = ?",
        value,
        row.id,
        to_ms(row.lease_until),
    )
    if not marked.rowcount:
        raise _TakenOver


def _step_back(row: InboundEvent, error: Exception, wall: datetime) -> None:
    """Try again later, or set the event aside for staff to see."""
    if isinstance(error, _TakenOver):
        return
    logger.error("event %s (%s) failed", row.event_id, row.type, exc_info=error)
    # Where the error was a lost connection, the event must not wait for its lease to run out.
    ensure_connection()
    tries = row.tries + 1
    changes: dict[str, object] = {
        "tries": tries,
        "lease_until": None,
        "error": _words(error),
    }
    if tries >= TRIES:
        changes["set_aside_at"] = wall
    else:
        changes["try_at"] = wall + timedelta(seconds=BACKOFF[tries - 1])
    InboundEvent.update(**changes).where(
        InboundEvent.id == row.id,
        InboundEvent.handled_at.is_null(),
        InboundEvent.lease_until == row.lease_until,
    ).execute()


def _words(error: Exception) -> str:
    """The error as staff can pass it on: no traceback, which stays in the server's log."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text.replace("\x00", "")[:ERROR_LENGTH]


def _disconnect() -> None:
    if not db.is_closed():
        db.close()
