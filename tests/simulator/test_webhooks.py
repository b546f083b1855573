"""Webhooks: signed, timed, marked when they come again."""

import base64
import hashlib
import hmac
import json
import re

from tests.cli.processes import wait_for
from tests.conftest import PATIENCE
from tests.simulator.conftest import SECRET


def test_a_webhook_is_signed_over_its_raw_body(world, hana, panel):
    world.text(hana, "一個便當 🍱", wait_ms=30_000)
    (body,), (signature,) = panel.bodies, panel.signatures
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    assert signature == base64.b64encode(mac).decode()


def test_an_event_has_what_every_event_has(world, hana, panel):
    before = world.state()["shop_ms"]
    world.text(hana, "hi", wait_ms=30_000)
    payload = json.loads(panel.bodies[0])
    assert payload["destination"] == world.state()["account"]["user_id"]
    (event,) = payload["events"]
    assert event["type"] == "message"
    assert event["mode"] == "active"
    assert event["source"] == {"type": "user", "userId": hana}
    assert event["deliveryContext"] == {"isRedelivery": False}
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", event["webhookEventId"])
    assert re.fullmatch(r"[0-9a-f]{32}", event["replyToken"])
    assert before <= event["timestamp"] <= before + 10_000
    assert panel.paths == ["/webhook"]


def test_event_ids_sort_by_time_and_timestamps_never_tie(world, hana, panel):
    for number in range(5):
        world.text(hana, str(number), wait_ms=30_000)
    stamps = [event["timestamp"] for event in panel.events]
    assert stamps == sorted(set(stamps))
    assert len({event["webhookEventId"] for event in panel.events}) == 5
    prefixes = [event["webhookEventId"][:10] for event in panel.events]
    assert prefixes == sorted(prefixes)


def test_the_clock_of_the_shop_is_in_the_events(world, hana, panel):
    week = 7 * 86_400_000
    world.text(hana, "a", wait_ms=30_000)
    world.settings(clock_offset_ms=week)
    world.text(hana, "b", wait_ms=30_000)
    first, second = panel.events
    assert week <= second["timestamp"] - first["timestamp"] < week + 60_000


def test_events_of_one_person_arrive_in_order(world, hana, panel):
    for number in range(30):
        world.text(hana, str(number))
    assert world.wait_for_events()
    assert [event["message"]["text"] for event in panel.events] == [str(n) for n in range(30)]


def test_an_answer_that_is_not_2xx_is_a_failure(world, hana, panel):
    panel.statuses = [500]
    delivery = world.text(hana, "hi", wait_ms=30_000)
    assert not delivery["delivered"]
    assert [attempt["reason"] for attempt in delivery["attempts"]] == ["ERROR_STATUS_CODE"]


def test_no_answer_in_time_is_a_failure(world, hana, panel):
    world.settings(webhook_timeout_ms=300)
    panel.wait_seconds = 60.0
    (attempt,) = world.text(hana, "hi", wait_ms=30_000)["attempts"]
    assert (attempt["reason"], attempt["status"]) == ("REQUEST_TIMEOUT", 0)


def test_nobody_there_is_a_failure(world, hana):
    world.settings(webhook_url="http://127.0.0.1:9/webhook")
    (attempt,) = world.text(hana, "hi", wait_ms=30_000)["attempts"]
    assert attempt["reason"] == "COULD_NOT_CONNECT"


def test_a_failed_event_comes_again_when_redelivery_is_on(world, hana, panel):
    world.settings(redelivery=True, redelivery_delays_ms=[10, 10, 10])
    panel.statuses = [500, 500]
    world.text(hana, "hi", wait_ms=30_000)
    assert wait_for(lambda: bool(world.events()[0]["delivered"]), PATIENCE)
    first, second, third = panel.events
    assert [e["deliveryContext"]["isRedelivery"] for e in panel.events] == [False, True, True]
    for again in (second, third):
        assert {**again, "deliveryContext": None} == {**first, "deliveryContext": None}


def test_a_failed_event_is_gone_when_redelivery_is_off(world, hana, panel):
    panel.statuses = [500]
    world.text(hana, "hi", wait_ms=30_000)
    world.wait_for_events()
    assert len(panel.bodies) == 1


def test_any_event_can_be_delivered_again(world, hana, panel):
    first = world.text(hana, "a", wait_ms=30_000)
    world.text(hana, "b", wait_ms=30_000)
    world.redeliver(first["event_id"], wait_ms=30_000)
    assert [event["message"]["text"] for event in panel.events] == ["a", "b", "a"]
    assert panel.events[-1]["deliveryContext"] == {"isRedelivery": True}
    world.redeliver(last=2, wait_ms=30_000)
    assert [event["message"]["text"] for event in panel.events][-2:] == ["a", "b"]


def test_held_events_can_arrive_in_another_order(world, hana, panel):
    world.hold()
    for word in ("a", "b", "c"):
        world.text(hana, word)
    assert panel.bodies == []
    assert world.state()["events"]["held"] == 3
    assert world.release("reverse") == 3
    world.wait_for_events()
    assert [event["message"]["text"] for event in panel.events] == ["c", "b", "a"]


def test_held_events_can_arrive_in_one_webhook(world, hana, panel):
    taro = world.add_phone("太郎")["user_id"]
    world.hold()
    world.text(hana, "a")
    world.text(taro, "b")
    world.release(together=True)
    world.wait_for_events()
    assert len(panel.bodies) == 1
    assert [event["source"]["userId"] for event in panel.events] == [hana, taro]


def test_any_event_at_all_can_be_sent(world, panel):
    odd = [
        {"type": "future", "mode": "active", "timestamp": 1, "webhookEventId": "01ABC"},
        {"type": "message", "mode": "standby"},
    ]
    found = world.send_events(odd, together=True, wait_ms=30_000)
    assert [delivery["delivered"] for delivery in found] == [True, True]
    assert panel.events == odd


def test_the_verify_button_posts_an_empty_webhook(line, panel):
    answer = line.request("POST", "/v2/bot/channel/webhook/test", {})
    assert answer.body["success"]
    assert (answer.body["statusCode"], answer.body["reason"]) == (200, "OK")
    assert panel.events == []
    assert len(panel.bodies) == 1
    panel.statuses = [400]
    answer = line.request("POST", "/v2/bot/channel/webhook/test")
    assert not answer.body["success"]
    assert (answer.body["statusCode"], answer.body["reason"]) == (400, "ERROR_STATUS_CODE")


def test_the_endpoint_can_be_read_and_set(line, world, hana, panel):
    path = "/v2/bot/channel/webhook/endpoint"
    assert line.get(path).body == {"endpoint": "https://demo.invalid/webhook", "active": True}
    assert line.request("PUT", path, {"endpoint": "https://demo.invalid/hook"}).status == 200
    world.text(hana, "hi", wait_ms=30_000)
    assert panel.paths == ["/hook"]
    for wrong in ("http://demo.invalid/", "https://", "https://a.example/" + "a" * 500, None):
        assert line.request("PUT", path, {"endpoint": wrong}).status == 400
    world.settings(endpoint=None)
    assert line.get(path).status == 404
    assert world.text(hana, "hi", wait_ms=30_000)["attempts"] == []


def test_events_never_leave_this_machine(line, world, hana):
    endpoint = {"endpoint": "https://panel.example.com/webhook"}
    line.request("PUT", "/v2/bot/channel/webhook/endpoint", endpoint)
    (attempt,) = world.text(hana, "hi", wait_ms=30_000)["attempts"]
    assert attempt["reason"] == "COULD_NOT_CONNECT"


def test_the_webhook_switch_stops_events(world, hana, panel):
    world.settings(webhook_active=False)
    world.text(hana, "hi", wait_ms=30_000)
    assert panel.bodies == []
