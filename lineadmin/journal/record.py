"""Writing facts. Called inside the transaction of what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lineadmin.db import insert_rows
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact

CHUNK = 500


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
    Fact.insert(
        friend_id=friend_id,
        kind=kind,
        object_id=object_id,
        value=value,
        amount=amount,
        at=at,
        handled_at=handled,
    ).execute()


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
    fields = [Fact.friend_id, Fact.kind, Fact.object_id, Fact.value, Fact.at, Fact.handled_at]
    rows = [(friend_id, kind, object_id, value, at, handled) for friend_id in friend_ids]
    for start in range(0, len(rows), CHUNK):
        insert_rows(fields, rows[start : start + CHUNK])
