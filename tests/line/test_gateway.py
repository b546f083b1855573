import json
import logging
import socket
import threading
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from lineadmin.line.answers import Accepted, SentMessage
from lineadmin.line.errors import (
    LineAuthFailed,
    LineError,
    LineQuotaExhausted,
    LineRateLimited,
    LineRefused,
    LineUnclear,
    LineUnreachable,
)
from lineadmin.line.gateway import Gateway
from tests.cli.processes import wait_for
from tests.conftest import PATIENCE
from tests.line.conftest import HANG_UP, SILENCE

HANA = "U" + "0a" * 16
KEY = "123e4567-e89b-12d3-a456-426614174000"
BODY = '{"to":"U","messages":[{"type":"text","text":"便當"}]}'.encode()


def patience_for(what):
    """Seconds to wait for LINE: few where it is silent on purpose."""
    return 0.3 if what == SILENCE else PATIENCE


def test_a_push_goes_out_byte_for_byte_with_its_retry_key(pretend, gateway):
    pretend.says(200, {"sentMessages": [{"id": "461", "quoteToken": "q"}]})
    accepted = gateway.push(BODY, KEY)
    assert accepted == Accepted("req-1", None, (SentMessage("461", "q"),))
    (asked,) = pretend.asked
    assert (asked.method, asked.path) == ("POST", "/v2/bot/message/push")
    assert asked.body == BODY
    assert asked.headers["x-line-retry-key"] == KEY
    assert asked.headers["authorization"] == "Bearer long-lived"
    assert asked.headers["content-type"] == "application/json"


def test_a_reply_carries_no_retry_key(pretend, gateway):
    pretend.says(200, {"sentMessages": []})
    gateway.reply(BODY)
    assert pretend.asked[0].path == "/v2/bot/message/reply"
    assert "x-line-retry-key" not in pretend.asked[0].headers


def test_already_accepted_is_a_yes(pretend, gateway):
    pretend.says(409, {"message": "x"}, x_line_accepted_request_id="req-0")
    accepted = gateway.multicast(BODY, KEY)
    assert accepted.accepted_request_id == "req-0"
    assert accepted.known_as == "req-0"


def test_a_conflict_without_an_accepted_id_stays_unclear(pretend, gateway):
    pretend.says(409, {"message": "x"})
    with pytest.raises(LineUnclear):
        gateway.push(BODY, KEY)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "bad", LineRefused),
        (401, "who", LineAuthFailed),
        (403, "no", LineAuthFailed),
        (429, "rate", LineRateLimited),
        (429, "You have reached your monthly limit.", LineQuotaExhausted),
        (500, "", LineUnclear),
    ],
)
def test_lines_noes_become_our_errors(pretend, gateway, status, message, kind):
    pretend.says(status, {"message": message})
    with pytest.raises(kind) as caught:
        gateway.push(BODY, KEY)
    assert caught.value.request_id == "req-1"
    assert len(pretend.asked) == 1


@pytest.mark.parametrize("what", [HANG_UP, SILENCE])
@pytest.mark.parametrize(
    "call", ["push", "multicast", "reply", "profile", "bot_info", "content", "consumption"]
)
def test_no_answer_after_connecting_is_unclear_and_not_repeated(pretend, call, what):
    pretend.does(what)
    gateway = Gateway(pretend.config(), connect=PATIENCE, read=patience_for(what))
    arguments = {"push": (BODY, KEY), "multicast": (BODY, KEY), "reply": (BODY,)}.get(
        call, () if call in ("bot_info", "consumption") else (HANA,)
    )
    with pytest.raises(LineUnclear):
        getattr(gateway, call)(*arguments)
    assert wait_for(lambda: bool(pretend.asked), PATIENCE)
    gateway.close()
    assert len(pretend.asked) == 1


@pytest.mark.parametrize("call", ["bot_info", "consumption"])
def test_a_closed_door_means_nothing_was_sent(pretend, call):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        base = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        gateway = Gateway(pretend.config(line_api_base=base, line_data_api_base=base))
        with pytest.raises(LineUnreachable) as caught:
            getattr(gateway, call)()
    assert caught.value.certainly_not_sent


def test_an_unknown_host_means_nothing_was_sent(pretend):
    gateway = Gateway(pretend.config(line_api_base="https://line.invalid"))
    with pytest.raises(LineUnreachable):
        gateway.push(BODY, KEY)


def test_a_redirect_is_not_followed(pretend, gateway):
    pretend.says(302, {}, location=f"{pretend.base}/elsewhere")
    with pytest.raises(LineUnclear):
        gateway.push(BODY, KEY)
    assert len(pretend.asked) == 1


def test_connections_are_kept_one_for_sending_one_for_all_else(pretend, gateway):
    pretend.says(200, {"totalUsage": 7})
    for _ in range(3):
        gateway.push(BODY, KEY)
        assert gateway.consumption() == 7
        gateway.validate("push", [])
    assert pretend.connections == 2


def test_threads_share_it(pretend, gateway):
    pretend.says(200, {"sentMessages": []})
    gateway.load_sdk()
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(20):
                gateway.push(BODY, KEY)
        except LineError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(pretend.asked) == 160
    assert pretend.connections <= 8


def test_tokens_and_bodies_stay_out_of_the_log(pretend, gateway, caplog):
    caplog.set_level(logging.INFO)
    pretend.says(400, {"message": "bad"})
    with pytest.raises(LineRefused):
        gateway.push(BODY, KEY)
    pretend.answers.clear()
    pretend.says(200, {"displayName": "花", "userId": HANA})
    gateway.profile(HANA)
    assert "request_id=req-1" in caplog.text
    assert "/v2/bot/message/push: 400" in caplog.text
    for secret in ("long-lived", "secret-of-the-channel", HANA, "便當"):
        assert secret not in caplog.text


# Stateless tokens ------------------------------------------------------------------------------


def stateless(pretend, read=PATIENCE):
    return Gateway(
        pretend.config(line_channel_access_token=None, line_channel_id="1234567890"),
        connect=PATIENCE,
        read=read,
    )


def test_a_token_is_issued_once_for_many_requests(pretend):
    pretend.says(200, {"access_token": "fresh", "expires_in": 900}).says(200, {})
    gateway = stateless(pretend)
    gateway.push(BODY, KEY)
    gateway.push(BODY, KEY)
    issued, first, second = pretend.asked
    assert issued.path == "/oauth2/v3/token"
    assert parse_qs(issued.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["1234567890"],
        "client_secret": ["secret-of-the-channel"],
    }
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer fresh"


@pytest.mark.parametrize("call", ["push", "consumption"])
def test_a_401_fetches_a_new_token_once(pretend, call):
    answer = {"totalUsage": 1}
    pretend.says(200, {"access_token": "old"}).says(401, {"message": "expired"})
    pretend.says(200, {"access_token": "new"}).says(200, answer)
    arguments = (BODY, KEY) if call == "push" else ()
    getattr(stateless(pretend), call)(*arguments)
    assert [asked.headers.get("authorization") for asked in pretend.asked] == [
        None,
        "Bearer old",
        None,
        "Bearer new",
    ]
    if call == "push":
        assert pretend.asked[1].headers["x-line-retry-key"] == KEY
        assert pretend.asked[3].headers["x-line-retry-key"] == KEY


def test_a_second_401_is_told(pretend):
    pretend.says(200, {"access_token": "old"}).says(401, {})
    pretend.says(200, {"access_token": "new"}).says(401, {})
    with pytest.raises(LineAuthFailed):
        stateless(pretend).push(BODY, KEY)
    assert len(pretend.asked) == 4


@pytest.mark.parametrize("what", [HANG_UP, SILENCE])
def test_a_lost_token_request_never_makes_a_push_unclear(pretend, what):
    pretend.does(what)
    with pytest.raises(LineUnreachable):
        stateless(pretend, read=patience_for(what)).push(BODY, KEY)


def test_a_wrong_channel_secret_is_told_as_such(pretend):
    pretend.says(400, {"error": "invalid_client", "error_description": "invalid client_secret"})
    with pytest.raises(LineAuthFailed) as caught:
        stateless(pretend).push(BODY, KEY)
    assert caught.value.message == "invalid client_secret"


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"access_token": 5}'])
def test_nonsense_instead_of_a_token_is_told_as_such(pretend, answer):
    pretend.says(200, answer)
    with pytest.raises(LineAuthFailed):
        stateless(pretend).push(BODY, KEY)


def test_many_threads_cause_one_token_request(pretend):
    pretend.says(200, {"access_token": "fresh"}).says(200, {})
    gateway = stateless(pretend)
    threads = [threading.Thread(target=gateway.push, args=(BODY, KEY)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [asked.path for asked in pretend.asked].count("/oauth2/v3/token") == 1


def test_without_any_token_nothing_is_asked(pretend):
    gateway = Gateway(pretend.config(line_channel_access_token=None))
    with pytest.raises(LineAuthFailed):
        gateway.push(BODY, KEY)
    assert not pretend.asked


# Asking ----------------------------------------------------------------------------------------


def test_a_profile_is_read(pretend, gateway):
    pretend.says(200, {"displayName": "小明", "userId": HANA, "language": "zh-TW", "new": 1})
    profile = gateway.profile(HANA)
    assert (profile.display_name, profile.language, profile.picture_url) == ("小明", "zh-TW", None)
    assert pretend.asked[0].path == f"/v2/bot/profile/{HANA}"


def test_a_profile_in_a_hurry_gives_up_sooner(pretend):
    pretend.does(SILENCE)
    gateway = Gateway(pretend.config())
    with pytest.raises(LineUnclear):
        gateway.profile(HANA, read_seconds=0.1)


def test_who_blocked_us_has_no_profile(pretend, gateway):
    pretend.says(404, {"message": "Not found"})
    with pytest.raises(LineRefused) as caught:
        gateway.profile(HANA)
    assert caught.value.status == 404


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"displayName": 5}', b"\xff"])
@pytest.mark.parametrize("call", ["profile", "bot_info", "quota", "consumption", "followers_ids"])
def test_an_unreadable_yes_is_an_error_of_ours(pretend, gateway, call, body):
    pretend.says(200, body)
    with pytest.raises(LineUnclear):
        getattr(gateway, call)(*([HANA] if call == "profile" else []))


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_an_error_page_that_is_no_text_does_no_harm(pretend, gateway, status):
    pretend.says(status, b"\xff\xfe\x00")
    with pytest.raises(LineError):
        gateway.profile(HANA)
    with pytest.raises(LineError):
        gateway.push(BODY, KEY)


def test_bot_info_takes_values_line_adds_later(pretend, gateway):
    pretend.says(
        200, {"userId": "Ub", "basicId": "@bear", "displayName": "熊大便當", "chatMode": "hologram"}
    )
    info = gateway.bot_info()
    assert (info.basic_id, info.chat_mode, info.premium_id) == ("@bear", "hologram", None)


def test_quotas_are_read(pretend, gateway):
    pretend.says(200, {"type": "limited", "value": 3000}).says(200, {"type": "none"})
    assert gateway.quota().limit == 3000
    assert gateway.quota().limit is None


def test_followers_come_in_pages(pretend, gateway):
    pretend.says(200, {"userIds": [HANA], "next": "n"}).says(200, {"userIds": []})
    page = gateway.followers_ids()
    assert (page.user_ids, page.next) == ((HANA,), "n")
    assert gateway.followers_ids("n").next is None
    assert "start=n" in pretend.asked[1].path


def test_the_webhook_address_is_read_set_and_tested(pretend, gateway):
    pretend.says(200, {"endpoint": "https://x.example/webhook", "active": False})
    found = gateway.webhook_endpoint()
    assert (found.url, found.active) == ("https://x.example/webhook", False)
    pretend.answers.clear()
    pretend.says(404, {"message": "not set"})
    assert gateway.webhook_endpoint() is None
    pretend.answers.clear()
    pretend.says(200, {})
    gateway.set_webhook_endpoint("https://y.example/webhook")
    assert json.loads(pretend.asked[-1].body) == {"endpoint": "https://y.example/webhook"}
    pretend.answers.clear()
    pretend.says(
        200,
        {
            "success": False,
            "timestamp": "2026-11-22T01:02:03.456Z",
            "statusCode": -1,
            "reason": "SOMETHING_NEW",
            "detail": "x",
        },
    )
    test = gateway.test_webhook()
    assert (test.success, test.status_code, test.reason) == (False, -1, "SOMETHING_NEW")


def test_content_is_fetched_from_the_data_host(pretend):
    pretend.says(200, b"\x89PNG...", content_type="image/png").says(202, {})
    gateway = Gateway(pretend.config(line_api_base="http://127.0.0.1:9"))
    found = gateway.content("1/2")
    assert (found.data, found.content_type) == (b"\x89PNG...", "image/png")
    assert pretend.asked[0].path == "/v2/bot/message/1%2F2/content"
    assert gateway.content("12") is None


def test_content_beyond_our_size_is_refused(pretend, gateway, monkeypatch):
    monkeypatch.setattr("lineadmin.line.gateway.CONTENT_BYTES", 10)
    pretend.says(200, b"x" * 11, content_type="video/mp4")
    with pytest.raises(LineRefused):
        gateway.content("1")


def test_validation_sends_the_messages_as_they_are(pretend, gateway):
    pretend.says(200, {}).says(400, {"message": "m", "details": [{"message": "long"}]})
    messages = [{"type": "hologram", "quickReply": {"items": []}}]
    gateway.validate("push", messages)
    assert json.loads(pretend.asked[0].body) == {"messages": messages}
    with pytest.raises(LineRefused) as caught:
        gateway.validate("push", messages)
    assert caught.value.details[0].message == "long"
    with pytest.raises(ValueError, match="validate"):
        gateway.validate("../x", [])


def test_loading_is_a_multiple_of_five(pretend, gateway):
    pretend.says(202, {})
    for seconds, asked in ((1, 5), (23, 20), (600, 60)):
        gateway.loading(HANA, seconds=seconds)
        assert json.loads(pretend.asked[-1].body) == {"chatId": HANA, "loadingSeconds": asked}


def test_the_account_has_those_who_added_it_less_those_who_blocked_it(pretend, gateway):
    counted = {"status": "ready", "followers": 7620, "targetedReaches": 5848, "blocks": 237}
    pretend.says(200, counted).says(200, {"status": "unready"}).says(200, {"status": "ready"})
    late = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # the 24th in LINE's calendar
    total = gateway.friend_total(wall=late)
    assert total is not None
    assert (total.friends, total.day.isoformat()) == (7383, "2026-11-23")
    assert pretend.asked[-1].path == "/v2/bot/insight/followers?date=20261123"
    assert gateway.friend_total(wall=late) is None
    with pytest.raises(LineUnclear):
        gateway.friend_total(wall=late)
