"""X-Line-Retry-Key: once per key, for 24 hours, for one body only."""

from uuid import uuid4

import pytest

DAY_MS = 86_400_000


@pytest.fixture
def key() -> str:
    return str(uuid4())


def test_a_repeated_push_is_not_sent_twice(line, world, hana, key):
    first = line.push(hana, "一次", key)
    again = line.push(hana, "一次", key)
    assert (first.status, again.status) == (200, 409)
    assert again.message == "The retry key is already accepted"
    assert again.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert again.headers["x-line-request-id"] != first.headers["x-line-request-id"]
    assert again.body["sentMessages"] == first.body["sentMessages"]
    assert world.texts(hana) == ["一次"]
    assert world.counters()["push.409"] == 1
    assert world.abuse() == []


def test_a_repeated_multicast_has_no_sent_messages(line, world, hana, key):
    assert line.multicast([hana], "一次", key).status == 200
    again = line.multicast([hana], "一次", key)
    assert again.status == 409
    assert again.body == {"message": "The retry key is already accepted"}
    assert world.texts(hana) == ["一次"]


def test_the_order_of_properties_is_not_another_body(line, hana, key):
    line.send("push", {"to": hana, "messages": [{"type": "text", "text": "a"}]}, key)
    again = line.send("push", {"messages": [{"text": "a", "type": "text"}], "to": hana}, key)
    assert again.status == 409


def test_another_body_under_the_same_key_fails_loudly(line, world, hana, key):
    line.push(hana, "一", key)
    assert line.push(hana, "二", key).status == 400
    (abuse,) = world.abuse()
    assert (abuse["kind"], abuse["key"]) == ("retry_key_other_body", key)
    assert world.texts(hana) == ["一"]


def test_other_recipients_under_the_same_key_fail_loudly(line, world, key):
    friends = world.add_phones(2)
    line.multicast(friends[:1], "a", key)
    assert line.multicast(friends, "a", key).status == 400
    assert [abuse["kind"] for abuse in world.abuse()] == ["retry_key_other_body"]


def test_the_body_is_compared_even_where_the_first_try_was_lost(line, world, hana, key):
    world.fail("500", endpoint="push")
    assert line.push(hana, "一", key).status == 500
    assert line.push(hana, "二", key).status == 400
    assert [abuse["kind"] for abuse in world.abuse()] == ["retry_key_other_body"]


def test_a_refused_request_leaves_its_key_open(line, world, hana, key):
    world.quota(0)
    assert line.push(hana, "a", key).status == 429
    world.quota(None)
    assert line.push(hana, "a", key).status == 200
    assert line.push(hana, "a", key).status == 409


def test_a_key_is_forgotten_after_24_hours_and_sends_again(line, world, hana, key):
    line.push(hana, "a", key)
    world.age(DAY_MS - 60_000)
    assert line.push(hana, "a", key).status == 409
    world.age(60_001)
    assert line.push(hana, "a", key).status == 200
    assert world.texts(hana) == ["a", "a"]
    assert [abuse["kind"] for abuse in world.abuse()] == ["retry_key_expired"]


@pytest.mark.parametrize("bad", ["abc", "1", "g" * 8 + "-0000-0000-0000-000000000000", "{x}"])
def test_a_key_is_a_hex_uuid(line, hana, bad):
    assert line.push(hana, "a", bad).status == 400


def test_a_key_on_a_reply_is_refused(line, world, hana, key):
    token = world.text(hana, "hi", wait_ms=30_000)["event"]["replyToken"]
    body = {"replyToken": token, "messages": [{"type": "text", "text": "a"}]}
    assert line.send("reply", body, key).status == 400
    assert [abuse["kind"] for abuse in world.abuse()] == ["retry_key_not_supported"]
    assert line.send("reply", body).status == 200


def test_broadcasts_keep_their_key_too(line, world, hana, key):
    body = {"messages": [{"type": "text", "text": "a"}]}
    assert line.send("broadcast", body, key).status == 200
    assert line.send("broadcast", body, key).status == 409
    assert world.texts(hana) == ["a"]
