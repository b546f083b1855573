"""Narrowcasts of the pretend LINE: whom they reach, what they hold back, and when they fail."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests import openapi

TEXT = {"messages": [{"type": "text", "text": "hello"}]}
WOMEN = {"type": "gender", "oneOf": ["female"]}
PROGRESS = "/v2/bot/message/progress/narrowcast?requestId="
AUDIENCE = "/v2/bot/audienceGroup"


def people(world: Any, count: int, seed: str, **guess: Any) -> list[str]:
    return world.add_phones(count, seed=seed, estimates=guess)


def narrow(line: Any, demographic: Any = None, key: str | None = None, **more: Any) -> Any:
    body = {**TEXT, **more}
    if demographic:
        body["filter"] = {"demographic": demographic}
    return line.send("narrowcast", body, key)


def progress(line: Any, answer: Any) -> dict[str, Any]:
    path = PROGRESS + answer.headers["x-line-request-id"]
    found = line.get(path)
    openapi.check_answer("GET", path, found.status, found.body)
    return dict(found.body)


def reached(world: Any) -> set[str]:
    return set(world.received(how="narrowcast"))


def test_only_those_line_guesses_to_fit_get_it_and_unknown_ones_do_not(line, world):
    women = people(world, 60, "w", gender="female", age=30, area="tw_01")
    people(world, 30, "m", gender="male", age=30, area="tw_01")
    people(world, 20, "u", gender=None, age=None, area=None)
    answer = narrow(line, WOMEN)
    assert answer.status == 202
    assert reached(world) == set(women)
    told = progress(line, answer)
    assert (told["phase"], told["successCount"], told["targetCount"]) == ("succeeded", 60, 60)


def test_operators_ages_and_friend_days_are_half_open(line, world):
    young = people(world, 55, "y", age=25, friend_days=7, os="ios")
    people(world, 55, "o", age=35, friend_days=7, os="ios")
    people(world, 55, "n", age=25, friend_days=6, os="android")
    wanted = {
        "type": "operator",
        "and": [
            {"type": "age", "gte": "age_25", "lt": "age_35"},
            {"type": "subscriptionPeriod", "gte": "day_7"},
            {"type": "operator", "not": {"type": "appType", "oneOf": ["android"]}},
        ],
    }
    assert progress(line, narrow(line, wanted))["phase"] == "succeeded"
    assert reached(world) == set(young)


def test_a_filter_needs_a_hundred_friends_and_fifty_recipients(line, world):
    people(world, 49, "w", gender="female")
    people(world, 50, "m", gender="male")
    assert narrow(line, WOMEN).status == 403
    people(world, 1, "x", gender="male")
    told = progress(line, narrow(line, WOMEN))
    assert (told["phase"], told["errorCode"]) == ("failed", 2)
    assert reached(world) == set()


def test_the_whole_target_reach_is_held_unless_a_limit_says_less(line, world):
    people(world, 120, "w", gender="female")
    world.settings(narrowcast_waiting_ms=60_000)
    world.quota(100)
    assert narrow(line, WOMEN).status == 429
    waiting = narrow(line, WOMEN, limit={"max": 60})
    assert (waiting.status, progress(line, waiting)["phase"]) == (202, "waiting")
    hana = people(world, 60, "h")
    assert line.multicast(hana[:41]).status == 429
    assert line.multicast(hana[:40]).status == 200
    world.age(61_000)
    assert progress(line, waiting)["successCount"] == 60
    assert world.state()["used"] == 100


def test_what_is_left_may_be_enough(line, world):
    people(world, 120, "w", gender="female")
    world.quota(70)
    whole = {"max": 120, "upToRemainingQuota": True}
    assert progress(line, narrow(line, WOMEN, limit=whole))["successCount"] == 70


def test_the_same_key_sends_once(line, world):
    people(world, 100, "w", gender="female")
    key = str(uuid4())
    first, again = narrow(line, WOMEN, key), narrow(line, WOMEN, key)
    assert (first.status, again.status) == (202, 409)
    accepted = again.headers["x-line-accepted-request-id"]
    assert accepted == first.headers["x-line-request-id"]
    assert {len(rows) for rows in world.received(how="narrowcast").values()} == {1}


def audience(line: Any, ids: list[str], name: str = "a") -> int:
    body = {"description": name, "audiences": [{"id": one} for one in ids]}
    return int(line.request("POST", f"{AUDIENCE}/upload", body).body["audienceGroupId"])


def test_an_uploaded_audience_needs_no_minimum_and_can_be_left_out(line, world):
    women = people(world, 100, "w", gender="female")
    few = {"type": "audience", "audienceGroupId": audience(line, women[:3])}
    assert progress(line, narrow(line, recipient=few))["successCount"] == 3
    world.reset()
    women = people(world, 100, "w", gender="female")
    few = {"type": "audience", "audienceGroupId": audience(line, women[:3])}
    without = {"type": "operator", "not": few}
    assert progress(line, narrow(line, WOMEN, recipient=without))["successCount"] == 97
    assert reached(world) == set(women[3:])


def test_an_audience_that_is_not_ready_is_refused(line, world):
    women = people(world, 100, "w")
    world.settings(audience_ms=60_000)
    recipient = {"type": "audience", "audienceGroupId": audience(line, women[:3])}
    assert narrow(line, recipient=recipient).status == 400
    world.age(61_000)
    assert narrow(line, recipient=recipient).status == 202


def test_audiences_of_clicks_and_impressions_come_from_a_narrowcast_only(line, world):
    women = people(world, 110, "w", gender="female")
    action = {"type": "uri", "label": "看看", "uri": "https://shop.example/x"}
    template = {"type": "buttons", "text": "a", "actions": [action]}
    body = {"messages": [{"type": "template", "altText": "a", "template": template}]}
    sent = line.send("narrowcast", body).headers["x-line-request-id"]
    push = line.push(women[0]).headers["x-line-request-id"]
    for user in women[:60]:
        world.tap(user, "看看")

    def make(kind: str, request_id: str) -> Any:
        asked = {"description": f"{kind} {uuid4()}", "requestId": request_id}
        path = f"{AUDIENCE}/{kind}"
        answer = line.request("POST", path, asked)
        openapi.check_request("POST", path, asked)
        openapi.check_answer("POST", path, answer.status, answer.body)
        return answer

    assert make("click", push).message == "REQUEST_NOT_FOUND"
    seen, tapped = make("imp", sent), make("click", sent)
    assert make("imp", sent).message == "AUDIENCE_GROUP_REQUESTID_DUPLICATE"
    assert (seen.status, tapped.status) == (202, 202)
    recipient = {"type": "audience", "audienceGroupId": tapped.body["audienceGroupId"]}
    assert progress(line, narrow(line, recipient=recipient))["successCount"] == 60
    event = line.get(f"/v2/bot/insight/message/event?requestId={sent}").body
    assert event["overview"]["uniqueClick"] == 60
    assert event["overview"]["delivered"] == 110


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"filter": {"demographic": {"type": "gender", "oneOf": ["x"]}}}, "demographic.oneOf"),
        ({"filter": {"demographic": {"type": "age"}}}, "demographic"),
        ({"filter": {"demographic": {"type": "age", "gte": "age_30", "lt": "age_20"}}}, "graphic"),
        ({"filter": {"demographic": {"type": "area", "oneOf": []}}}, "demographic.oneOf"),
        ({"recipient": {"type": "operator", "and": []}}, "recipient.and"),
        ({"recipient": {"type": "operator"}}, "recipient"),
        ({"limit": {"max": 0}}, "limit.max"),
        ({"limit": {"forbidPartialDelivery": True}}, "forbidPartialDelivery"),
        ({"recipient": {"type": "somebody"}}, "recipient.type"),
    ],
    ids=str,
)
def test_what_line_refuses_is_refused(line, world, more, place):
    answer = line.send("narrowcast", {**TEXT, **more})
    assert answer.status == 400
    assert answer.properties[0].endswith(place)


def test_line_can_be_made_to_fail(line, world):
    people(world, 100, "w")
    world.settings(narrowcast_error=1)
    told = progress(line, narrow(line))
    assert (told["phase"], told["errorCode"], told["successCount"]) == ("failed", 1, 0)
    assert world.state()["used"] == 0
