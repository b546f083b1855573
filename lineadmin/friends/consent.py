"""不再通知: a friend may refuse steps and broadcasts without blocking the account.

Nothing in the product overrides it: planning leaves such friends out, packing looks again.
"""

from __future__ import annotations

from datetime import datetime

from lineadmin import journal
from lineadmin.db import atomic
from lineadmin.friends.models import Friend
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

BY_FRIEND, BY_STAFF, BY_CSV = "friend", "staff", "csv"


def opt_out(
    friend_id: int, *, by: str, at: datetime, wished_at: datetime, staff: Staff | None = None
) -> bool:
    """Send this friend no more steps and broadcasts; False where that was so already.

    :param by: friend | staff | csv
    :param at: shop time
    :param wished_at: real time; a wish older than her latest one (an event that came late) is void
    """
    with atomic():
        changed = (
            Friend.update(opted_out_at=at, opted_out_by=by, consent_at=wished_at)
            .where(
                Friend.id == friend_id,
                Friend.opted_out_at.is_null(),
                Friend.consent_at <= wished_at,
            )
            .execute()
        )
        if changed:
            journal.record(friend_id, "opted_out", value={"by": by}, at=at)
            _audit(staff, "friend.opt_out", friend_id, wished_at)
    return bool(changed)


def opt_in(
    friend_id: int, *, by: str, at: datetime, wished_at: datetime, staff: Staff | None = None
) -> bool:
    """Allow steps and broadcasts again; False where they were allowed already. See `opt_out`."""
    with atomic():
        changed = (
            Friend.update(opted_out_at=None, opted_out_by="", consent_at=wished_at)
            .where(
                Friend.id == friend_id,
                Friend.opted_out_at.is_null(False),
                Friend.consent_at <= wished_at,
            )
            .execute()
        )
        if changed:
            journal.record(friend_id, "opted_in", value={"by": by}, at=at)
            _audit(staff, "friend.opt_in", friend_id, wished_at)
    return bool(changed)


def _audit(staff: Staff | None, action: str, friend_id: int, wall: datetime) -> None:
    if staff is None:
        return
    name = Friend.select(Friend.display_name).where(Friend.id == friend_id).scalar() or ""
    audit.record(staff, action, "friend", friend_id, name, wall=wall)
