"""A second person looks: what is above the shop's thresholds leaves only when somebody else agrees.

What was agreed to is known by its hash. Whoever changes a word, the time, the audience or a saved
segment in it has to ask again.
"""

from __future__ import annotations

from datetime import datetime

from lineadmin import settings
from lineadmin.broadcasts import snapshot, states
from lineadmin.broadcasts.confirm import (
    back_to_draft,
    check_numbers,
    leaving,
    needs_approval,
    sum_of,
)
from lineadmin.broadcasts.frozen import hash_of
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get, move, record
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError, NotAllowed
from lineadmin.i18n import _l
from lineadmin.staff import permissions
from lineadmin.staff.models import Staff

LONGEST_NOTE = 200


def waiting(limit: int = 20) -> list[Broadcast]:
    """What waits for somebody's approval, the most urgent first."""
    rows = Broadcast.select().where(Broadcast.state == states.APPROVAL)
    return list(rows.order_by(Broadcast.at, Broadcast.id).limit(limit))


def may_approve(row: Broadcast, staff: Staff) -> bool:
    """Somebody who may send, and who neither wrote nor asked for it."""
    authors = {row.created_by, row.edited_by, row.confirmed_by}
    return permissions.may(staff, "send") and staff.id not in authors


def approve(
    broadcast_id: int,
    *,
    seen_hash: str,
    expected: int,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> Broadcast:
    """Agree to exactly what was seen; the undo window starts now.

    :param seen_hash: the mark of what the person saw on the page
    :param expected: the number of people the person saw; more than that by now is refused
    :raises NotAllowed: the person wrote it, changed it, asked for it, or may not send
    :raises DomainError: its time has passed, or the month's messages do not suffice
    :raises Conflict: it is not what was seen any more; it has to be asked for again
    """
    row = get(broadcast_id)
    if row.state != states.APPROVAL:
        raise Conflict(_l("It does not wait for approval any more."))
    permissions.check(staff, "send")
    if not may_approve(row, staff):
        raise NotAllowed(_l("Whoever wrote it or asked for it can't approve it."))
    if seen_hash != row.frozen_hash or hash_of(row) != row.frozen_hash:
        if hash_of(row) != row.frozen_hash:
            void(row, now=now, wall=wall)
        raise Conflict(_l("It was changed since. Nothing was approved; it has to be asked again."))
    told = check_numbers(row, expected=expected, now=now)
    packed = None if row.estimated is not None else snapshot.take(row, now=now)
    with atomic():
        leaves_at = leaving(row.at, told.will_send, now)
        move(
            row,
            (states.APPROVAL,),
            states.SCHEDULED,
            version=row.version,
            leaves_at=leaves_at,
            expected=told.will_send,
            told=told.as_data(now),
            approved_at=now,
            approved_by=staff.id,
        )
        snapshot.keep(row.id, packed)
        after = {
            "state": states.SCHEDULED,
            "count": told.will_send,
            "at": leaves_at,
            "content": row.frozen_hash,
        }
        record(staff, "approve", row, {"state": states.APPROVAL}, after, wall)
    return get(broadcast_id)


def send_back(
    broadcast_id: int, note: str, *, staff: Staff, now: datetime, wall: datetime
) -> Broadcast:
    """Refuse it with a word to its author: it is a draft again.

    :raises DomainError: the word is missing, or it does not wait any more
    """
    note = " ".join(note.split())
    if not 1 <= len(note) <= LONGEST_NOTE:
        raise DomainError(
            _l("Say in 1 to %(most)s characters what has to change.", most=LONGEST_NOTE),
            field="note",
        )
    permissions.check(staff, "send")
    with atomic():
        row = get(broadcast_id)
        if row.state != states.APPROVAL or not back_to_draft(row, now=now, note=note):
            raise Conflict(_l("It does not wait for approval any more."))
        after = {"state": states.DRAFT, "reason": note}
        record(staff, "send_back", row, {"state": states.APPROVAL}, after, wall)
    return get(broadcast_id)


def void(row: Broadcast, *, now: datetime, wall: datetime) -> None:
    """Take an approval, or the wait for one, back: what was to be approved is not that any more."""
    with atomic():
        changed = (
            Broadcast.update(
                state=states.APPROVAL,
                frozen_hash=hash_of(row),
                approved_at=None,
                approved_by=None,
                leaves_at=None,
                version=Broadcast.version + 1,
            )
            .where(Broadcast.id == row.id, Broadcast.version == row.version)
            .execute()
        )
        if changed:
            before = {"state": row.state}
            record(None, "void_approval", row, before, {"state": states.APPROVAL}, wall)


def still_holds(row: Broadcast, *, now: datetime) -> bool:
    """Whether it may leave as it stands: asked at the moment of leaving.

    An approval has to fit what leaves. What needed none must not have grown beyond the thresholds.
    """
    if row.from_file and row.approved_by is None:
        return True
    if row.approved_by is not None:
        return hash_of(row) == row.frozen_hash
    shop = settings.shop()
    if shop.approval_recipients is None and shop.approval_twd is None:
        return True
    return not needs_approval(sum_of(row, now=now), shop)
