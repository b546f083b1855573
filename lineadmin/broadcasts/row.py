"""One broadcast: found, moved from state to state by a conditional update, and put on record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff


def get(broadcast_id: int) -> Broadcast:
    """
    :raises DomainError: there is none with this id
    """
    row: Broadcast | None = Broadcast.get_or_none(Broadcast.id == broadcast_id)
    if row is None:
        raise DomainError(_l("This broadcast does not exist any more."))
    return row


def move(
    row: Broadcast,
    from_states: tuple[str, ...],
    to: str,
    *,
    version: int | None = None,
    **fields: Any,
) -> None:
    """:raises DomainError: it is in none of `from_states` any more"""
    condition = (Broadcast.id == row.id) & Broadcast.state.in_(from_states)
    if version is not None:
        condition &= Broadcast.version == version
    changed = (
        Broadcast.update(state=to, version=Broadcast.version + 1, **fields)
        .where(condition)
        .execute()
    )
    if not changed:
        now_in = get(row.id).state
        raise Conflict(
            _(
                "That is not possible any more. Its state is now: %(state)s.",
                state=states.label(now_in),
            )
        )


def record(
    staff: Staff | None, verb: str, row: Broadcast, before: Any, after: Any, wall: datetime
) -> None:
    audit.record(
        staff, f"broadcast.{verb}", "broadcast", row.id, row.name, before, after, wall=wall
    )
