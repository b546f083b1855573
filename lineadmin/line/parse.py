"""Reading webhooks. LINE adds events, fields and values without notice: nothing here minds.

The event is kept as LINE sent it; `Event` only looks at it. Whatever is absent or of another type
than expected reads as None, so a rule simply does not apply.
Source: https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects (2026-08-07)
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from lineadmin.line.limits import USER_ID_PATTERN

EVENT_ID_CHARACTERS = 64  # a ULID has 26
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253402300799999  # the end of the year 9999
_USER_ID = re.compile(USER_ID_PATTERN)


class BadWebhook(ValueError):
    """The body is not what LINE sends: not JSON, or events that are no events."""


def parse_webhook(body: bytes) -> list[dict[str, Any]]:
    """The events of a webhook body, as LINE sent them. Empty for LINE's "Verify" button.

    Each has a `webhookEventId`: one that came without gets a name made of its content, so that a
    redelivery is still recognised.

    :raises BadWebhook: not JSON, `events` is no list of objects, or a basic field is of another
        type than LINE's
    """
    found = _read_json(body)
    if not isinstance(found, dict):
        raise BadWebhook("the body is not an object")
    events = found.get("events")
    if not isinstance(events, list):
        raise BadWebhook("events is not a list")
    for event in events:
        _check_event(event)
        if event.get("webhookEventId") is None:
            event["webhookEventId"] = _made_up_id(event)
    return events


@dataclass(frozen=True)
class Event:
    """One thing that happened in LINE.

    `user_id` is None where LINE names nobody we could know; `at` is LINE's own time of it.
    """

    raw: dict[str, Any] = field(repr=False)
    id: str = ""
    type: str = ""
    mode: str = ""
    at: datetime = _EPOCH
    source_kind: str = ""
    user_id: str | None = None
    group_id: str | None = None
    reply_token: str | None = None
    is_redelivery: bool = False

    @property
    def is_active(self) -> bool:
        """False in standby: somebody else leads the chat, and nothing may be sent."""
        return self.mode != "standby"

    @property
    def is_one_to_one(self) -> bool:
        """True in the friend's own chat with the account, false in groups and rooms."""
        return self.source_kind == "user"

    @property
    def message(self) -> dict[str, Any]:
        """The message object; empty where there is none."""
        return _object(self.raw.get("message"))

    @property
    def message_id(self) -> str | None:
        """The id of the message sent, edited or unsent."""
        if self.type == "unsend":
            return _text(_object(self.raw.get("unsend")).get("messageId"))
        return _text(self.message.get("id"))

    @property
    def message_type(self) -> str | None:
        """text, image, sticker, …; an open set."""
        return _text(self.message.get("type"))

    @property
    def text(self) -> str | None:
        """What the friend wrote, in a text message."""
        return _text(self.message.get("text")) if self.message_type == "text" else None

    @property
    def sticker(self) -> tuple[str, str] | None:
        """Package and sticker id of a sticker message."""
        package, sticker = self.message.get("packageId"), self.message.get("stickerId")
        if self.message_type != "sticker" or not _text(package) or not _text(sticker):
            return None
        return str(package), str(sticker)

    @property
    def has_line_content(self) -> bool:
        """True when LINE holds a file for this message that can be fetched."""
        if self.message_type == "file":
            return True
        provider = _object(self.message.get("contentProvider"))
        return self.message_type in ("image", "video", "audio") and provider.get("type") == "line"

    @property
    def location(self) -> tuple[float, float] | None:
        """Latitude and longitude of a location message."""
        latitude, longitude = self.message.get("latitude"), self.message.get("longitude")
        if self.message_type != "location" or not _number(latitude) or not _number(longitude):
            return None
        return float(latitude), float(longitude)

    @property
    def address(self) -> str:
        """What LINE calls the place of a location message, in the language of her phone."""
        told = _text(self.message.get("address")) if self.message_type == "location" else None
        return told or ""

    @property
    def postback_data(self) -> str | None:
        """The data of the button a friend tapped."""
        return _text(_object(self.raw.get("postback")).get("data"))

    @property
    def postback_params(self) -> dict[str, Any]:
        """What a date picker or a menu switch adds to a postback."""
        return _object(_object(self.raw.get("postback")).get("params"))

    @property
    def is_unblocked(self) -> bool:
        """For a follow: the friend had blocked us before. LINE says it is not fully accurate."""
        return _object(self.raw.get("follow")).get("isUnblocked") is True


def read_event(raw: object) -> Event:
    """An `Event` over anything at all. Never raises."""
    event = _object(raw)
    source = _object(event.get("source"))
    user_id = source.get("userId")
    return Event(
        raw=event,
        id=_text(event.get("webhookEventId")) or "",
        type=_text(event.get("type")) or "",
        mode=_text(event.get("mode")) or "",
        at=_moment(event.get("timestamp")),
        source_kind=_text(source.get("type")) or "",
        user_id=user_id if isinstance(user_id, str) and _USER_ID.fullmatch(user_id) else None,
        group_id=_text(source.get("groupId")) or _text(source.get("roomId")),
        reply_token=_text(event.get("replyToken")),
        is_redelivery=_object(event.get("deliveryContext")).get("isRedelivery") is True,
    )


def _check_event(event: object) -> None:
    if not isinstance(event, dict):
        raise BadWebhook("an event is not an object")
    event_id = event.get("webhookEventId")
    if event_id is not None and not (
        isinstance(event_id, str)
        and 0 < len(event_id) <= EVENT_ID_CHARACTERS
        and event_id.isprintable()
    ):
        raise BadWebhook("a webhookEventId is not an id")
    if not isinstance(event.get("type", ""), str):
        raise BadWebhook("an event's type is not a text")
    timestamp = event.get("timestamp")
    if timestamp is not None and not _number(timestamp):
        raise BadWebhook("a timestamp is not a number")
    for name in ("source", "message", "deliveryContext"):
        if not isinstance(event.get(name, {}), dict | None):
            raise BadWebhook(f"{name} is not an object")


def _read_json(body: bytes) -> object:
    try:
        written = body.decode("utf-8")
        found = json.loads(written, parse_constant=_refuse_constant)
        if "\\ud" in written.lower():
            # Half an emoji, cut in two somewhere, is JSON but could not be stored as UTF-8.
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadWebhook("the body is not JSON") from None
    return found


def _refuse_constant(name: str) -> None:
    raise BadWebhook(f"{name} is not JSON")


def _made_up_id(event: dict[str, Any]) -> str:
    lasting = {name: value for name, value in event.items() if name != "deliveryContext"}
    content = json.dumps(lasting, sort_keys=True, ensure_ascii=True).encode()
    return "made-" + hashlib.sha256(content).hexdigest()[:32]


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _moment(value: object) -> datetime:
    if not _number(value) or not 0 <= value <= _LATEST_MS:
        return _EPOCH
    return _EPOCH + timedelta(milliseconds=int(value))
