"""Keeping webhook events before LINE is answered: one statement, one short transaction."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from lineadmin.db import EPOCH, atomic, db, is_postgres, to_ms
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


def store_events(events: list[dict[str, Any]], *, wall: datetime) -> None:
    """Keep the events of one webhook, all or none. One that came before is only counted.

    `events` are those of `line.parse.parse_webhook`: each has an id. `wall` is real time.
    """
    rows = _rows(events, wall)
    if not rows:
        return
    row = _ROW_POSTGRES if is_postgres() else _ROW_SQLITE
    with atomic():
        for start in range(0, len(rows), PER_STATEMENT):
            part = rows[start : start + PER_STATEMENT]
            statement = _INSERT.format(rows=", ".join([row] * len(part)))
            parameters = [value for values in part for value in values]
            db.execute_sql(statement, parameters)  # type: ignore[no-untyped-call]


def _rows(events: list[dict[str, Any]], wall: datetime) -> list[tuple[Any, ...]]:
    received = to_ms(wall)
    # By id, in the order of event ids: PostgreSQL refuses the same row twice in one statement, and
    # two webhooks with the same events in another order would wait for each other for ever.
    found: dict[str, tuple[Any, ...]] = {}
    for raw in events:
        event = read_event(raw)
        at = to_ms(event.at) if event.at > EPOCH else received
        text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"))
        user_id = event.user_id or ""
        kind = event.type.replace("\x00", "")[:TYPE_LENGTH]
        found[event.id] = (event.id, kind, user_id, text, at, received, received)
    return [found[event_id] for event_id in sorted(found)]
