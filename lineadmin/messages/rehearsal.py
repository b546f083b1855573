"""A test send: the message as it is, to the own LINE of whoever writes it."""

from __future__ import annotations

from datetime import datetime

from lineadmin.db import atomic, to_ms
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _l
from lineadmin.messages.check import require_sendable
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import queue_one
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

PRIORITY = 5
_RUNS = 2**31


def send_test(
    parts_json: object,
    *,
    staff: Staff,
    now: datetime,
    wall: datetime,
    public_url: str | None,
) -> Friend:
    """Queue the message for the staff member's own LINE; it counts as one message of the month.

    What she gets is real: coupons in it are issued to her. Pressing twice within a second sends
    once. Answers whose LINE it goes to.

    :raises DomainError: no LINE is linked to this person, it has blocked the account, or the
        message cannot be sent
    """
    friend: Friend | None = None
    if staff.friend_id is not None:
        friend = Friend.get_or_none(Friend.id == staff.friend_id)
    if friend is None:
        raise DomainError(_l("Link your own LINE in your profile first."))
    if friend.status == BLOCKED:
        raise DomainError(_l("Your own LINE has blocked the account."))
    parts = parse_parts(parts_json)
    require_sendable(parts, now=now, public_url=public_url)
    stored = content.store(
        dump_parts(parts), personal=is_personal(parts), summary=summarise(parts), now=now
    )
    with atomic():
        queued = queue_one(
            friend.id,
            Origin(OriginKind.TEST, staff.id, to_ms(wall) // 1000 % _RUNS),
            stored,
            due_at=now,
            priority=PRIORITY,
            now=now,
        )
        if queued:
            audit.record(
                staff,
                "message.test",
                "message",
                stored.id,
                stored.summary,
                after={"friend": friend.display_name},
                wall=wall,
            )
    return friend
