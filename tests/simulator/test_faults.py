"""LINE failing on demand, before and after accepting."""

import time
from uuid import uuid4

import pytest
import urllib3

from lineadmin.simulator.faults import Faults


@pytest.mark.parametrize(
    ("kind", "status"), [("500", 500), ("429", 429), ("401", 401), ("400", 400), ("403", 403)]
)
def test_a_failure_before_accepting_sends_nothing(line, world, hana, kind, status):
    world.fail(kind, endpoint="push")
    assert line.push(hana).status == status
    assert world.texts(hana) == []
    assert line.push(hana).status == 200
    assert world.calls(endpoint="push")[0]["fault"] == kind


def test_the_monthly_limit_can_be_pretended(line, world, hana):
    world.fail("monthly")
    assert line.push(hana).message == "You have reached your monthly limit."


def test_a_500_after_accepting_has_sent(line, world, hana):
    world.fail("accept_500", endpoint="push")
    key = str(uuid4())
    assert line.push(hana, "a", key).status == 500
    assert world.texts(hana) == ["a"]
    assert line.push(hana, "a", key).status == 409
    assert world.texts(hana) == ["a"]


def test_a_dropped_connection_after_accepting_has_sent(line, world, hana):
    world.fail("drop_after", endpoint="multicast")
    key = str(uuid4())
    with pytest.raises(urllib3.exceptions.HTTPError):
        line.multicast([hana], "a", key)
    assert line.multicast([hana], "a", key).status == 409
    assert world.texts(hana) == ["a"]
    assert [call["status"] for call in world.calls(endpoint="multicast")] == [0, 409]


def test_a_dropped_connection_before_accepting_has_not_sent(line, world, hana):
    world.fail("drop_before", endpoint="multicast")
    key = str(uuid4())
    with pytest.raises(urllib3.exceptions.HTTPError):
        line.multicast([hana], "a", key)
    assert world.texts(hana) == []
    assert line.multicast([hana], "a", key).status == 200


def test_a_timeout_keeps_the_line_open_in_silence(line, world, hana):
    world.fail("timeout_after", endpoint="push", hold_ms=5000)
    line.http.connection_pool_kw["timeout"] = 0.2
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        line.push(hana)
    assert world.texts(hana) == ["hello"]


def test_a_refused_request_is_refused_even_when_it_should_time_out(line, world):
    world.fail("drop_after", endpoint="push")
    assert line.push("x").status == 400


def test_the_next_three_fail_and_then_no_more(line, world, hana):
    world.fail("500", endpoint="push", times=3)
    assert [line.push(hana).status for _ in range(4)] == [500, 500, 500, 200]


def test_a_fault_hits_only_its_endpoint(line, world, hana):
    world.fail("500", endpoint="push", times=1)
    assert line.multicast([hana]).status == 200
    assert line.push(hana).status == 500


def test_some_percent_fail_the_same_way_for_the_same_seed():
    def draw(seed):
        faults = Faults(seed)
        faults.add("500", percent=30)
        return [faults.draw("push") is not None for _ in range(1000)]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
    assert 250 < sum(draw(7)) < 350


def test_faults_can_be_cleared(line, world, hana):
    world.fail("500", percent=100)
    assert line.push(hana).status == 500
    world.clear_faults()
    assert line.push(hana).status == 200


def test_an_answer_can_take_its_time(line, world, hana):
    world.latency(50, 60, endpoint="push")
    began = time.monotonic()
    line.push(hana)
    assert time.monotonic() - began >= 0.05
    world.latency(0, endpoint="push")
    assert world.state()["latency"] == {}


def test_nonsense_is_refused(world):
    for wrong in ({"kind": "explode"}, {"kind": "500", "percent": 101}):
        assert world_refuses(world, wrong)


def world_refuses(world, body):
    from lineadmin.simulator.client import ControlError

    with pytest.raises(ControlError) as refused:
        world.call("POST", "faults", body)
    return refused.value.status == 400
