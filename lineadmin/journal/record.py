"""Writing facts. Called inside the transaction of what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lineadmin.db import insert_rows
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact

CHUNK = 500
_FIELDS = (
    Fact.friend_id,
    Fact.kind,
    Fact.object_id,
    Fact.value,
    Fact.amount,
    Fact.at,
    Fact.handled_at,
)


def record(
    friend_id: int,
    kind: str,
    *,
    object_id: int = 0,
    value: Any = None,
    amount: int | None = None,
    at: datetime,
) -> None:
    """Write one fact at shop time `at`.

    :raises KeyError: the kind is not in the table of kinds
    """
    handled = None if KINDS[kind].triggers else at
    insert_rows(_FIELDS, [(friend_id, kind, object_id, value, amount, at, handled)])


def record_many(
    friend_ids: Iterable[int],
    kind: str,
    *,
    object_id: int = 0,
    value: Any = None,
    at: datetime,
) -> None:
    """Write the same fact for many friends, in few statements."""
    handled = None if KINDS[kind].triggers else at
    rows = [(friend_id, kind, object_id, value, None, at, handled) for friend_id in friend_ids]
    for start in range(0, len(rows), CHUNK):
        insert_rows(_FIELDS, rows[start : start + CHUNK])


def record_each(
    kind: str,
    rows: Iterable[tuple[int, int, Any, int | None, datetime]],
    *,
    stale: datetime | None = None,
) -> None:
    """Write facts that differ: (friend id, object id, value, amount, at), in few statements.

    :param stale: what happened before it is history and triggers nothing
    """
    triggers = KINDS[kind].triggers
    facts = []
    for friend_id, object_id, value, amount, at in rows:
        waits = triggers and (stale is None or at >= stale)
        facts.append((friend_id, kind, object_id, value, amount, at, None if waits else at))
    for start in range(0, len(facts), CHUNK):
        insert_rows(_FIELDS, facts[start : start + CHUNK])
