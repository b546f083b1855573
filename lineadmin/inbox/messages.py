"""Messages friends wrote, kept for staff to read; and forgotten when a friend takes one back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL, Expression

from lineadmin.db import atomic, insert_ignore, run_sql, to_ms
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.line.parse import Event
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

BY_RULE, BY_STAFF, CLOSED = "rule", "staff", "closed"
UNSEND_WITHIN = timedelta(hours=49)  # LINE allows 24 hours; clocks and queues may add some
TEXT_LENGTH = 5000
# What is worth showing of messages that are no text. The open rest stays in the event's JSON.
_DETAILS = (
    "fileName",
    "fileSize",
    "duration",
    "title",
    "address",
    "latitude",
    "longitude",
    "packageId",
    "stickerId",
    "text",
    "keywords",
)


def keep_message(
    event: Event,
    friend_id: int,
    *,
    at: datetime,
    token_at: datetime | None,
    answered_by: str,
) -> int | None:
    """Keep a message event for staff: its row's id, or None where she took it back already.

    `at` is shop time, `token_at` the real time since which its reply token lives (None: it has no
    living one).
    """
    message_id = event.message_id or f"event-{event.id}"
    new = run_sql(
        "INSERT INTO inbound_message (friend_id, message_id, kind, text, detail, at, reply_token,"
        " token_at, mark_token, answered_by, answered_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (message_id) DO NOTHING RETURNING id",
        friend_id,
        message_id[:64],
        _clean(event.message_type or "")[:20],
        _clean(event.text or "")[:TEXT_LENGTH],
        _detail(event),
        to_ms(at),
        _clean(event.reply_token or "")[:128],
        None if token_at is None else to_ms(token_at),
        _clean(_text(event.message.get("markAsReadToken")))[:128],
        answered_by,
        to_ms(at) if answered_by else None,
    ).fetchone()
    if new is not None:
        return int(new[0])
    kept = InboundMessage.get(InboundMessage.message_id == message_id[:64])
    return None if kept.unsent_at is not None else int(kept.id)


def edit_message(event: Event, *, at: datetime) -> bool:
    """Keep the newest wording of an edited message; False where we know no such message."""
    row = InboundMessage.get_or_none(InboundMessage.message_id == (event.message_id or ""))
    if row is None or row.unsent_at is not None:
        return False
    edited = json.loads(row.detail or "{}").get("editedAt", 0)
    stamp = int(event.at.timestamp() * 1000)
    if not isinstance(edited, int) or stamp < edited:
        return False
    detail = json.dumps({"editedAt": stamp})
    return bool(
        InboundMessage.update(text=_clean(event.text or "")[:TEXT_LENGTH], detail=detail)
        .where(InboundMessage.id == row.id, InboundMessage.unsent_at.is_null())
        .execute()
    )


def take_back(event: Event, friend_id: int | None, *, at: datetime) -> None:
    """Forget what a message said, on staff's screens and in the stored JSON.

    A tombstone stays, so that a message arriving after its own unsend is forgotten as well.
    """
    message_id = event.message_id
    if message_id is None:
        return
    if friend_id is not None:
        tombstone = InboundMessage.insert(
            friend_id=friend_id,
            message_id=message_id[:64],
            kind="",
            at=at,
            answered_by=CLOSED,
            answered_at=at,
            unsent_at=at,
        )
        if not insert_ignore(tombstone):
            InboundMessage.update(
                text="",
                detail="",
                unsent_at=at,
                answered_by=SQL("CASE WHEN answered_by = '' THEN 'closed' ELSE answered_by END"),
            ).where(InboundMessage.message_id == message_id[:64]).execute()
    same_person = InboundEvent.line_user_id == (event.user_id or "")
    said = InboundEvent.select().where(
        same_person,
        InboundEvent.type.in_(("message", "messageEdited")),
        InboundEvent.at >= event.at - UNSEND_WITHIN,
        InboundEvent.raw.contains(f'"id":{json.dumps(message_id, ensure_ascii=False)}'),
    )
    for row in said:
        scrub(row)


def scrub(row: InboundEvent) -> None:
    """Take the content out of a stored message event; that it happened stays."""
    event = _object(json.loads(row.raw))
    message = _object(event.get("message"))
    event["message"] = {"id": message.get("id"), "type": message.get("type"), "unsent": True}
    raw = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    InboundEvent.update(raw=raw).where(InboundEvent.id == row.id).execute()


def was_taken_back(event: Event) -> bool:
    """Whether an unsend of this message is stored already; for groups, which have no tombstones."""
    wanted = f'"messageId":{json.dumps(event.message_id, ensure_ascii=False)}'
    return bool(
        InboundEvent.select(InboundEvent.id)
        .where(
            InboundEvent.line_user_id == (event.user_id or ""),
            InboundEvent.type == "unsend",
            InboundEvent.at >= event.at - UNSEND_WITHIN,
            InboundEvent.raw.contains(wanted),
        )
        .exists()
    )


def reopen(message_id: int) -> None:
    """The rule's reply certainly did not arrive: the message waits for staff again."""
    InboundMessage.update(answered_by="", answered_at=None).where(
        InboundMessage.id == message_id,
        InboundMessage.answered_by == BY_RULE,
        InboundMessage.unsent_at.is_null(),
    ).execute()


def mark_answered(friend_id: int, *, at: datetime, up_to: int | None = None) -> int:
    """Staff answered this friend; how many of her messages that was for.

    :param up_to: the newest message they had seen; later ones stay open
    """
    theirs = _open(friend_id, up_to)
    return int(InboundMessage.update(answered_by=BY_STAFF, answered_at=at).where(theirs).execute())


def close(
    friend_id: int,
    *,
    staff: Staff,
    label: str,
    at: datetime,
    wall: datetime,
    up_to: int | None = None,
) -> int:
    """Staff decided that a friend's open messages need no answer; how many there were.

    :param up_to: the newest message they had seen; later ones stay open
    """
    with atomic():
        closed = (
            InboundMessage.update(answered_by=CLOSED, answered_at=at)
            .where(_open(friend_id, up_to))
            .execute()
        )
        if closed:
            after = {"count": closed}
            audit.record(staff, "message.close", "friend", friend_id, label, None, after, wall=wall)
    return int(closed)


def _open(friend_id: int, up_to: int | None) -> Expression:
    theirs = (InboundMessage.friend_id == friend_id) & SQL("answered_by = ''")
    return theirs if up_to is None else theirs & (InboundMessage.id <= up_to)


def _detail(event: Event) -> str:
    if event.message_type == "text":
        return ""
    told = {key: event.message[key] for key in _DETAILS if key in event.message}
    return json.dumps(told, ensure_ascii=False)[:2000] if told else ""


def _clean(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL keeps no NUL


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
