"""What staff look up: messages nobody answered, and events that were set aside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL, fn

from lineadmin.friends import queries as friends
from lineadmin.i18n import _, _l
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.outbox.models import Reply

COUNT_LIMIT = 1000

# What stands for a message that is no text; an open set, LINE adds kinds without notice.
KINDS: dict[str, Any] = {
    "text": _l("Text"),
    "image": _l("Picture"),
    "video": _l("Video"),
    "audio": _l("Voice message"),
    "file": _l("File"),
    "location": _l("Location"),
    "sticker": _l("Sticker"),
}


@dataclass(frozen=True)
class OpenMessage:
    """A message that waits for staff."""

    id: int
    friend_id: int
    friend_name: str
    words: str
    at: datetime  # LINE's timestamp
    token_lives: bool  # an answer is free right now


def unanswered(limit: int, *, wall: datetime | None = None) -> list[OpenMessage]:
    """The newest messages that neither a rule nor staff have answered."""
    rows = list(
        InboundMessage.select()
        .where(SQL("answered_by = ''"))
        .order_by(InboundMessage.at.desc())
        .limit(limit)
    )
    names = friends.names_of({row.friend_id for row in rows})
    return [
        OpenMessage(
            id=row.id,
            friend_id=row.friend_id,
            friend_name=names.get(row.friend_id, "") or _("(no name yet)"),
            words=words_of(row),
            at=row.at,
            token_lives=bool(wall and row.token_at and wall - row.token_at < timedelta(minutes=1)),
        )
        for row in rows
    ]


def unanswered_count(limit: int = COUNT_LIMIT) -> int:
    """How many messages wait; limit + 1 stands for more."""
    return int(
        InboundMessage.select(InboundMessage.id)
        .where(SQL("answered_by = ''"))
        .limit(limit + 1)
        .count(clear_limit=False)
    )


def messages_of(friend_id: int, limit: int) -> list[InboundMessage]:
    """What one friend wrote, newest first."""
    return list(
        InboundMessage.select()
        .where(InboundMessage.friend_id == friend_id)
        .order_by(InboundMessage.at.desc())
        .limit(limit)
    )


def open_of(friend_id: int) -> InboundMessage | None:
    """The newest message of one friend that waits for staff."""
    row: InboundMessage | None = (
        InboundMessage.select()
        .where(InboundMessage.friend_id == friend_id, SQL("answered_by = ''"))
        .order_by(InboundMessage.id.desc())
        .first()
    )
    return row


def answerable(friend_id: int, *, wall: datetime, good_for: timedelta) -> InboundMessage | None:
    """The newest message of a friend whose reply token nobody has used and LINE still takes."""
    used = Reply.select(Reply.id).where(Reply.reply_token == InboundMessage.reply_token)
    row: InboundMessage | None = (
        InboundMessage.select()
        .where(
            InboundMessage.friend_id == friend_id,
            InboundMessage.reply_token != "",
            InboundMessage.token_at > wall - good_for,
            ~fn.EXISTS(used),
        )
        .order_by(InboundMessage.at.desc())
        .first()
    )
    return row


def set_aside(limit: int) -> list[InboundEvent]:
    """Events that failed five times, newest first."""
    return list(
        InboundEvent.select()
        .where(SQL("set_aside_at IS NOT NULL"))
        .order_by(InboundEvent.id.desc())
        .limit(limit)
    )


def set_aside_count(limit: int = COUNT_LIMIT) -> int:
    """How many events are set aside; limit + 1 stands for more."""
    return int(
        InboundEvent.select(InboundEvent.id)
        .where(SQL("set_aside_at IS NOT NULL"))
        .limit(limit + 1)
        .count(clear_limit=False)
    )


def words_of(message: InboundMessage) -> str:
    """A message in one line: its text, or what kind of thing it is and what is known of it."""
    if message.unsent_at is not None:
        return _("(taken back by the friend)")
    if message.kind == "text":
        return str(message.text)
    label = kind_label(message.kind)
    about = _about(message)
    return f"［{label}］{about}" if about else f"［{label}］"


def kind_label(kind: str) -> str:
    """The name of a kind of message; one LINE invented yesterday keeps LINE's name."""
    return str(KINDS.get(kind, kind or _("unknown")))


def _about(message: InboundMessage) -> str:
    try:
        detail = json.loads(message.detail or "{}")
    except ValueError:
        return ""
    told = [detail.get(key) for key in ("fileName", "title", "address")]
    if message.kind == "sticker":
        told = [detail.get("text"), *(detail.get("keywords") or [])[:1]]
    return " ".join(word for word in told if isinstance(word, str) and word)[:200]
