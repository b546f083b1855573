"""Reply tokens: one reply, within a minute of the webhook."""

import pytest

MINUTE_MS = 60_000


@pytest.fixture
def token(world, hana) -> str:
    return str(world.text(hana, "菜單", wait_ms=30_000)["event"]["replyToken"])


def test_a_reply_arrives(line, world, hana, token):
    answer = line.reply(token, "便當")
    assert answer.status == 200
    assert world.texts(hana, "reply") == ["便當"]
    assert answer.body["sentMessages"][0]["id"] == world.chat(hana)[-1]["message_id"]


def test_a_token_works_once(line, world, hana, token):
    line.reply(token)
    again = line.reply(token)
    assert (again.status, again.message) == (400, "Invalid reply token")
    assert world.texts(hana) == ["hello"]
    assert [abuse["kind"] for abuse in world.abuse()] == ["reply_token_reused"]


def test_a_token_dies_after_a_minute(line, world, token):
    world.age(MINUTE_MS + 1)
    assert line.reply(token).message == "Invalid reply token"
    assert world.abuse() == []


def test_a_body_with_errors_does_not_spend_the_token(line, token):
    assert line.reply(token, "").status == 400
    assert line.reply(token, "ok").status == 200


def test_a_redelivery_starts_the_minute_again(line, world, token):
    world.age(5 * MINUTE_MS)
    assert line.reply(token).status == 400
    world.redeliver(wait_ms=30_000)
    assert line.reply(token).status == 200


def test_twenty_minutes_after_the_event_a_redelivery_does_not_help(line, world, token):
    world.age(20 * MINUTE_MS + 1)
    world.redeliver(wait_ms=30_000)
    assert line.reply(token).status == 400


def test_a_redelivery_does_not_revive_a_used_token(line, world, token):
    line.reply(token)
    world.redeliver(wait_ms=30_000)
    assert line.reply(token).status == 400


def test_an_invented_token_is_refused(line):
    for token in ("0" * 32, "", 5):
        assert line.reply(token).status == 400


def test_a_reply_to_someone_who_has_blocked_since_is_silent(line, world, hana, token):
    world.block(hana)
    assert line.reply(token).status == 200
    assert world.texts(hana) == []
