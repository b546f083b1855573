"""Friends underway whose sequence is switched off, ends, or has reached what it was for."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import settings
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.sequences import actions, drafts, goals, triggers
from lineadmin.sequences.models import Sequence
from tests.factories import make_friends
from tests.sequences.stage import at, change, follow, planned, publish, run_of, step, tick

MONDAY = at("2026-11-23")
HAS_TAG = {"field": "tag", "op": "is", "value": "買過"}


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one, and a tag."""
    Tag.create(name="買過", created_at=MONDAY)


def switch_off(sequence: Sequence) -> None:
    actions.disable(sequence.id, staff=None, wall=MONDAY)


def tagged(friend: Friend) -> None:
    FriendTag.create(friend=friend, tag=Tag.get(), at=MONDAY)


def test_switched_off_to_pause_the_missed_steps_are_left_out_with_their_reason() -> None:
    sequence = publish(step(1), step(1), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    switch_off(sequence)
    tick(at("2026-11-24"))
    tick(at("2026-11-28"))
    assert planned(hana) == []
    back = at("2026-11-29")
    actions.enable(sequence.id, staff=None, wall=MONDAY, now=back)
    tick(back)
    assert planned(hana) == [
        (1, "11-24 10:00", "switched_off"),
        (2, "11-25 10:00", "switched_off"),
    ]
    assert run_of(hana).next_at == at("2026-12-02", "10:00")


def test_switched_off_to_finish_nobody_starts_and_those_underway_get_the_rest() -> None:
    sequence = publish(step(1), step(1), now=MONDAY, settings={"when_off": "finish"})
    hana = follow(MONDAY)
    tick(MONDAY)
    switch_off(sequence)
    taro = follow(at("2026-11-23", "18:00"))
    tick(at("2026-11-24"))
    tick(at("2026-11-25"))
    assert [line[0] for line in planned(hana)] == [1, 2]
    assert run_of(hana).state == "finished"
    assert planned(taro) == []


def test_switched_off_to_stop_everybody_leaves_and_what_waits_is_taken_back() -> None:
    sequence = publish(step(1), step(1), now=MONDAY, settings={"when_off": "stop"})
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    switch_off(sequence)
    tick(at("2026-11-24", "12:01"))
    assert (run_of(hana).state, run_of(hana).reason) == ("stopped", "switched_off")
    waiting = Delivery.get()
    assert (waiting.state, waiting.reason) == (DeliveryState.CANCELED, "left")
    actions.enable(sequence.id, staff=None, wall=MONDAY, now=at("2026-11-24", "13:00"))
    tick(at("2026-11-25"))
    assert len(planned(hana)) == 1


@pytest.mark.parametrize(
    ("when_over", "steps", "state"),
    [("finish", [1, 2], ("finished", "")), ("stop", [1], ("stopped", "period_over"))],
)
def test_when_the_period_is_over(when_over: str, steps: list[int], state: tuple[str, str]) -> None:
    publish(
        step(1),
        step(1),
        now=MONDAY,
        settings={"period_until": at("2026-11-24").date(), "when_over": when_over},
    )
    hana = follow(at("2026-11-23"))
    tick(MONDAY)
    tick(at("2026-11-24"))
    tick(at("2026-11-25", "00:01"))
    tick(at("2026-11-25"))
    assert [line[0] for line in planned(hana)] == steps
    assert (run_of(hana).state, run_of(hana).reason) == state


def test_a_period_that_is_made_longer_in_time_stops_nobody() -> None:
    last = {"period_until": at("2026-11-24").date(), "when_over": "stop"}
    sequence = publish(step(1), step(1), now=MONDAY, settings=last)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    change(sequence, period_until=at("2026-12-31").date())
    tick(at("2026-11-25"))
    assert run_of(hana).state == "finished"


def test_the_stop_condition_is_asked_when_a_step_is_due() -> None:
    publish(step(1), step(1), step(1), now=MONDAY, stop=HAS_TAG)
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    tagged(hana)
    tick(at("2026-11-25"))
    tick(at("2026-11-26"))
    assert planned(hana) == [(1, "11-24 10:00", ""), (2, "11-25 10:00", "goal")]
    assert (run_of(hana).state, run_of(hana).reason) == ("stopped", "goal")
    assert len(planned(taro)) == 3


def test_it_is_asked_again_at_the_moment_of_sending() -> None:
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=MONDAY)
    sequence = publish(step(1, "23:00"), step(1), now=MONDAY, stop=HAS_TAG)
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "23:00"))
    tagged(hana)
    runs = {row.friend_id: row.origin_run for row in Delivery.select()}
    assert runs.keys() == {hana.id, taro.id}
    assert goals.left_out(sequence.id, runs, at("2026-11-25", "09:00")) == {hana.id: "goal"}
    assert run_of(hana).reason == "goal"
    assert run_of(taro).state == "active"


def test_an_edited_stop_condition_holds_for_those_on_that_version_only() -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    steps = [step(1), step(1)]
    new = {"trigger": {"follow": "any"}, "branches": [{"steps": steps}], "stop": HAS_TAG}
    drafts.save_draft(sequence.id, new, version=None, staff=None, wall=MONDAY)
    actions.publish(sequence.id, version=None, staff=None, now=MONDAY, wall=MONDAY, public_url=None)
    taro = follow(MONDAY)
    tick(MONDAY)
    tagged(hana)
    tagged(taro)
    tick(at("2026-11-24"))
    assert planned(hana) == [(1, "11-24 10:00", "")]
    assert planned(taro) == [(1, "11-24 10:00", "goal")]


def test_thousands_leave_in_short_transactions() -> None:
    from lineadmin import journal

    sequence = publish(step(1), now=MONDAY, settings={"when_off": "stop"})
    journal.record_many(make_friends(6_000), "followed", at=MONDAY)
    triggers.advance(MONDAY, MONDAY)
    switch_off(sequence)
    assert triggers.advance(MONDAY, MONDAY) == 6_000
    assert triggers.advance(MONDAY, MONDAY) == 0


def test_a_branch_is_chosen_at_the_first_step_where_it_is_set_so() -> None:
    """Her age becomes known between following and the first step."""
    young = {"field": "age", "op": "less_than", "value": 25}
    branches = [
        {"name": "25 歲以下", "where": young, "steps": [step(1, "09:00"), step(1)]},
        {"name": "其他好友", "otherwise": True, "steps": [step(2, "18:00")]},
    ]
    publish(branches=branches, now=MONDAY, decide="first_step")
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    assert (run_of(hana).branch, run_of(hana).next_at) == (-1, at("2026-11-24", "09:00"))
    Friend.update(birth_year=2005).where(Friend.id == hana.id).execute()
    tick(at("2026-11-24", "09:00"))
    assert run_of(hana).branch_reason == {"branch": "25 歲以下", "decided": "first_step"}
    assert planned(hana) == [(1, "11-24 09:00", "")]
    assert (run_of(taro).branch, planned(taro)) == (1, [])
    tick(at("2026-11-25", "18:00"))
    assert planned(taro) == [(1, "11-25 18:00", "")]


def test_chosen_at_enrolment_an_age_that_becomes_known_later_changes_nothing() -> None:
    young = {"field": "age", "op": "less_than", "value": 25}
    branches = [
        {"name": "25 歲以下", "where": young, "steps": [step(1)]},
        {"name": "其他好友", "otherwise": True, "steps": [step(1), step(1)]},
    ]
    publish(branches=branches, now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Friend.update(birth_year=2005).execute()
    tick(at("2026-11-24"))
    tick(at("2026-11-25"))
    assert [line[0] for line in planned(hana)] == [1, 2]
    assert run_of(hana).branch == 1
