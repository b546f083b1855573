"""The records of the world: account, people, what was sent and said, tokens, keys and calls."""

from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Any, Literal

LINE_ZONE = timezone(timedelta(hours=9))  # delivery counts and months are kept in UTC+9
MINUTE_MS = 60_000
DAY_MS = 86_400_000
NON_FRIEND_MS = 7 * DAY_MS
RETRY_KEY_MS = DAY_MS
REPLY_MS = MINUTE_MS
REPLY_REDELIVERED_MS = 20 * MINUTE_MS

Status = Literal["friend", "blocked", "stranger"]


@dataclass(slots=True)
class Account:
    """The official account and the switches of its owner's consoles."""

    user_id: str
    basic_id: str
    display_name: str = "示範商店"
    verified: bool = False
    chat_mode: str = "bot"
    mark_as_read_mode: str = "auto"
    endpoint: str | None = None
    webhook_active: bool = True
    redelivery: bool = False
    redelivery_delays_ms: list[int] = field(default_factory=lambda: [1000, 5000, 20_000, 60_000])
    quota_type: str = "none"
    quota_value: int = 0
    used: int = 0
    used_month: str = ""
    clock_offset_ms: int = 0
    limits_offset_ms: int = 0
    narrowcast_waiting_ms: int = 0  # until one leaves, in real time
    narrowcast_sending_ms: int = 0  # until it is done
    narrowcast_error: int = 0  # the next ones fail with this errorCode
    audience_ms: int = 0  # until an audience, or what is added to it, is ready


@dataclass(slots=True)
class Sent:
    """One accepted request; every phone it reached points at this one object."""

    seq: int
    how: str
    request_id: str
    at_ms: int
    message_id: int  # of the first message; the others follow
    messages: list[dict[str, Any]]
    users: list[str]
    silent: bool = False


@dataclass(slots=True)
class Said:
    """Something on the friend's side of a chat: a message, a tap, following, blocking."""

    seq: int
    user_id: str
    at_ms: int
    kind: Literal["message", "displayed", "system"]
    message_id: str
    content: dict[str, Any]
    unsent: bool = False


@dataclass(slots=True)
class Phone:
    """One person's LINE app, as far as this account is concerned."""

    user_id: str
    name: str
    status: Status = "friend"
    picture_url: str | None = None
    status_message: str | None = None
    language: str | None = "zh-Hant"
    os: str = "ios"
    pinned: bool = False
    ever_followed: bool = False
    followed_ms: int | None = None  # shop time
    spoke_ms: int | None = None
    loading_until_ms: int = 0
    read_upto: str | None = None
    estimates: dict[str, Any] | None = None  # instead of those drawn from the id
    items: list[Sent | Said] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """What is stored; the chat is stored item by item."""
        names = (f for f in self.__slots__ if f != "items")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class ReplyToken:
    """The right to one free reply."""

    token: str
    user_id: str
    event_ms: int
    received_ms: int | None = None
    redelivered: bool = False
    used: bool = False

    def alive(self, now_ms: int) -> bool:
        """Whether a reply with it would be accepted."""
        if self.used or self.received_ms is None or now_ms - self.received_ms > REPLY_MS:
            return False
        return not (self.redelivered and now_ms - self.event_ms > REPLY_REDELIVERED_MS)


@dataclass(slots=True)
class RetryKey:
    """What is remembered about an X-Line-Retry-Key from its first request on."""

    key: str
    endpoint: str
    fingerprint: str
    first_ms: int
    request_id: str | None = None  # set once accepted
    sent_messages: list[dict[str, str]] | None = None


@dataclass(slots=True)
class Call:
    """One request as the call log shows it."""

    n: int  # numbered when it ends, so that none is missed by asking for those after n
    at_ms: int
    endpoint: str
    method: str
    path: str
    status: int  # 0 = the connection was closed without an answer
    request_id: str
    retry_key: str | None = None
    accepted_request_id: str | None = None
    recipients: int = 0
    delivered: int = 0
    messages: int = 0
    fault: str | None = None
    error: str | None = None
    took_ms: float = 0.0
