"""Message objects: the last value LINE takes and the first it refuses."""

from typing import Any

import pytest

from lineadmin.simulator.checks import check_send
from tests.simulator.damage import damaged

URL = "https://shop.example/a.jpg"
PRESS = {"type": "message", "label": "好", "text": "好"}
AREA = {"x": 0, "y": 0, "width": 520, "height": 520}


def problems(*messages: Any, kind: str = "validate", **rest: Any) -> list[str]:
    """The properties LINE would complain about."""
    return [found["property"] for found in check_send(kind, {"messages": list(messages), **rest})]


def text(body: str = "hi", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": body, **more}


def quick(*actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    items = [{"type": "action", "action": action, **more} for action in actions]
    return text(quickReply={"items": items})


def template(inner: dict[str, Any], alt: str = "alt") -> dict[str, Any]:
    return {"type": "template", "altText": alt, "template": inner}


def buttons(**more: Any) -> dict[str, Any]:
    return template({"type": "buttons", "text": "t", "actions": [PRESS], **more})


def columns(*given: dict[str, Any]) -> dict[str, Any]:
    return template({"type": "carousel", "columns": list(given)})


def column(**more: Any) -> dict[str, Any]:
    return {"text": "t", "actions": [PRESS], **more}


def imagemap(**more: Any) -> dict[str, Any]:
    return {
        "type": "imagemap",
        "baseUrl": "https://shop.example/map",
        "altText": "alt",
        "baseSize": {"width": 1040, "height": 520},
        "actions": [{"type": "message", "text": "hi", "area": AREA}],
        **more,
    }


def action(**more: Any) -> dict[str, Any]:
    """A quick reply with one action."""
    return quick({"label": "好", **more})


PICKER = {"type": "datetimepicker", "data": "d", "mode": "date"}
VIDEO = {"type": "video", "originalContentUrl": URL, "previewImageUrl": URL}
PLACE = {"type": "location", "title": "t", "address": "a", "latitude": 25, "longitude": 121.5}

ACCEPTED = {
    "text of 5,000": text("a" * 5000),
    "text of 2,500 emoji": text("🍱" * 2500),
    "emoji at a $": text("a🍱$", emojis=[{"index": 3, "productId": "p", "emojiId": "1"}]),
    "textV2": {"type": "textV2", "text": "{{ {a} }}", "substitution": {"a": {
        "type": "emoji", "productId": "p", "emojiId": "1"}}},
    "sticker": {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    "image": {"type": "image", "originalContentUrl": URL, "previewImageUrl": URL},
    "image with an address of 2,000": {"type": "image", "originalContentUrl": URL,
        "previewImageUrl": "https://shop.example/" + "a" * 1979},
    "video": {**VIDEO, "trackingId": "a-b.c"},
    "audio": {"type": "audio", "originalContentUrl": URL, "duration": 60_000},
    "location": PLACE,
    "coupon": {"type": "coupon", "couponId": "01ABC", "deliveryTag": "week_1"},
    "sender": text(sender={"name": "熊大", "iconUrl": URL}),
    "13 quick replies": quick(*[PRESS] * 13),
    "label of 20 graphemes": action(type="message", text="t", label="👨‍👩‍👧" * 20),
    "quick reply camera": action(type="camera"),
    "postback": action(type="postback", data="a" * 300, displayText="b" * 300),
    "postback keyboard": action(
        type="postback", data="d", inputOption="openKeyboard", fillInText="x"),
    "uri": action(type="uri", uri="https://shop.example/?q=%E5%A5%BD"),
    "tel": action(type="uri", uri="tel:+886212345678"),
    "date picker": action(**PICKER, initial="2026-11-23", min="2026-01-01", max="2026-12-31"),
    "time picker": action(**{**PICKER, "mode": "time"}, initial="23:59"),
    "clipboard": action(type="clipboard", clipboardText="CODE"),
    "buttons": buttons(),
    "buttons text of 160": buttons(text="a" * 160),
    "buttons with title, text of 60": buttons(text="a" * 60, title="b" * 40),
    "buttons with 4 actions": buttons(actions=[PRESS] * 4, defaultAction={
        "type": "uri", "uri": "https://shop.example/"}),
    "confirm": template({"type": "confirm", "text": "a" * 240, "actions": [PRESS, PRESS]}),
    "carousel": columns(*[column(title="t", actions=[PRESS] * 3)] * 10),
    "image carousel": template({"type": "image_carousel", "columns": [
        {"imageUrl": URL, "action": {"type": "uri", "uri": URL, "label": "a" * 12}}]}),
    "altText of 1,500": template(
        {"type": "confirm", "text": "t", "actions": [PRESS, PRESS]}, "a" * 1500),
    "imagemap": imagemap(),
    "imagemap of 50 areas": imagemap(actions=[
        {"type": "uri", "linkUri": URL, "label": "a" * 100, "area": AREA}] * 50),
    "imagemap video": imagemap(actions=[], video={
        "originalContentUrl": URL, "previewImageUrl": URL, "area": AREA,
        "externalLink": {"linkUri": URL, "label": "a" * 30}}),
}  # fmt: skip

REFUSED = {
    "no type": ({"text": "hi"}, ".type"),
    "unknown type": ({"type": "poll"}, ".type"),
    "not an object": ("hi", ".type"),
    "empty text": (text(""), ".text"),
    "text missing": ({"type": "text"}, ".text"),
    "text not a string": ({"type": "text", "text": 5}, ".text"),
    "text of 5,001": (text("a" * 5001), ".text"),
    "text of 2,501 emoji": (text("🍱" * 2501), ".text"),
    "unknown property": (text(bold=True), ".bold"),
    "emoji beside the $": (
        text("a$", emojis=[{"index": 0, "productId": "p", "emojiId": "1"}]),
        ".emojis[0].index",
    ),
    "textV2 without its value": ({"type": "textV2", "text": "{name}"}, ".text"),
    "textV2 lone brace": ({"type": "textV2", "text": "a } b"}, ".text"),
    "sticker not for sale": (
        {"type": "sticker", "packageId": "1", "stickerId": "1"}, ".packageId"),
    "sticker of another package": (
        {"type": "sticker", "packageId": "446", "stickerId": "1"}, ".stickerId"),
    "sticker as a number": (
        {"type": "sticker", "packageId": 446, "stickerId": "1988"}, ".packageId"),
    "image over http": (
        {"type": "image", "originalContentUrl": "http://a.example/", "previewImageUrl": URL},
        ".originalContentUrl",
    ),
    "image without preview": ({"type": "image", "originalContentUrl": URL}, ".previewImageUrl"),
    "image with an address of 2,001": (
        {"type": "image", "originalContentUrl": URL,
         "previewImageUrl": "https://shop.example/" + "a" * 1980},
        ".previewImageUrl",
    ),
    "image address not encoded": (
        {"type": "image", "originalContentUrl": "https://a.example/圖", "previewImageUrl": URL},
        ".originalContentUrl",
    ),
    "video tracking with a space": ({**VIDEO, "trackingId": "a b"}, ".trackingId"),
    "audio without length": ({"type": "audio", "originalContentUrl": URL}, ".duration"),
    "location title of 101": ({**PLACE, "title": "a" * 101}, ".title"),
    "location off the map": ({**PLACE, "latitude": 91}, ".latitude"),
    "coupon without id": ({"type": "coupon"}, ".couponId"),
    "coupon tag": ({"type": "coupon", "couponId": "1", "deliveryTag": "a-b"}, ".deliveryTag"),
    "sender of 21": (text(sender={"name": "a" * 21}), ".sender.name"),
    "sender posing as LINE": (text(sender={"name": "LINE team"}), ".sender.name"),
    "14 quick replies": (quick(*[PRESS] * 14), ".quickReply.items"),
    "no quick reply": (quick(), ".quickReply.items"),
    "quick reply without label": (
        quick({"type": "message", "text": "t"}), ".quickReply.items[0].action.label"),
    "label of 21": (
        action(type="message", text="t", label="a" * 21), ".quickReply.items[0].action.label"),
    "message action of 301": (
        action(type="message", text="a" * 301), ".quickReply.items[0].action.text"),
    "postback of 301": (
        action(type="postback", data="a" * 301), ".quickReply.items[0].action.data"),
    "postback text twice": (
        action(type="postback", data="d", text="a", displayText="b"),
        ".quickReply.items[0].action.text"),
    "fillInText without keyboard": (
        action(type="postback", data="d", fillInText="a"),
        ".quickReply.items[0].action.fillInText"),
    "uri of 1,001": (
        action(type="uri", uri="https://shop.example/" + "a" * 980),
        ".quickReply.items[0].action.uri"),
    "uri of another scheme": (
        action(type="uri", uri="ftp://shop.example/"), ".quickReply.items[0].action.uri"),
    "desktop uri outside flex": (
        action(type="uri", uri=URL, altUri={"desktop": URL}),
        ".quickReply.items[0].action.altUri"),
    "rich menu switch": (
        action(type="richmenuswitch", richMenuAliasId="a", data="d"),
        ".quickReply.items[0].action.type"),
    "picker without mode": (
        action(type="datetimepicker", data="d"), ".quickReply.items[0].action.mode"),
    "picker date in time mode": (
        action(**{**PICKER, "mode": "time"}, initial="2026-11-23"),
        ".quickReply.items[0].action.initial"),
    "picker backwards": (
        action(**PICKER, min="2026-12-31", max="2026-01-01"),
        ".quickReply.items[0].action.max"),
    "picker 31 November": (
        action(**PICKER, initial="2026-11-31"), ".quickReply.items[0].action.initial"),
    "clipboard empty": (
        action(type="clipboard", clipboardText=""), ".quickReply.items[0].action.clipboardText"),
    "buttons text of 161": (buttons(text="a" * 161), ".template.text"),
    "buttons with title, text of 61": (buttons(text="a" * 61, title="b"), ".template.text"),
    "buttons title of 41": (buttons(title="b" * 41), ".template.title"),
    "buttons with 5 actions": (buttons(actions=[PRESS] * 5), ".template.actions"),
    "buttons with camera": (
        buttons(actions=[{"type": "camera", "label": "a"}]), ".template.actions[0].type"),
    "buttons without label": (
        buttons(actions=[{"type": "uri", "uri": URL}]), ".template.actions[0].label"),
    "confirm with one action": (
        template({"type": "confirm", "text": "t", "actions": [PRESS]}), ".template.actions"),
    "confirm of 241": (
        template({"type": "confirm", "text": "a" * 241, "actions": [PRESS, PRESS]}),
        ".template.text"),
    "carousel of 11": (columns(*[column()] * 11), ".template.columns"),
    "carousel uneven": (
        columns(column(), column(actions=[PRESS, PRESS])), ".template.columns"),
    "carousel title here and not there": (
        columns(column(), column(title="t")), ".template.columns"),
    "carousel text of 121": (
        columns(column(text="a" * 121)), ".template.columns[0].text"),
    "carousel with 4 actions": (
        columns(column(actions=[PRESS] * 4)), ".template.columns[0].actions"),
    "image carousel label of 13": (
        template({"type": "image_carousel", "columns": [
            {"imageUrl": URL, "action": {"type": "uri", "uri": URL, "label": "a" * 13}}]}),
        ".template.columns[0].action.label"),
    "altText of 1,501": (
        template({"type": "confirm", "text": "t", "actions": [PRESS, PRESS]}, "a" * 1501),
        ".altText"),
    "template of unknown type": (template({"type": "poll"}), ".template.type"),
    "imagemap width": (
        imagemap(baseSize={"width": 1024, "height": 5}), ".baseSize.width"),
    "imagemap of 51 areas": (
        imagemap(actions=[{"type": "uri", "linkUri": URL, "area": AREA}] * 51), ".actions"),
    "imagemap without any": (imagemap(actions=[]), ".actions"),
    "imagemap text of 401": (
        imagemap(actions=[{"type": "message", "text": "a" * 401, "area": AREA}]),
        ".actions[0].text"),
}  # fmt: skip


@pytest.mark.parametrize("message", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_line_takes(message: Any) -> None:
    assert problems(message) == []


@pytest.mark.parametrize(("message", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_line_refuses(message: Any, where: str) -> None:
    assert f"messages[0]{where}" in problems(message)


def test_five_messages_go_and_six_do_not() -> None:
    assert problems(*[text()] * 5) == []
    assert problems(*[text()] * 6) == ["messages"]
    assert problems() == ["messages"]


def test_a_property_line_does_not_know_is_named() -> None:
    assert problems(text(), to="x") == ["to"]


def test_quote_tokens_are_for_reply_and_push() -> None:
    quote = text(quoteToken="q")
    assert problems(quote, kind="push", to="x") == []
    assert problems(quote, kind="multicast", to=["x"]) == ["messages[0].quoteToken"]


def test_one_aggregation_unit_of_30_plain_characters() -> None:
    for units in ([], ["spring_2026"], ["a" * 30]):
        assert problems(text(), kind="push", to="x", customAggregationUnits=units) == []
    for units in (["a", "b"], ["a-b"], ["a" * 31], "a"):
        assert problems(text(), kind="push", to="x", customAggregationUnits=units)
    assert problems(text(), kind="broadcast", customAggregationUnits=["a"])


def test_no_reply_without_its_token() -> None:
    assert problems(text(), kind="reply") == ["replyToken"]


@pytest.mark.parametrize("message", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_no_damage_is_too_odd_to_be_judged(message: Any) -> None:
    for how, broken in damaged(message):
        for found in check_send("push", {"to": "x", "messages": [broken]}):
            assert found["message"], how
            assert found["property"], how
