import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.line.parse import BadWebhook, Event, parse_webhook, read_event

HANA = "U" + "0a" * 16

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
odd_events = st.fixed_dictionaries(
    {},
    optional={
        name: anything
        for name in (
            *("type", "mode", "timestamp", "source", "message", "postback", "follow"),
            *("unsend", "replyToken", "webhookEventId"),
        )
    },
)


def body(*events):
    return json.dumps({"destination": "U" + "0" * 32, "events": list(events)}).encode()


def follow(**changes):
    return {
        "type": "follow",
        "mode": "active",
        "timestamp": 1_795_000_000_123,
        "source": {"type": "user", "userId": HANA},
        "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC3ZR",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        "follow": {"isUnblocked": False},
        **changes,
    }


def test_a_follow_is_read():
    (raw,) = parse_webhook(body(follow()))
    event = read_event(raw)
    assert (event.type, event.user_id, event.source_kind) == ("follow", HANA, "user")
    assert event.reply_token == "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"
    assert event.at.isoformat() == "2026-11-18T11:06:40.123000+00:00"
    assert event.is_active
    assert event.is_one_to_one
    assert not event.is_unblocked
    assert not event.is_redelivery


def test_lines_verify_button_sends_no_events():
    assert parse_webhook(body()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"events": {}}',
        b'{"events": ["follow"]}',
        b'{"events": [{"type": 5, "webhookEventId": "x"}]}',
        b'{"events": [{"type": "follow", "webhookEventId": 5}]}',
        b'{"events": [{"type": "follow", "webhookEventId": ""}]}',
        b'{"events": [{"type": "follow", "webhookEventId": "x", "timestamp": "now"}]}',
        b'{"events": [{"type": "follow", "webhookEventId": "x", "timestamp": NaN}]}',
        b'{"events": [{"type": "message", "webhookEventId": "x", "message": "hi"}]}',
        b'{"events": [{"type": "follow", "webhookEventId": "x\\u0000"}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"events": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_line_would_never_send_is_refused(wrong):
    with pytest.raises(BadWebhook):
        parse_webhook(wrong)


def test_unknown_types_modes_and_values_survive():
    strange = follow(type="dance", mode="dreaming", source={"type": "planet"}, dance={"steps": [1]})
    (raw,) = parse_webhook(body(strange))
    assert raw == strange
    event = read_event(raw)
    assert (event.type, event.mode, event.source_kind) == ("dance", "dreaming", "planet")
    assert event.user_id is None
    assert event.is_active


def test_an_event_without_an_id_is_recognised_when_it_comes_again():
    nameless = follow()
    del nameless["webhookEventId"]
    again = {**nameless, "deliveryContext": {"isRedelivery": True}}
    first, second = parse_webhook(body(nameless, again))
    other = parse_webhook(body({**nameless, "timestamp": 1}))[0]
    assert first["webhookEventId"] == second["webhookEventId"] != other["webhookEventId"]


def test_half_an_emoji_does_not_reach_the_database():
    cut = b'{"events":[{"type":"message","webhookEventId":"x","message":{"text":"a\\ud83c"}}]}'
    (raw,) = parse_webhook(cut)
    assert raw["message"]["text"] == "a?"
    whole = (
        b'{"events":[{"type":"message","webhookEventId":"x","message":{"text":"\\ud83c\\udf71"}}]}'
    )
    assert parse_webhook(whole)[0]["message"]["text"] == "🍱"


def test_standby_may_not_be_answered():
    event = follow(mode="standby")
    del event["replyToken"]
    read = read_event(event)
    assert not read.is_active
    assert read.reply_token is None


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        ({"type": "text", "id": "1", "text": "菜單"}, "text", "菜單"),
        ({"type": "sticker", "packageId": "446", "stickerId": "1988"}, "sticker", ("446", "1988")),
        ({"type": "sticker", "packageId": "446"}, "sticker", None),
        ({"type": "image", "contentProvider": {"type": "line"}}, "has_line_content", True),
        ({"type": "image", "contentProvider": {"type": "external"}}, "has_line_content", False),
        ({"type": "file", "fileName": "a"}, "has_line_content", True),
        ({"type": "location", "latitude": 25.0, "longitude": 121}, "location", (25.0, 121.0)),
        ({"type": "hologram", "text": "hi"}, "text", None),
    ],
)
def test_messages_are_read(message, name, value):
    assert getattr(read_event({"type": "message", "message": message}), name) == value


def test_an_unsend_names_the_message():
    assert read_event({"type": "unsend", "unsend": {"messageId": "77"}}).message_id == "77"


@given(anything | odd_events)
def test_reading_an_event_never_raises(raw):
    event = read_event(raw)
    assert isinstance(event, Event)
    for name in vars(Event):
        if isinstance(vars(Event)[name], property):
            getattr(event, name)


@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_read_or_refused(data):
    try:
        events = parse_webhook(data)
    except BadWebhook:
        return
    assert all(isinstance(event, dict) for event in events)


@given(st.lists(odd_events, max_size=4))
def test_what_is_accepted_can_be_stored(events):
    try:
        accepted = parse_webhook(json.dumps({"events": events}).encode())
    except BadWebhook:
        return
    for event in accepted:
        json.dumps(event, ensure_ascii=False).encode()
        assert 0 < len(event["webhookEventId"]) <= 64
