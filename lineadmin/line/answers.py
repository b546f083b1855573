"""What LINE tells us, as small records; and reading it without trusting its shape."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lineadmin.line.errors import LineUnclear


@dataclass(frozen=True)
class SentMessage:
    """One message as it stands in the chat: its id, and the token that quotes it."""

    id: str
    quote_token: str | None = None


@dataclass(frozen=True)
class Accepted:
    """LINE has taken the request.

    `accepted_request_id` is set where an earlier try with the same retry key had been taken (409);
    LINE's statistics know the messages by that one then.
    """

    request_id: str | None
    accepted_request_id: str | None = None
    sent_messages: tuple[SentMessage, ...] = ()

    @property
    def known_as(self) -> str | None:
        """The request id LINE's statistics know this sending by."""
        return self.accepted_request_id or self.request_id


@dataclass(frozen=True)
class Profile:
    """A friend as LINE shows them. Pictures move: refresh rather than keep."""

    user_id: str
    display_name: str
    picture_url: str | None = None
    language: str | None = None
    status_message: str | None = None


@dataclass(frozen=True)
class Person:
    """Whom an id token of LINE Login is about, as LINE itself says."""

    user_id: str
    name: str = ""


@dataclass(frozen=True)
class BotInfo:
    """The official account a token belongs to. `chat_mode` is an open set: chat, bot, …"""

    user_id: str
    basic_id: str
    display_name: str
    premium_id: str | None = None
    picture_url: str | None = None
    chat_mode: str = ""
    mark_as_read_mode: str = ""


@dataclass(frozen=True)
class Quota:
    """Messages this account may send this month; `limit` None means that no limit is set."""

    limit: int | None


@dataclass(frozen=True)
class FriendTotal:
    """How many friends the account had at the end of a day, those who blocked it left out.

    Source: REF#get-number-of-followers, followers minus blocks
    """

    friends: int
    day: date


@dataclass(frozen=True)
class FollowerPage:
    """Some of the account's friends; `next` asks for more."""

    user_ids: tuple[str, ...]
    next: str | None


@dataclass(frozen=True)
class WebhookEndpoint:
    """Where LINE sends events, and whether "Use webhook" is on (only its console can switch it)."""

    url: str
    active: bool


@dataclass(frozen=True)
class WebhookTest:
    """How LINE fared calling our webhook. `reason` is an open set: OK, COULD_NOT_CONNECT, …"""

    success: bool
    status_code: int
    reason: str
    detail: str


@dataclass(frozen=True)
class MediaContent:
    """A picture, film, sound or file a friend sent."""

    data: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


def read_object(data: bytes, request_id: str | None) -> dict[str, Any]:
    """The JSON object LINE answered.

    :raises LineUnclear: it is none; LINE has said yes, but not what
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LineUnclear(200, request_id, "LINE's answer could not be read")
    return found


def read_sent_messages(data: bytes) -> tuple[SentMessage, ...]:
    """The messages in an answer to push or reply; nothing where it cannot be read."""
    try:
        listed = json.loads(data).get("sentMessages", ())
        return tuple(
            SentMessage(str(one["id"]), text_or_none(one.get("quoteToken"))) for one in listed
        )
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return ()


def text_or_none(value: object) -> str | None:
    """`value` where it is a text with something in it."""
    return value if isinstance(value, str) and value else None


def text(value: object) -> str:
    """`value` where it is a text, the empty text otherwise."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """`value` where it is a whole number of a size that can be kept."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if known else None  # type: ignore[return-value]
