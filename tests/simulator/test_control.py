"""The control API: who may call it, and what it tells."""

import threading

import pytest
import urllib3

from lineadmin.simulator.client import ControlError, SimulatorClient
from lineadmin.simulator.server import Simulator
from lineadmin.simulator.wire import Request


def raw(sim, method, path, **headers):
    http = urllib3.PoolManager(retries=False)
    return http.request(method, f"{sim.base_url}/sim/{path}", body=b"{}", headers=headers)


def test_a_page_in_a_browser_cannot_change_anything(sim):
    assert raw(sim, "POST", "reset").status == 403
    assert raw(sim, "POST", "reset", **{"x-sim-control": "1"}).status == 200


def test_another_host_name_is_refused(sim):
    assert raw(sim, "GET", "state", Host="attacker.example").status == 403


def test_other_machines_are_refused(sim):
    request = Request("GET", "/sim/state", "", {"host": "127.0.0.1"}, b"", "10.0.0.7")
    assert sim._answer(request).status == 403


def test_a_control_token_is_asked_for(panel):
    with Simulator(control_token="open sesame") as sim:
        assert sim.client.state()["phones"]["friend"] == 0
        with pytest.raises(ControlError) as refused:
            SimulatorClient(sim.base_url, "wrong").state()
        assert refused.value.status == 403


def test_lines_token_is_not_for_the_control_api_nor_the_other_way_round(sim, line):
    assert line.get("/sim/state").status == 200
    assert raw(sim, "GET", "nothing").status == 404


def test_nonsense_is_told(world, hana):
    for method, path, body in (
        ("POST", "settings", {"volume": 11}),
        ("POST", "settings", {"verified": "yes"}),
        ("POST", "phones", {"name": 5}),
        ("POST", "phones", {"name": "a", "status": "gone"}),
        ("POST", "phones", {"name": "a", "shoe_size": 42}),
        ("PATCH", f"phones/{hana}", {"status": "gone"}),
        ("POST", f"phones/{hana}/text", {"words": "hi"}),
        ("POST", f"phones/{hana}/file", {"kind": "image", "type": "image/png", "base64": "§"}),
        ("POST", "latency", {"min_ms": -1}),
        ("POST", "age", {}),
    ):
        with pytest.raises(ControlError) as refused:
            world.call(method, path, body)
        assert refused.value.status == 400


def test_people_can_be_listed_and_changed(world):
    world.add_phone("花", pinned=True, os="android")
    taro = world.add_phone("太郎", user_id="U" + "a" * 32)["user_id"]
    with pytest.raises(ControlError):
        world.add_phone("二郎", user_id=taro)
    assert [phone["name"] for phone in world.phones()] == ["花", "太郎"]
    assert [phone["name"] for phone in world.phones(pinned=1)] == ["花"]
    assert [phone["name"] for phone in world.phones(q="太")] == ["太郎"]
    assert [phone["name"] for phone in world.phones(offset=1, limit=1)] == ["太郎"]
    world.change_phone(taro, name="次郎", status="blocked")
    assert [phone["name"] for phone in world.phones(status="blocked")] == ["次郎"]


def test_many_people_have_repeatable_ids(world):
    first = world.add_phones(10, seed="a")
    assert world.add_phones(12, seed="a")[:10] == first
    assert set(world.add_phones(10, seed="b")).isdisjoint(first)
    assert world.state()["phones"]["friend"] == 22


def test_calls_are_logged(line, world, hana):
    line.push(hana)
    line.push("x")
    line.get("/v2/bot/info")
    calls = world.calls()
    assert [(call["endpoint"], call["status"]) for call in calls] == [
        ("push", 200),
        ("push", 400),
        ("bot_info", 200),
    ]
    assert [call["n"] for call in world.calls(after=1)] == [2, 3]
    assert [call["n"] for call in world.calls(after=1, limit=1)] == [2]
    assert [call["n"] for call in world.calls(limit=1)] == [3]
    assert [call["n"] for call in world.calls(endpoint="push", status=400)] == [2]
    assert "'to'" in calls[1]["error"]
    counters = world.counters()
    assert (counters["requests"], counters["push.requests"], counters["push.400"]) == (3, 2, 1)


def test_what_everyone_received(line, world, hana):
    taro = world.add_phone("太郎")["user_id"]
    line.push(hana, "a")
    line.multicast([hana, taro], "b")
    received = world.received()
    assert [row[0] for row in received[hana]] == ["push", "multicast"]
    assert [row[3][0]["text"] for row in received[hana]] == ["a", "b"]
    assert list(world.received(how="push")) == [hana]
    assert world.received_counts() == {hana: 2, taro: 1}


def test_a_change_wakes_whoever_waits(line, world, hana):
    version = world.state()["version"]
    assert world.changes(version, wait_ms=10) == version
    timer = threading.Timer(0.05, line.push, [hana])
    timer.start()
    assert world.changes(version, wait_ms=30_000) > version
    timer.join()


def test_a_reset_empties_the_world(line, world, hana):
    world.fail("500", percent=100)
    world.settings(limits={"push": [1, 60]}, verified=True)
    line.push(hana)
    world.reset()
    state = world.state()
    assert state["phones"] == {"friend": 0, "blocked": 0, "stranger": 0}
    assert (state["faults"], state["limits"], state["counters"]) == ([], {}, {})
    assert not state["account"]["verified"]
    assert world.events() == []
    assert line.push(hana).status == 400
