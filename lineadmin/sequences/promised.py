"""Steps that are still to come today, for broadcasts that must leave them their place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin.db import to_ms
from lineadmin.friends.models import Friend
from lineadmin.outbox import promises
from lineadmin.sequences.models import Enrolment, Sequence


def steps_to_come(priority: int, until: datetime) -> Any:
    """How many steps of running sequences that go first a `Friend` gets before `until`."""
    return (
        Enrolment.select(fn.COUNT(Enrolment.id))
        .join(Sequence)
        .where(
            Enrolment.friend_id == Friend.id,
            Enrolment.state == "active",
            Enrolment.next_at < to_ms(until),
            Sequence.enabled,
            Sequence.archived_at.is_null(),
            Sequence.priority < priority,
        )
    )


promises.register("steps", steps_to_come)
