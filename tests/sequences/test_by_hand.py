"""Friends whom staff start or stop, one by one or all of a segment."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.segments.models import Segment
from lineadmin.sequences import actions, by_hand, enrolments
from lineadmin.sequences.models import Enlistment, Enrolment, Sequence
from lineadmin.staff.models import Audit
from tests.factories import make_friend, make_friends
from tests.sequences.rehearsing import rehearse, told
from tests.sequences.stage import at, change, planned, publish, run_of, step, tick

MONDAY = at("2026-11-23")
EVERYBODY: dict[str, Any] = {"all": []}


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def start(sequence: Sequence, friend: Friend, now: Any = MONDAY) -> None:
    by_hand.start_friend(sequence.id, friend, staff=None, now=now, wall=now)


def enlist(sequence: Sequence, tree: dict[str, Any], now: Any = MONDAY) -> Enlistment:
    count = by_hand.count_for(sequence.id, tree, now=now)
    return by_hand.enlist(sequence.id, tree, "熟客", expected=count, staff=None, now=now, wall=now)


def test_one_friend_starts_today_whatever_the_trigger() -> None:
    for trigger in ({"manual": True}, {"follow": "any"}):
        sequence = publish(step(1), trigger=trigger, now=MONDAY)
        hana = make_friend()
        start(sequence, hana)
        tick(at("2026-11-24"))
        assert planned(hana) == [(1, "11-24 10:00", "")]
    assert Audit.select().where(Audit.action == "sequence.start").count() == 2


@pytest.mark.parametrize("trigger", [{"manual": True}, {"follow": "any"}])
def test_again_only_where_staff_are_the_trigger(trigger: dict[str, Any]) -> None:
    sequence = publish(step(1), trigger=trigger, now=MONDAY)
    hana = make_friend()
    start(sequence, hana)
    with pytest.raises(DomainError):
        start(sequence, hana)
    tick(at("2026-11-24"))
    if "manual" in trigger:
        start(sequence, hana, at("2026-11-25"))
        tick(at("2026-11-26"))
        assert [line[1] for line in planned(hana)] == ["11-24 10:00", "11-26 10:00"]
    else:
        with pytest.raises(DomainError):
            start(sequence, hana, at("2026-11-25"))


def test_nobody_starts_what_is_off_or_outside_its_period_or_who_has_blocked() -> None:
    hana = make_friend()
    off = publish(step(1), trigger={"manual": True}, now=MONDAY, enabled=False)
    over = publish(step(1), trigger={"manual": True}, now=MONDAY)
    change(over, period_until=at("2026-11-22").date())
    live = publish(step(1), trigger={"manual": True}, now=MONDAY)
    for sequence, friend in ((off, hana), (over, hana), (live, make_friend(status="blocked"))):
        with pytest.raises(DomainError):
            start(sequence, friend)
    assert not Enrolment.select().exists()


def test_a_friend_is_stopped_and_what_waits_for_her_is_taken_back() -> None:
    sequence = publish(step(1), step(1), trigger={"manual": True}, now=MONDAY)
    hana, taro = make_friend(), make_friend()
    start(sequence, hana)
    start(sequence, taro)
    tick(at("2026-11-24"))
    assert by_hand.stop_friend(sequence.id, hana, staff=None, now=MONDAY, wall=MONDAY)
    assert not by_hand.stop_friend(sequence.id, hana, staff=None, now=MONDAY, wall=MONDAY)
    assert (run_of(hana).state, run_of(hana).reason) == ("stopped", "staff")
    states = {row.friend_id: row.state for row in Delivery.select()}
    assert states == {hana.id: DeliveryState.CANCELED, taro.id: DeliveryState.QUEUED}


def test_a_segment_starts_in_chunks_and_goes_on_where_it_was() -> None:
    is_regular = {"field": "tag", "op": "is", "value": "熟客"}
    Segment.create(name="熟客", tree=is_regular, created_at=MONDAY)
    sequence = publish(step(1), trigger={"segment": "熟客"}, now=MONDAY)
    tag = Tag.create(name="熟客", created_at=MONDAY)
    ids = make_friends(120)
    for one in ids[:90]:
        FriendTag.create(friend=one, tag=tag, at=MONDAY)
    Friend.update(status="blocked").where(Friend.id == ids[0]).execute()
    start(sequence, Friend.get_by_id(ids[1]))
    made = enlist(sequence, {"field": "segment", "op": "is", "value": "熟客"})
    assert made.expected == 88
    assert by_hand.is_due()
    assert by_hand.advance_chunk(made.id, MONDAY, limit=50) == 48
    # Whoever goes on finds the cursor.
    assert by_hand.advance(at("2026-11-23", "12:01")) == 1
    row = Enlistment.get()
    assert (row.state, row.started) == ("done", 88)
    assert not by_hand.is_due()
    tick(at("2026-11-24"))
    assert Delivery.select().count() == 89


def test_a_segment_waits_while_the_sequence_is_off_and_stops_when_staff_say_so() -> None:
    sequence = publish(step(1), trigger={"manual": True}, now=MONDAY)
    make_friends(10)
    made = enlist(sequence, EVERYBODY)
    with pytest.raises(DomainError):
        enlist(sequence, EVERYBODY)
    actions.disable(sequence.id, staff=None, wall=MONDAY)
    assert by_hand.advance(MONDAY) == 0
    assert by_hand.stop_enlistment(made.id, staff=None, now=MONDAY, wall=MONDAY)
    actions.enable(sequence.id, staff=None, wall=MONDAY, now=MONDAY)
    assert by_hand.advance(MONDAY) == 0
    assert enrolments.underway(sequence.id) == 0


def test_a_dry_run_of_a_sequence_by_hand_starts_her_now() -> None:
    sequence = publish(step(2), trigger={"manual": True}, now=MONDAY)
    assert told(rehearse(sequence, make_friend(), now=MONDAY)) == [(1, "11-25 10:00", "")]
