"""A member of staff answers one friend: free by reply token, or as a push that counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _l
from lineadmin.line.gateway import Gateway
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.prepare import prepare_one
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.outbox.models import Content, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import queue_one
from lineadmin.outbox.replies import ReplyOutcome, reply_once
from lineadmin.replies.greeting import checked
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

STAFF = "staff"  # origin of the reply
PRIORITY = 1  # a person is waiting
STAYS_FRESH = timedelta(hours=24)


def parts_of(text: str, *, now: datetime, public_url: str | None) -> list[dict[str, Any]]:
    """What staff typed as parts, word for word: braces are no placeholders here.

    :raises DomainError: nothing was typed, or more than LINE takes; field "text"
    """
    clean = text.replace("\r\n", "\n").strip()
    if not clean:
        raise DomainError(_l("Write something first."), field="text")
    literal = clean.replace("{", "{{").replace("}", "}}")
    return checked("text", [{"text": literal}], now=now, public_url=public_url)


def answer_free(
    friend: Friend,
    parts: list[dict[str, Any]],
    *,
    reply_token: str,
    token_at: datetime,
    staff: Staff,
    gateway: Gateway,
    public_url: str | None,
    now: datetime,
    wall: datetime,
) -> ReplyOutcome:
    """Answer by the token of something she did within the last minute; call it outside
    transactions. `dropped`: certainly not sent, a push may follow; `unknown`: she may have it.

    :param token_at: real time at which the token reached us
    :raises DomainError: she has blocked the account
    """
    _refuse_blocked(friend)
    kept = _kept(parts, now)
    with atomic():
        prepared = prepare_one(
            parts,
            friend_id=friend.id,
            name=friend.display_name or None,
            origin=STAFF,
            origin_id=staff.id,
            public_url=public_url,
            now=now,
        )
    outcome = reply_once(
        friend.id,
        reply_token,
        token_at,
        prepared.messages or [],
        content=kept,
        origin=STAFF,
        origin_id=staff.id,
        gateway=gateway,
        now=now,
        wall=wall,
    )
    if not outcome.dropped:
        _record(staff, friend, kept, {"free": True}, wall)
    return outcome


def answer_push(
    friend: Friend,
    parts: list[dict[str, Any]],
    *,
    number: int,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> bool:
    """Queue the answer as a message that counts; False where it was queued before.

    :param number: chosen at random when the answer was written: pressed twice, sent once
    :raises DomainError: she has blocked the account
    """
    _refuse_blocked(friend)
    with atomic():
        kept = _kept(parts, now)
        queued = queue_one(
            friend.id,
            Origin(OriginKind.STAFF, number),
            kept,
            due_at=now,
            expires_at=now + STAYS_FRESH,
            priority=PRIORITY,
            now=now,
        )
        if queued:
            _record(staff, friend, kept, {"free": False}, wall)
    return queued


def _refuse_blocked(friend: Friend) -> None:
    if friend.status == BLOCKED:
        raise DomainError(_l("She has blocked the account: LINE delivers nothing to her."))


def _kept(parts: list[dict[str, Any]], now: datetime) -> Content:
    parsed = parse_parts(parts)
    return content.store(parts, personal=is_personal(parsed), summary=summarise(parsed), now=now)


def _record(
    staff: Staff, friend: Friend, kept: Content, how: dict[str, Any], wall: datetime
) -> None:
    after = {"text": kept.summary, **how}
    name = friend.display_name
    audit.record(staff, "message.answer", "friend", friend.id, name, None, after, wall=wall)
