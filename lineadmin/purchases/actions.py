"""What staff do with a recorded purchase: move an order on, take a purchase back, answer wishes."""

from __future__ import annotations

from datetime import datetime

from lineadmin import journal
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _l
from lineadmin.purchases import notices, record
from lineadmin.purchases.entry import tidy
from lineadmin.purchases.models import ChangeRequest, Purchase
from lineadmin.purchases.states import STATUSES, UNDERWAY
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LONGEST_WISH = 300
OPEN, ANSWERED, DECLINED = "open", "done", "declined"


def find(purchase_id: int) -> Purchase:
    """:raises DomainError: there is none"""
    row: Purchase | None = Purchase.get_or_none(Purchase.id == purchase_id)
    if row is None:
        raise DomainError(_l("There is no such purchase."))
    return row


def set_status(
    purchase_id: int,
    status: str,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> bool:
    """Move an order on; the friend is told where the shop has switched notices on. False where it
    was so already.

    :param version: what the page was opened with; None skips the check
    :raises Conflict: somebody else changed it meanwhile
    :raises DomainError: no such status, or the purchase was taken back
    """
    if status not in STATUSES:
        raise DomainError(_l("Choose a status."), field="status")
    with atomic():
        row = find(purchase_id)
        if row.voided_at is not None:
            raise DomainError(_l("This purchase was taken back; it can no longer be changed."))
        if row.status == status:
            return False
        won = (
            Purchase.update(version=Purchase.version + 1)
            .where(
                Purchase.id == row.id,
                Purchase.version == (row.version if version is None else version),
                Purchase.voided_at.is_null(),
            )
            .execute()
        )
        if not won:
            raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        record.move(row, status, staff=staff, now=now)
        before, after = {"state": row.status}, {"state": status}
        audit.record(
            staff, "purchase.status", "purchase", row.id, row.receipt_no, before, after, wall=wall
        )
    return True


def void(
    purchase_id: int, *, reason: str, staff: Staff | None, now: datetime, wall: datetime
) -> None:
    """Take a purchase out of every count, for good; it stays in the lists with its reason.

    :raises DomainError: no reason given, or it was taken back before
    """
    reason = tidy(reason)[:200]
    if not reason:
        raise DomainError(_l("Say in a few words why."), field="reason")
    with atomic():
        row = find(purchase_id)
        if not record.take_back(row, reason, staff=staff, now=now):
            raise DomainError(_l("This purchase was taken back before."))
        audit.record(
            staff,
            "purchase.void",
            "purchase",
            row.id,
            row.receipt_no,
            {"amount": row.amount},
            {"amount": None},
            wall=wall,
            reason=reason,
        )


def ask_change(purchase: Purchase, words: str, *, now: datetime) -> bool:
    """The friend asks for a change of her order; a task for staff. False where one is open already.

    :raises DomainError: nothing said, or the order is past changing
    """
    words = tidy(words)
    if not words:
        raise DomainError(_l("Write what should be changed."), field="words")
    if len(words) > LONGEST_WISH:
        raise DomainError(_l("Please make it shorter: at most 300 characters."), field="words")
    if purchase.voided_at is not None or purchase.status not in UNDERWAY:
        raise DomainError(_l("This order can no longer be changed. Please write to us."))
    with atomic():
        insert = ChangeRequest.insert(purchase=purchase.id, at=now, words=words)
        if not insert_ignore(insert):
            return False
        value = {"receipt": purchase.receipt_no, "words": words}
        journal.record(
            purchase.friend_id, "purchase.asked", object_id=purchase.id, value=value, at=now
        )
    return True


def answer_change(
    request_id: int,
    *,
    granted: bool,
    words: str,
    send: bool,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> ChangeRequest:
    """Answer a wish once: it stands on the friend's page and, with `send`, goes out as a message.

    :raises DomainError: it was answered before, or there is nothing to send
    """
    words = tidy(words)[:LONGEST_WISH]
    if (send or not granted) and not words:
        raise DomainError(_l("Write an answer first."), field="answer")
    with atomic():
        won = (
            ChangeRequest.update(
                state=ANSWERED if granted else DECLINED,
                answer=words,
                answered_by=staff.id,
                answered_at=now,
            )
            .where(ChangeRequest.id == request_id, ChangeRequest.answered_at.is_null())
            .execute()
        )
        if not won:
            raise DomainError(_l("Somebody has answered this already."))
        wish: ChangeRequest = ChangeRequest.get_by_id(request_id)
        row = find(wish.purchase_id)
        value = {"receipt": row.receipt_no, "words": words, "staff": staff.id}
        journal.record(row.friend_id, "purchase.answered", object_id=row.id, value=value, at=now)
        if send:
            notices.answer(row, wish, now=now)
        audit.record(
            staff,
            "purchase.answer",
            "purchase",
            row.id,
            row.receipt_no,
            {"state": OPEN},
            {"state": wish.state, "text": words},
            wall=wall,
        )
    return wish
