"""The life of a broadcast: drafted, confirmed, taken back or sent, late, stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import settings
from lineadmin.broadcasts import actions, control, run, states
from lineadmin.broadcasts import confirm as confirming
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Friend
from lineadmin.outbox import reasons
from lineadmin.outbox.models import Content, Delivery, DeliveryState, QuotaMonth
from lineadmin.segments.tree import TreeError
from lineadmin.staff.models import Audit
from tests.broadcasts.stage import (
    EVERYONE,
    HELLO,
    MINUTE,
    confirm,
    confirmed,
    deliver,
    draft,
    outcomes,
    state,
    tagged,
    tick,
)
from tests.conftest import NOON
from tests.factories import make_friend, make_friends, make_staff

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def test_a_broadcast_to_everyone_leaves_after_the_undo_window() -> None:
    hana, taro = make_friend(), make_friend()
    row = confirmed()
    assert row.leaves_at == NOON + 5 * MINUTE
    assert row.expected == 2
    assert tick(NOON + 5 * MINUTE - timedelta(milliseconds=1)) == 0
    assert state(row) == states.SCHEDULED
    tick(NOON + 5 * MINUTE)
    assert state(row) == states.SENDING
    assert outcomes(row) == {hana.id: "QUEUED", taro.id: "QUEUED"}
    deliver(row)
    tick(NOON + 6 * MINUTE)
    done = Broadcast.get_by_id(row.id)
    assert (done.state, done.finished_at) == (states.SENT, NOON + 6 * MINUTE)


def test_it_can_be_taken_back_to_the_last_moment_and_is_a_draft_again() -> None:
    make_friends(2)
    row = confirmed()
    back = confirming.cancel_broadcast(
        row.id, staff=None, now=row.leaves_at - timedelta(milliseconds=1), wall=NOON
    )
    assert (back.state, back.leaves_at, back.content_id) == (states.DRAFT, None, None)
    assert tick(NOON + 9 * MINUTE) == 0
    assert not Delivery.select().exists()


def test_taking_back_too_late_is_told() -> None:
    make_friends(2)
    row = confirmed()
    with pytest.raises(DomainError):
        confirming.cancel_broadcast(row.id, staff=None, now=row.leaves_at, wall=NOON)
    tick(row.leaves_at)
    with pytest.raises(DomainError):
        confirming.cancel_broadcast(row.id, staff=None, now=NOON, wall=NOON)
    assert state(row) == states.SENDING


def test_to_a_single_friend_there_is_no_waiting() -> None:
    make_friend(tags=("VIP",))
    make_friend()
    row = confirmed(tagged("VIP"))
    assert row.leaves_at == NOON


def test_one_scheduled_further_ahead_is_not_delayed_and_can_be_cancelled_until_then() -> None:
    make_friends(2)
    later = NOON + 3 * HOUR
    row = confirmed(at=later)
    assert row.leaves_at == later
    confirming.cancel_broadcast(row.id, staff=None, now=later - MINUTE, wall=NOON)
    assert state(row) == states.DRAFT
    soon = confirmed(at=NOON + 2 * MINUTE)
    assert soon.leaves_at == NOON + 5 * MINUTE


def test_the_undo_window_is_the_shops() -> None:
    make_friends(2)
    settings.change_shop({"undo_minutes": 0}, staff=None, wall=NOON)
    assert confirmed().leaves_at == NOON


def test_those_who_are_left_out_are_named_with_their_reason() -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=NOON)
    fine, blocked, silent, full = (make_friend(tags=("VIP",)) for _ in range(4))
    make_friend()
    Friend.update(status="blocked").where(Friend.id == blocked.id).execute()
    Friend.update(opted_out_at=NOON).where(Friend.id == silent.id).execute()
    Delivery.create(
        friend_id=full.id,
        origin_kind=2,
        origin_id=99,
        due_at=NOON - HOUR,
        planned_at=NOON,
        state=int(DeliveryState.SENT),
    )
    row = confirmed(tagged("VIP"))
    assert row.expected == 1
    tick(NOON + 5 * MINUTE)
    assert outcomes(row) == {
        fine.id: "QUEUED",
        blocked.id: "blocked",
        silent.id: "opted_out",
        full.id: "cap",
    }


def test_it_waits_for_two_hours_and_then_asks() -> None:
    make_friends(2)
    in_time, late = confirmed(), confirmed()
    assert in_time.leaves_at is not None
    tick(in_time.leaves_at + 2 * HOUR)
    assert state(in_time) == states.SENDING
    Broadcast.update(state=states.SCHEDULED).where(Broadcast.id == late.id).execute()
    Delivery.delete().where(Delivery.origin_id == late.id).execute()
    moment = in_time.leaves_at + 2 * HOUR + timedelta(milliseconds=1)
    tick(moment)
    assert state(late) == states.LATE
    assert outcomes(late) == {}
    assert Audit.select().where(Audit.action == "broadcast.late").count() == 1

    again = control.send_late(late.id, staff=None, now=moment, wall=NOON)
    assert again.leaves_at == moment + 5 * MINUTE
    tick(moment + 5 * MINUTE)
    assert state(late) == states.SENDING


def test_one_that_is_late_can_be_dropped() -> None:
    make_friends(2)
    row = confirmed()
    tick(NOON + 9 * HOUR)
    control.drop(row.id, staff=None, now=NOON + 9 * HOUR, wall=NOON)
    tick(NOON + 10 * HOUR)
    assert state(row) == states.CANCELED
    assert outcomes(row) == {}


def test_pausing_holds_the_rest_and_resuming_lets_it_go() -> None:
    make_friends(3)
    row = confirmed()
    tick(NOON + 5 * MINUTE)
    assert run.may_send({row.id}, NOON) == {row.id}
    deliver(row, 1)
    control.pause(row.id, staff=None, wall=NOON)
    assert run.may_send({row.id}, NOON) == set()
    tick(NOON + 6 * MINUTE)
    assert state(row) == states.PAUSED
    control.resume(row.id, staff=None, wall=NOON)
    assert run.may_send({row.id}, NOON) == {row.id}
    deliver(row)
    tick(NOON + 7 * MINUTE)
    assert state(row) == states.SENT


def test_stopping_takes_back_what_has_not_left() -> None:
    make_friends(3)
    row = confirmed()
    tick(NOON + 5 * MINUTE)
    deliver(row, 1)
    control.stop(row.id, staff=None, wall=NOON)
    assert run.may_send({row.id}, NOON) == set()
    tick(NOON + 6 * MINUTE)
    assert sorted(outcomes(row).values()) == ["SENT", reasons.CANCELED, reasons.CANCELED]
    assert state(row) == states.CANCELED
    with pytest.raises(Conflict):
        control.resume(row.id, staff=None, wall=NOON)


def test_nothing_leaves_before_the_plan_is_whole() -> None:
    ids = make_friends(25)
    row = confirmed()
    Broadcast.update(state=states.PLANNING).where(Broadcast.id == row.id).execute()
    assert run.plan_chunk(row.id, NOON, limit=10)
    assert len(outcomes(row)) == 10
    assert run.may_send({row.id}, NOON) == set()
    assert run.plan_chunk(row.id, NOON, limit=10)
    assert run.plan_chunk(row.id, NOON, limit=10)
    assert run.may_send({row.id}, NOON) == set()
    assert not run.plan_chunk(row.id, NOON, limit=10)
    assert run.may_send({row.id}, NOON) == {row.id}
    assert sorted(outcomes(row)) == ids


def test_a_plan_that_was_cut_off_goes_on_and_doubles_nobody() -> None:
    ids = make_friends(12)
    row = confirmed()
    Broadcast.update(state=states.PLANNING).where(Broadcast.id == row.id).execute()
    run.plan_chunk(row.id, NOON, limit=5)
    # As if the cursor of the last chunk were lost, though its rows were kept.
    Broadcast.update(cursor=0).where(Broadcast.id == row.id).execute()
    tick(NOON + 6 * MINUTE)
    assert sorted(outcomes(row)) == ids
    assert Delivery.select().count() == 12


def test_thousands_are_planned_in_chunks() -> None:
    make_friends(6_000)
    row = confirmed()
    tick(NOON + 5 * MINUTE)
    assert Delivery.select().count() == 6_000
    assert state(row) == states.SENDING


def test_the_content_is_frozen_when_it_is_confirmed() -> None:
    make_friends(2)
    row = confirmed(parts=[{"text": "{name} 你好"}])
    stored = Content.get_by_id(row.content_id)
    assert stored.personal
    assert stored.parts == [{"text": "{name} 你好"}]
    with pytest.raises(DomainError):
        actions.edit_broadcast(
            row.id,
            name=row.name,
            parts=HELLO,
            audience=EVERYONE,
            at=None,
            version=row.version,
            staff=None,
            wall=NOON,
        )


def test_what_is_not_ready_is_not_confirmed() -> None:
    make_friends(2)
    staff = make_staff()
    for fields in (
        {"audience": None},
        {"parts": []},
        {"parts": [{"text": " "}]},
        {"at": NOON - 3 * HOUR},
        {"audience": tagged("gone")},
        {"audience": {"any": []}},
    ):
        row = draft(**fields)
        with pytest.raises(DomainError):
            confirm(row, staff=staff)
        assert state(row) == states.DRAFT


def test_a_time_just_past_means_now() -> None:
    make_friends(2)
    row = confirmed(at=NOON - HOUR)
    assert row.leaves_at == NOON + 5 * MINUTE


def test_all_friends_have_to_be_meant() -> None:
    make_friends(2)
    row = draft()
    with pytest.raises(DomainError) as refused:
        confirm(row, everyone_confirmed=False)
    assert refused.value.field == "typed"
    tagged_row = draft(tagged("VIP"))
    make_friend(tags=("VIP",))
    confirm(tagged_row, everyone_confirmed=False)


def test_more_people_than_were_shown_have_to_be_confirmed_anew() -> None:
    make_friends(2)
    row = draft()
    make_friend()
    with pytest.raises(DomainError, match="3"):
        confirm(row, expected=2)
    assert confirm(row, expected=3).expected == 3


def test_a_month_without_enough_messages_refuses() -> None:
    make_friends(3)
    QuotaMonth.create(month="2026-11", line_limit=200, line_used=198)
    row = draft()
    with pytest.raises(DomainError, match="1"):
        confirm(row)
    assert confirm(row, check_quota=False).state == states.SCHEDULED
    # Next month's messages nobody knows yet.
    assert confirmed(at=NOON + timedelta(days=20)).state == states.SCHEDULED


def test_two_tabs() -> None:
    row = draft()
    edited = {"name": "新名字", "parts": HELLO, "audience": None, "at": None, "staff": None}
    version = actions.edit_broadcast(row.id, version=row.version, wall=NOON, **edited)
    with pytest.raises(Conflict):
        actions.edit_broadcast(
            row.id, version=row.version, wall=NOON, **{**edited, "name": "另一個"}
        )
    with pytest.raises(Conflict):
        confirm(row, version=row.version)
    # Saving what is there already is no change.
    assert actions.edit_broadcast(row.id, version=1, wall=NOON, **edited) == version


def test_confirming_twice_at_once_counts_once() -> None:
    make_friends(2)
    row = draft()
    confirm(row)
    with pytest.raises(DomainError):
        confirm(row, version=row.version)
    assert Audit.select().where(Audit.action == "broadcast.confirm").count() == 1


def test_names_are_unique_and_copies_get_a_number() -> None:
    row = draft(name="週一")
    with pytest.raises(DomainError):
        draft(name="週一")
    copy = actions.duplicate(row.id, staff=None, now=NOON, wall=NOON)
    assert (copy.name, copy.parts, copy.state) == ("週一 2", HELLO, states.DRAFT)


def test_only_drafts_are_deleted() -> None:
    make_friends(2)
    gone, kept = draft(), confirmed()
    actions.delete_draft(gone.id, staff=None, wall=NOON)
    assert Broadcast.get_or_none(Broadcast.id == gone.id) is None
    with pytest.raises(DomainError):
        actions.delete_draft(kept.id, staff=None, wall=NOON)


def test_an_audience_that_cannot_be_is_refused_as_a_draft_too() -> None:
    with pytest.raises(TreeError):
        draft({"field": "shoe_size", "op": "is", "value": 3})


def test_a_holdout_gets_nothing_and_is_named() -> None:
    make_friends(200)
    row = draft()
    Broadcast.update(holdout_percent=10).where(Broadcast.id == row.id).execute()
    confirm(row)
    tick(NOON + 5 * MINUTE)
    held = list(outcomes(row).values()).count("holdout")
    assert 5 <= held <= 40


def test_out_of_messages_it_waits_and_refused_content_pauses_it() -> None:
    make_friends(2)
    row = confirmed()
    tick(NOON + 5 * MINUTE)
    run.waits(row.id, reasons.QUOTA)
    assert Broadcast.get_by_id(row.id).pause_reason == reasons.QUOTA
    assert run.may_send({row.id}, NOON) == {row.id}
    run.goes_on(row.id)
    assert Broadcast.get_by_id(row.id).pause_reason == ""
    run.waits(row.id, reasons.REFUSED)
    assert run.may_send({row.id}, NOON) == set()
    control.resume(row.id, staff=None, wall=NOON)
    assert run.may_send({row.id}, NOON) == {row.id}


@pytest.mark.parametrize("begun", [False, True])
def test_after_a_restore_staff_release_or_drop_it(begun: bool) -> None:
    make_friends(3)
    row = confirmed()
    if begun:
        tick(NOON + 5 * MINUTE)
        Delivery.update(state=int(DeliveryState.HELD)).execute()
    Broadcast.update(state=states.HELD).execute()
    tick(NOON + 6 * MINUTE)
    assert state(row) == states.HELD
    later = NOON + 9 * HOUR
    control.release(row.id, staff=None, now=later, wall=NOON)
    tick(later + 5 * MINUTE)
    assert state(row) == states.SENDING
    assert list(outcomes(row).values()) == ["QUEUED"] * 3

    other = confirmed(now=later)
    Broadcast.update(state=states.HELD).where(Broadcast.id == other.id).execute()
    control.drop(other.id, staff=None, now=later, wall=NOON)
    assert state(other) == states.CANCELED


def test_every_change_of_state_leaves_an_audit_line() -> None:
    make_friends(2)
    staff = make_staff()
    row = draft(staff=staff)
    confirm(row, staff=staff)
    confirming.cancel_broadcast(row.id, staff=staff, now=NOON, wall=NOON)
    confirm(row, staff=staff)
    tick(NOON + 5 * MINUTE)
    for act in (control.pause, control.resume, control.stop):
        act(row.id, staff=staff, wall=NOON)
    verbs = [line.action.partition(".")[2] for line in Audit.select().order_by(Audit.id)]
    assert verbs == ["create", "confirm", "cancel", "confirm", "pause", "resume", "stop"]
