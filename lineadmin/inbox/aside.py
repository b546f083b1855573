"""Events that were set aside: let them run again, or give them up."""

from __future__ import annotations

from datetime import datetime

from lineadmin.db import atomic
from lineadmin.inbox.models import InboundEvent
from lineadmin.staff import audit
from lineadmin.staff.models import Staff


def replay(event_ids: list[int] | None, *, staff: Staff | None, wall: datetime) -> int:
    """Put these events (None: all) back in line, with five new tries; how many there were."""
    return _release("inbox.replay", event_ids, {"handled_at": None}, staff, wall)


def give_up(event_ids: list[int] | None, *, staff: Staff | None, wall: datetime) -> int:
    """Count these events (None: all) as handled without handling them; how many there were."""
    return _release("inbox.drop", event_ids, {"handled_at": wall, "answer": None}, staff, wall)


def _release(
    action: str,
    event_ids: list[int] | None,
    changes: dict[str, object],
    staff: Staff | None,
    wall: datetime,
) -> int:
    which = InboundEvent.set_aside_at.is_null(False)
    if event_ids is not None:
        which &= InboundEvent.id.in_(event_ids)
    with atomic():
        count = int(
            InboundEvent.update(
                set_aside_at=None, tries=0, try_at=wall, lease_until=None, **changes
            )
            .where(which)
            .execute()
        )
        if count:
            after = {"count": count}
            audit.record(staff, action, "inbox", 0, "", None, after, wall=wall)
    return count
