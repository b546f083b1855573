"""Who gets what: push, multicast, broadcast, narrowcast, and the month's allowance."""

from lineadmin.simulator import ids

FOREIGN = "U" + "0" * 32
DAY_MS = 86_400_000


def test_a_push_arrives_and_names_its_message(line, world, hana):
    answer = line.push(hana, "週一快樂")
    assert answer.status == 200
    (sent,) = answer.body["sentMessages"]
    (bubble,) = world.chat(hana)
    assert bubble["message_id"] == sent["id"]
    assert bubble["message"] == {"type": "text", "text": "週一快樂"}
    assert (bubble["how"], bubble["side"]) == ("push", "shop")
    assert bubble["request_id"] == answer.headers["x-line-request-id"]


def test_only_messages_that_can_be_quoted_get_a_quote_token(line, hana):
    place = {"type": "location", "title": "t", "address": "a", "latitude": 1, "longitude": 2}
    both = [{"type": "text", "text": "a"}, place]
    first, second = line.send("push", {"to": hana, "messages": both}).body["sentMessages"]
    assert "quoteToken" in first
    assert "quoteToken" not in second


def test_a_quote_token_works_only_in_its_own_chat(line, world, hana):
    taro = world.add_phone("太郎")["user_id"]
    token = line.push(hana).body["sentMessages"][0]["quoteToken"]
    quote = [{"type": "text", "text": "re", "quoteToken": token}]
    assert line.send("push", {"to": hana, "messages": quote}).status == 200
    refused = line.send("push", {"to": taro, "messages": quote})
    assert refused.status == 400
    assert refused.properties == ["messages[0].quoteToken"]


def test_a_push_to_someone_who_blocked_is_silent(line, world, hana):
    world.block(hana)
    assert line.push(hana).status == 200
    assert world.texts(hana) == []
    assert world.calls(endpoint="push")[0]["delivered"] == 0


def test_a_push_to_an_id_of_another_provider_fails(line):
    answer = line.push(FOREIGN)
    assert answer.status == 400
    assert answer.message == "Failed to send messages"


def test_a_push_to_something_that_is_no_id_fails(line):
    for to in ("hana", "U123", FOREIGN.upper(), None, 5):
        answer = line.send("push", {"to": to, "messages": [{"type": "text", "text": "a"}]})
        assert answer.status == 400
    assert "'to'" in line.push("hana").message


def test_a_stranger_is_reached_for_seven_days_after_writing(line, world):
    yuki = world.add_phone("雪", status="stranger")["user_id"]
    assert line.push(yuki).status == 200
    assert world.texts(yuki) == []
    world.text(yuki, "營業嗎？")
    line.push(yuki, "是")
    assert world.texts(yuki) == ["是"]
    world.age(7 * DAY_MS + 1)
    assert line.push(yuki, "還在嗎").status == 200
    assert world.texts(yuki) == ["是"]


def test_a_multicast_reaches_friends_only(line, world):
    friends = world.add_phones(3)
    blocked = world.add_phone("封鎖", status="blocked")["user_id"]
    stranger = world.add_phone("路人", status="stranger")["user_id"]
    world.text(stranger, "hi")
    answer = line.multicast([*friends, blocked, stranger], "安安")
    assert (answer.status, answer.body) == (200, {})
    assert set(world.received()) == set(friends)
    call = world.calls(endpoint="multicast")[0]
    assert (call["recipients"], call["delivered"], call["messages"]) == (5, 3, 1)


def test_one_unknown_id_fails_the_whole_multicast(line, world):
    friends = world.add_phones(2)
    answer = line.multicast([*friends, FOREIGN])
    assert (answer.status, answer.message) == (400, "Failed to send messages")
    assert world.received() == {}


def test_a_multicast_takes_1_to_500_different_ids(line, world):
    friends = world.add_phones(501)
    assert line.multicast(friends[:500]).status == 200
    assert line.multicast(friends).properties == ["to"]
    assert line.multicast([]).properties == ["to"]
    assert line.multicast([friends[0], friends[0]]).properties == ["to"]
    assert "'to[1]'" in line.multicast([friends[0], "x"]).message
    assert line.send("multicast", {"to": "x", "messages": []}).status == 400


def test_a_broadcast_reaches_every_friend(line, world):
    friends = world.add_phones(3)
    world.add_phone("封鎖", status="blocked")
    assert line.send("broadcast", {"messages": [{"type": "text", "text": "a"}]}).status == 200
    assert set(world.received()) == set(friends)


def test_a_narrowcast_is_accepted_and_reports_its_progress(line, world):
    world.add_phones(5)
    body = {"messages": [{"type": "text", "text": "a"}], "limit": {"max": 2}}
    answer = line.send("narrowcast", body)
    assert answer.status == 202
    request_id = answer.headers["x-line-request-id"]
    progress = line.get(f"/v2/bot/message/progress/narrowcast?requestId={request_id}")
    assert progress.body["phase"] == "succeeded"
    assert progress.body["successCount"] == 2
    assert line.get("/v2/bot/message/progress/narrowcast?requestId=x").status == 404


def test_validating_sends_nothing(line, world, hana):
    good = {"messages": [{"type": "text", "text": "a"}]}
    for kind in ("reply", "push", "multicast", "narrowcast", "broadcast"):
        assert line.send(f"validate/{kind}", good).body == {}
    refused = line.send("validate/push", {"messages": [{"type": "text", "text": ""}]})
    assert refused.status == 400
    assert refused.body == {
        "message": "The request body has 1 error(s)",
        "details": [{"message": "May not be empty", "property": "messages[0].text"}],
    }
    assert world.received() == {}
    assert world.state()["used"] == 0


def test_the_quota_counts_people_reached_not_bubbles(line, world):
    friends = world.add_phones(3)
    blocked = world.add_phone("封鎖", status="blocked")["user_id"]
    two = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    line.send("push", {"to": friends[0], "messages": two})
    line.send("multicast", {"to": [*friends, blocked], "messages": two})
    line.push(blocked)
    assert line.get("/v2/bot/message/quota/consumption").body == {"totalUsage": 4}
    assert world.counters()["delivered_bubbles"] == 8


def test_too_little_quota_fails_the_whole_call(line, world):
    friends = world.add_phones(5)
    world.quota(7, used=4)
    assert line.get("/v2/bot/message/quota").body == {"type": "limited", "value": 7}
    answer = line.multicast(friends)
    assert (answer.status, answer.message) == (429, "You have reached your monthly limit.")
    assert world.received() == {}
    assert line.multicast(friends[:3]).status == 200
    assert line.push(friends[0]).status == 429
    world.quota(None)
    assert line.get("/v2/bot/message/quota").body == {"type": "none"}
    assert line.push(friends[0]).status == 200


def test_replies_are_free(line, world, hana):
    world.quota(0)
    event = world.text(hana, "菜單", wait_ms=30_000)["event"]
    assert line.reply(event["replyToken"], "便當").status == 200
    assert world.state()["used"] == 0


def test_a_new_month_starts_at_zero(line, world, hana):
    world.quota(1)
    assert line.push(hana).status == 200
    assert line.push(hana).status == 429
    world.age(32 * DAY_MS)
    assert line.push(hana).status == 200


def test_delivery_counts_are_ready_the_day_after(line, world, hana):
    line.push(hana)
    today = world.state()["shop_ms"]
    day = _day(today)
    assert line.get(f"/v2/bot/message/delivery/push?date={day}").body == {"status": "unready"}
    world.settings(clock_offset_ms=DAY_MS)
    found = line.get(f"/v2/bot/message/delivery/push?date={day}").body
    assert found == {"status": "ready", "success": 1}
    assert line.get("/v2/bot/message/delivery/push?date=2026").status == 400


def _day(at_ms: int) -> str:
    from datetime import UTC, datetime

    from lineadmin.simulator.records import LINE_ZONE

    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(LINE_ZONE).strftime("%Y%m%d")


def test_aggregation_units_are_counted(line, world, hana):
    body = {"to": hana, "messages": [{"type": "text", "text": "a"}]}
    line.send("push", {**body, "customAggregationUnits": ["spring"]})
    assert line.get("/v2/bot/message/aggregation/info").body == {"numOfCustomAggregationUnits": 1}
    assert line.get("/v2/bot/message/aggregation/list").body == {
        "customAggregationUnits": ["spring"]
    }


def test_ten_thousand_friends_in_five_hundreds(line, world):
    friends = world.add_phones(10_000)
    assert friends[0] == ids.user_id("friend:0")
    for start in range(0, 10_000, 500):
        assert line.multicast(friends[start : start + 500]).status == 200
    counts = world.received_counts()
    assert len(counts) == 10_000
    assert set(counts.values()) == {1}
