"""Dry runs in tests: what they find, and whether anything of them stayed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from lineadmin import config
from lineadmin.db import db
from lineadmin.models import MODELS
from lineadmin.outbox.models import Delivery
from lineadmin.outbox.protocol import Prepare
from lineadmin.sequences import actions, dry_run
from lineadmin.sequences.dry_run import Outlook
from lineadmin.sequences.models import Sequence
from lineadmin.tasks.sending import preparer
from tests.sequences.stage import TAIPEI


def prepare_at(moment: datetime) -> Prepare:
    return preparer(config.current(), lambda: moment)


def rehearse(sequence: Sequence, whom: Any, *, now: datetime) -> Outlook:
    """A dry run of what the editor shows."""
    definition = actions.definition_of(sequence)
    return dry_run.rehearse(sequence, definition, whom, now=now, prepare=prepare_at)


def everything() -> str:
    """A hash of every row of every table."""
    digest = hashlib.sha256()
    for model in MODELS:
        names = ", ".join(f'"{field.column_name}"' for field in model._meta.sorted_fields)
        table = model._meta.table_name
        rows = db.execute_sql(f'SELECT {names} FROM "{table}"').fetchall()
        for row in sorted(map(repr, rows)):
            digest.update(f"{table}{row}".encode())
    return digest.hexdigest()


def told(outlook: Outlook) -> list[tuple[int, str, str]]:
    """(step, when it leaves on the shop's clock, why not) of its own messages."""
    return [
        (one.step, f"{one.at.astimezone(TAIPEI):%m-%d %H:%M}", "" if one.sent else one.reason)
        for one in outlook.own
    ]


def rows_of(friend_id: int) -> list[tuple[Any, ...]]:
    """What the deliveries of a friend say, without their numbers."""
    return [
        (
            row.origin_id,
            row.origin_run,
            row.due_at,
            row.expires_at,
            int(row.state),
            row.reason,
            row.detail,
            None if row.content is None else row.content.parts,
            row.done_at,
        )
        for row in Delivery.select()
        .where(Delivery.friend_id == friend_id)
        .order_by(Delivery.due_at, Delivery.id)
    ]
