"""The simulator's checks beside LINE's published schemas: nothing they refuse may pass."""

from typing import Any

import pytest

from lineadmin.simulator import action_checks, card_checks, checks, flex_checks
from tests import openapi
from tests.simulator import test_flex, test_messages, test_phones
from tests.simulator.conftest import Sender
from tests.simulator.damage import damaged

CONTENTS = [*test_flex.ACCEPTED.values()]
MESSAGES = [
    *test_messages.ACCEPTED.values(),
    *({"type": "flex", "altText": "a", "contents": contents} for contents in CONTENTS),
]


def small(message: Any) -> bool:
    return len(str(message)) < 3000


@pytest.fixture(autouse=True)
def published() -> None:
    openapi.folder()


def refused_here(message: Any) -> bool:
    return bool(checks.check_send("validate", {"messages": [message]}))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["type"])
def test_what_we_take_is_published(message: Any) -> None:
    assert openapi.message_problems(message) == []


@pytest.mark.parametrize(
    "message", [m for m in MESSAGES if small(m)], ids=lambda message: message["type"]
)
def test_what_the_schemas_refuse_is_refused_here(message: Any) -> None:
    passed = [
        (how, problems)
        for how, broken in damaged(message)
        if not refused_here(broken)
        and not _is_absent(broken)
        and (problems := openapi.message_problems(broken))
    ]
    assert passed == []


def _is_absent(value: Any) -> bool:
    """Whether a null stands somewhere: LINE takes it for an absent property, schemas do not."""
    if isinstance(value, dict):
        return any(item is None or _is_absent(item) for item in value.values())
    return isinstance(value, list) and any(_is_absent(item) for item in value)


def test_no_published_property_is_unknown_here() -> None:
    common = {"type", "quickReply", "sender"}
    missing = {}
    for kind, schema in openapi.variants_of("Message").items():
        required, optional, _ = checks.MESSAGES[kind]
        missing[kind] = openapi.properties_of(schema) - {*required, *optional} - common
    for kind, schema in openapi.variants_of("Template").items():
        required, optional, _ = card_checks.TEMPLATES[kind]
        missing[f"template {kind}"] = openapi.properties_of(schema) - {*required, *optional, "type"}
    for kind, schema in openapi.variants_of("FlexComponent").items():
        required, names = flex_checks.PROPERTIES[kind]
        missing[f"flex {kind}"] = openapi.properties_of(schema) - {*required, *names, "type"}
    for kind, schema in openapi.variants_of("Action").items():
        if kind != "richmenuswitch":  # rich menus only
            required, optional = action_checks.PROPERTIES[kind]
            known = {*required, *optional, "type", "label"}
            missing[f"action {kind}"] = openapi.properties_of(schema) - known
    assert {kind: names for kind, names in missing.items() if names} == {}


def test_every_event_a_phone_sends_is_published(line, world, hana, panel):
    taro = world.add_phone("太郎", status="stranger")["user_id"]
    world.follow(taro)
    world.block(taro)
    world.unblock(taro)
    world.text(hana, "hi")
    world.sticker(hana, "446", "1988")
    world.location(hana, 25, 121, title="t", address="a")
    world.image(hana, b"x")
    world.unsend(hana)
    test_phones.send(line, hana, test_phones.QUICK)
    world.tap(hana, "領券")
    picker = {"type": "datetimepicker", "label": "生日", "data": "b", "mode": "date"}
    test_phones.send(line, hana, test_phones.button(picker))
    world.tap(hana, "生日", value="1999-09-09")
    world.wait_for_events()
    assert len(panel.events) == 10
    for event in panel.events:
        payload = {"destination": world.state()["account"]["user_id"], "events": [event]}
        openapi.check_webhook(payload)


def test_answers_are_as_published(line: Sender, world, hana):
    world.settings(verified=True, clock_offset_ms=86_400_000)
    world.quota(10)
    message = {"messages": [{"type": "text", "text": "a"}]}
    token = world.text(hana, "hi", wait_ms=30_000)["event"]["replyToken"]
    wrong_push = {"to": hana, "messages": []}
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/v2/bot/message/push", {"to": hana, **message}),
        ("POST", "/v2/bot/message/push", wrong_push),
        ("POST", "/v2/bot/message/multicast", {"to": [hana], **message}),
        ("POST", "/v2/bot/message/broadcast", message),
        ("POST", "/v2/bot/message/narrowcast", message),
        ("POST", "/v2/bot/message/reply", {"replyToken": token, **message}),
        ("POST", "/v2/bot/message/validate/push", message),
        ("GET", "/v2/bot/message/quota", None),
        ("GET", "/v2/bot/message/quota/consumption", None),
        ("GET", "/v2/bot/message/delivery/push?date=20200101", None),
        ("GET", "/v2/bot/message/aggregation/info", None),
        ("GET", "/v2/bot/message/aggregation/list", None),
        ("GET", f"/v2/bot/profile/{hana}", None),
        ("GET", "/v2/bot/followers/ids?limit=10", None),
        ("GET", "/v2/bot/info", None),
        ("GET", "/v2/bot/channel/webhook/endpoint", None),
        ("PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": "https://demo.invalid/webhook"}),
        ("POST", "/v2/bot/channel/webhook/test", {}),
        ("POST", "/v2/bot/chat/loading/start", {"chatId": hana, "loadingSeconds": 5}),
        ("GET", "/v2/bot/insight/followers?date=20200101", None),
        ("GET", "/v2/bot/insight/demographic", None),
        ("GET", "/v2/bot/insight/message/delivery?date=20200101", None),
    ]
    for method, path, body in asked:
        answer = line.request(method, path, body)
        assert (answer.status < 300) == (body is not wrong_push)
        openapi.check_answer(method, path, answer.status, answer.body)
        if body is not wrong_push:
            openapi.check_request(method, path, body)


def test_the_judge_is_strict() -> None:
    for method, path, body in (
        ("POST", "/v2/bot/message/pull", {}),
        ("POST", "/v2/bot/message/push", {"to": "U1"}),
        ("POST", "/v2/bot/message/push", {"to": "U1", "messages": [{"type": "poll"}]}),
        ("POST", "/v2/bot/message/push", {"to": "U1", "messages": [], "x": 1}),
        ("POST", "/v2/bot/message/push", b"{"),
        ("GET", "/v2/bot/followers/ids?page=2", None),
        ("GET", "/v2/bot/message/delivery/push", None),
        ("GET", "/v2/bot/info", b"{}"),
    ):
        with pytest.raises(AssertionError):
            openapi.check_request(method, path, body)


def test_a_simulator_can_be_watched(line, sim, hana):
    watcher = openapi.Watcher()
    sim.api.on_request = watcher
    line.push(hana)
    assert (watcher.seen, watcher.problems) == (1, [])
    line.send("push", {"to": hana, "messages": [{"type": "text", "txt": "a"}]})
    assert watcher.seen == 2
    assert watcher.problems
    sim.api.on_request = lenient = openapi.Watcher(accepted_only=True)
    line.push("x")
    line.push(hana)
    assert (lenient.seen, lenient.problems) == (1, [])
