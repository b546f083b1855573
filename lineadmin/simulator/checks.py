"""Request checks as strict as LINE: what is wrong with a send request, as a list of problems.

Source: Messaging API reference, "Message objects" and the send endpoints. Nothing here looks at
the state of the world; whether a recipient exists is the endpoint's business.
"""

import re
from typing import Any

from lineadmin.simulator.action_checks import (
    QUICK_REPLY,
    check_action,
)
from lineadmin.simulator.card_checks import MAX_ALT_TEXT, check_imagemap, check_template
from lineadmin.simulator.flex_checks import check_container
from lineadmin.simulator.shapes import (
    Check,
    Details,
    integer,
    items,
    known_only,
    matches,
    media_url,
    note,
    number,
    one_of,
    text,
    utf16_length,
)

MAX_MESSAGES = 5
MAX_TEXT = 5000
MAX_QUICK_REPLIES = 13
MAX_MULTICAST = 500

_UNIT = re.compile(r"[a-zA-Z0-9_]{1,30}")
_COUPON_TAG = re.compile(r"[a-zA-Z0-9_]{1,30}")
_TRACKING = re.compile(r"[a-zA-Z0-9\-.=,+*()%$&;:@{}!?<>\[\]]{1,100}")
_KEY = re.compile(r"[0-9a-zA-Z_]{1,20}")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

# Source: "List of available stickers"; package -> first and last sticker
STICKERS: dict[str, tuple[int, int]] = {
    "446": (1988, 2027),
    "789": (10855, 10894),
    "1070": (17839, 17878),
    "6136": (10551376, 10551399),
    "6325": (10979904, 10979927),
    "6359": (11069848, 11069871),
    "6362": (11087920, 11087943),
    "6370": (11088016, 11088039),
    "6632": (11825374, 11825397),
    "8515": (16581242, 16581265),
    "8522": (16581266, 16581289),
    "8525": (16581290, 16581313),
    "11537": (52002734, 52002779),
    "11538": (51626494, 51626533),
    "11539": (52114110, 52114149),
}

SEND_PROPERTIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # required, optional
    "reply": (("replyToken", "messages"), ("notificationDisabled",)),
    "push": (("to", "messages"), ("notificationDisabled", "customAggregationUnits")),
    "multicast": (("to", "messages"), ("notificationDisabled", "customAggregationUnits")),
    "broadcast": (("messages",), ("notificationDisabled",)),
    "narrowcast": (("messages",), ("notificationDisabled", "recipient", "filter", "limit")),
    "validate": (("messages",), ()),
}


def check_send(kind: str, body: Any) -> Details:
    """Problems of a whole send request; recipients are only looked at by the endpoint."""
    out: Details = []
    if not isinstance(body, dict):
        return [{"message": "must be an object", "property": ""}]
    required, optional = SEND_PROPERTIES[kind]
    for name in required:
        if body.get(name) is None:
            note(out, name, "must be specified")
    for name in body:
        if name not in required and name not in optional:
            note(out, name, "unknown property")
    value = body.get("notificationDisabled")
    if value is not None and not isinstance(value, bool):
        note(out, "notificationDisabled", "must be a boolean")
    _check_units(body.get("customAggregationUnits"), out)
    if body.get("messages") is not None:
        check_messages(body["messages"], out, quotes=kind in ("reply", "push", "validate"))
    return out


def _check_units(value: Any, out: Details) -> None:
    if value is None:
        return
    if not isinstance(value, list) or len(value) > 1:
        note(out, "customAggregationUnits", "Size must be between 0 and 1")
    elif value and not (isinstance(value[0], str) and _UNIT.fullmatch(value[0])):
        note(out, "customAggregationUnits[0]", "invalid property")


def check_messages(value: Any, out: Details, *, quotes: bool = True) -> None:
    """Problems of a ``messages`` array; ``quotes``: whether quoting a message is allowed here."""
    if not isinstance(value, list):
        note(out, "messages", "must be an array")
        return
    if not 1 <= len(value) <= MAX_MESSAGES:
        note(out, "messages", f"Size must be between 1 and {MAX_MESSAGES}")
    for index, message in enumerate(value[: MAX_MESSAGES + 1]):
        check_message(message, f"messages[{index}]", out, quotes=quotes)


def check_message(value: Any, path: str, out: Details, *, quotes: bool = True) -> None:
    """Problems of one message object."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in MESSAGES:
        note(out, f"{path}.type", f"Must be one of the following values: {list(MESSAGES)}")
        return
    required, optional, check = MESSAGES[kind]
    known_only(value, path, ("type", *required), (*optional, "quickReply", "sender"), out)
    check(value, path, out)
    if value.get("quoteToken") is not None:
        if not quotes:
            note(out, f"{path}.quoteToken", "can be used only in reply and push")
        text(value, "quoteToken", path, out, most=512)
    if value.get("quickReply") is not None:
        _check_quick_reply(value["quickReply"], f"{path}.quickReply", out)
    if value.get("sender") is not None:
        _check_sender(value["sender"], f"{path}.sender", out)


def _check_quick_reply(value: Any, path: str, out: Details) -> None:
    if not known_only(value, path, ("items",), (), out):
        return
    for index, item in enumerate(items(value, "items", path, out, least=1, most=MAX_QUICK_REPLIES)):
        where = f"{path}.items[{index}]"
        if known_only(item, where, ("type", "action"), ("imageUrl",), out):
            one_of(item, "type", where, out, ("action",))
            media_url(item, "imageUrl", where, out)
            if item.get("action") is not None:
                check_action(item["action"], f"{where}.action", QUICK_REPLY, out)


def _check_sender(value: Any, path: str, out: Details) -> None:
    if not known_only(value, path, (), ("name", "iconUrl"), out):
        return
    text(value, "name", path, out, most=20)
    name = value.get("name")
    if isinstance(name, str) and re.search(r"\bline\b", name, re.IGNORECASE):
        note(out, f"{path}.name", "contains a word that can't be used")
    media_url(value, "iconUrl", path, out)


def _check_text(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "text", path, out, most=MAX_TEXT)
    body = value.get("text")
    for index, emoji in enumerate(items(value, "emojis", path, out, least=1, most=20)):
        where = f"{path}.emojis[{index}]"
        if not known_only(emoji, where, ("index", "productId", "emojiId"), (), out):
            continue
        integer(emoji, "index", where, out)
        text(emoji, "productId", where, out, most=100)
        text(emoji, "emojiId", where, out, most=100)
        at = emoji.get("index")
        if isinstance(body, str) and isinstance(at, int) and _unit_at(body, at) != "$":
            note(out, f"{where}.index", "must point at a $ in the text")


def _unit_at(body: str, index: int) -> str:
    units = body.encode("utf-16-le", "surrogatepass")
    return units[index * 2 : index * 2 + 2].decode("utf-16-le", "replace")


def _check_text_v2(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "text", path, out, most=MAX_TEXT)
    body = value.get("text")
    substitution = value.get("substitution")
    if substitution is None:
        substitution = {}
    if not isinstance(substitution, dict) or len(substitution) > 100:
        note(out, f"{path}.substitution", "must be an object of at most 100 keys")
        return
    for key, item in substitution.items():
        where = f"{path}.substitution.{key}"
        if not _KEY.fullmatch(key):
            note(out, where, "invalid key")
        _check_substitute(item, where, out)
    kinds = [item.get("type") for item in substitution.values() if isinstance(item, dict)]
    for kind in ("mention", "emoji"):
        if kinds.count(kind) > 20:
            note(out, f"{path}.substitution", f"at most 20 of type {kind}")
    if isinstance(body, str):
        for found in _PLACEHOLDER.finditer(body):
            if found[0] in ("{{", "}}"):
                continue
            if found[1] is None or found[1] not in substitution:
                note(out, f"{path}.text", f"no substitution for {found[0]}")


def _check_substitute(value: Any, path: str, out: Details) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "emoji":
        known_only(value, path, ("type", "productId", "emojiId"), (), out)
        text(value, "productId", path, out, most=100)
        text(value, "emojiId", path, out, most=100)
    elif kind == "mention":
        # A mention works in groups and rooms only, and this world has none.
        note(out, path, "mentions can be used only in group chats and multi-person chats")
    else:
        note(out, f"{path}.type", "Must be one of the following values: ['mention', 'emoji']")


def _check_sticker(value: dict[str, Any], path: str, out: Details) -> None:
    package, sticker = value.get("packageId"), value.get("stickerId")
    for name in ("packageId", "stickerId"):
        if value.get(name) is not None and not isinstance(value[name], str):
            note(out, f"{path}.{name}", "must be a string")
    if not isinstance(package, str) or not isinstance(sticker, str):
        return
    known = STICKERS.get(package)
    if known is None:
        note(out, f"{path}.packageId", "the sticker package can't be sent")
    elif not (sticker.isdecimal() and known[0] <= int(sticker) <= known[1]):
        note(out, f"{path}.stickerId", "the sticker can't be sent")


def _check_image(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "originalContentUrl", path, out)
    media_url(value, "previewImageUrl", path, out)


def _check_video(value: dict[str, Any], path: str, out: Details) -> None:
    _check_image(value, path, out)
    matches(value, "trackingId", path, out, _TRACKING)


def _check_audio(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "originalContentUrl", path, out)
    integer(value, "duration", path, out, least=1, most=2**53)


def _check_location(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "title", path, out, most=100)
    text(value, "address", path, out, most=100)
    number(value, "latitude", path, out, least=-90, most=90)
    number(value, "longitude", path, out, least=-180, most=180)


def _check_coupon(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "couponId", path, out, most=100)
    matches(value, "deliveryTag", path, out, _COUPON_TAG)


def _check_flex(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "altText", path, out, most=MAX_ALT_TEXT)
    if value.get("contents") is not None:
        check_container(value["contents"], f"{path}.contents", out)


MESSAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Check]] = {
    "text": (("text",), ("emojis", "quoteToken"), _check_text),
    "textV2": (("text",), ("substitution", "quoteToken"), _check_text_v2),
    "sticker": (("packageId", "stickerId"), ("quoteToken",), _check_sticker),
    "image": (("originalContentUrl", "previewImageUrl"), (), _check_image),
    "video": (("originalContentUrl", "previewImageUrl"), ("trackingId",), _check_video),
    "audio": (("originalContentUrl", "duration"), (), _check_audio),
    "location": (("title", "address", "latitude", "longitude"), (), _check_location),
    "coupon": (("couponId",), ("deliveryTag",), _check_coupon),
    "imagemap": (("baseUrl", "altText", "baseSize", "actions"), ("video",), check_imagemap),
    "template": (("altText", "template"), (), check_template),
    "flex": (("altText", "contents"), (), _check_flex),
}


def error_body(details: Details) -> dict[str, Any]:
    """LINE's answer to a body with problems."""
    return {"message": f"The request body has {len(details)} error(s)", "details": details}


__all__ = ["check_message", "check_messages", "check_send", "error_body", "utf16_length"]
