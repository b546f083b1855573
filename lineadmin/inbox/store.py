"""Keeping webhook events before LINE is answered: few statements, one short transaction.

Requests that arrive together share a transaction: whoever gets the pen writes for everybody in the
queue. A disk flush is by far the dearest part of keeping an event, and threads that take turns do
not have to wait out SQLite's busy timeout.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import InterfaceError, OperationalError

from lineadmin.db import EPOCH, atomic, db, ensure_connection, is_postgres, to_ms
from lineadmin.line.parse import read_event

PER_STATEMENT = 500
TYPE_LENGTH = 40

# A redelivery changes the counter and, while the event still waits, the moment from which its
# reply token lives: LINE grants a redelivered token a minute from that receipt.
_INSERT = """
INSERT INTO inbound_event
  (event_id, type, line_user_id, raw, at, received_at, redelivered, try_at, tries, error)
VALUES {rows}
ON CONFLICT (event_id) DO UPDATE SET
  redelivered = inbound_event.redelivered + 1,
  received_at = CASE WHEN inbound_event.handled_at IS NULL
    THEN excluded.received_at ELSE inbound_event.received_at END
"""
_ROW_SQLITE = "(?, ?, ?, ?, ?, ?, 0, ?, 0, '')"
_ROW_POSTGRES = "(%s, %s, %s, %s, %s, %s, 0, %s, 0, '')"

_Row = tuple[str, str, str, str, int, int, int]


@dataclass(eq=False)
class _Entry:
    """The events of one webhook, waiting to be written."""

    rows: list[_Row]
    written: bool = False


_pen = threading.Lock()
_queue_lock = threading.Lock()
_queue: list[_Entry] = []


def store_events(events: list[dict[str, Any]], *, wall: datetime) -> None:
    """Keep the events of one webhook, all or none. One that came before is only counted.

    `events` are those of `line.parse.parse_webhook`: each has an id. `wall` is real time. Returns
    when they are on disk.
    """
    if not events:
        return
    entry = _Entry(_rows(events, wall))
    with _queue_lock:
        _queue.append(entry)
    with _pen:
        if entry.written:
            return
        with _queue_lock:
            batch = _queue[:]
            _queue.clear()
        try:
            _write(batch)
        except Exception:
            others = [one for one in batch if one is not entry]
            if not others:
                raise
            # Somebody's events cannot be kept: from here on each request writes its own.
            with _queue_lock:
                _queue[:0] = others
            batch = [entry]
            _write(batch)
        for one in batch:
            one.written = True


def _write(batch: list[_Entry]) -> None:
    # In the order of event ids: PostgreSQL refuses the same row twice in one statement, and two
    # servers with the same events in another order would wait for each other for ever.
    found: dict[str, _Row] = {}
    again: list[_Row] = []
    for entry in batch:
        for row in entry.rows:
            if row[0] in found:
                again.append(row)
            found.setdefault(row[0], row)
    rows = [found[event_id] for event_id in sorted(found)]
    try:
        _insert(rows, again)
    except (OperationalError, InterfaceError):
        # The database hung up on us since the last webhook. Nothing was committed.
        if not is_postgres():
            raise
        db.close()
        _insert(rows, again)


def _insert(rows: list[_Row], again: list[_Row]) -> None:
    ensure_connection()
    one = _ROW_POSTGRES if is_postgres() else _ROW_SQLITE
    with atomic():
        for part in (*_parts(rows), *([row] for row in again)):
            statement = _INSERT.format(rows=", ".join([one] * len(part)))
            parameters = [value for values in part for value in values]
            db.execute_sql(statement, parameters)


def _parts(rows: list[_Row]) -> list[list[_Row]]:
    return [rows[start : start + PER_STATEMENT] for start in range(0, len(rows), PER_STATEMENT)]


def _rows(events: list[dict[str, Any]], wall: datetime) -> list[_Row]:
    received = to_ms(wall)
    rows: list[_Row] = []
    for raw in events:
        event = read_event(raw)
        at = to_ms(event.at) if event.at > EPOCH else received
        text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
        kind = event.type.replace("\x00", "")[:TYPE_LENGTH]
        rows.append((event.id, kind, event.user_id or "", text, at, received, received))
    return rows
