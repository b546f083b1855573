"""Planning: who gets a delivery, who is left out and why, and that repeating changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.outbox import reasons
from lineadmin.outbox.content import store
from lineadmin.outbox.models import Content, Delivery, DeliveryState, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import Cap, Planned, PlanRow, plan_rows, plan_where, queue_one
from tests.conftest import NOON
from tests.factories import make_friend, make_friends

pytestmark = pytest.mark.usefixtures("db")

DAY = timedelta(days=1)
THREE_A_WEEK = Cap(messages=3, days=7)


def hello(text: str = "週一快樂！") -> Content:
    return store([{"text": text}], personal=False, summary=text, now=NOON)


def broadcast(number: int = 1) -> Origin:
    return Origin(OriginKind.BROADCAST, number)


def plan(where: Any = None, *, origin: Origin | None = None, **more: Any) -> Planned:
    fields: dict[str, Any] = {
        "after_friend_id": 0,
        "due_at": NOON,
        "now": NOON,
        "cap": None,
        **more,
    }
    return plan_where(origin or broadcast(), hello().id, where, **fields)


def outcome_of(friend: Friend) -> tuple[int, str]:
    row = Delivery.get(Delivery.friend_id == friend.id)
    return row.state, row.reason


def step(friend: Friend, number: int = 1, **more: Any) -> PlanRow:
    fields = {"due_at": NOON, "content_id": hello().id, **more}
    return PlanRow(friend.id, Origin(OriginKind.STEP, 7, 1000 + number), **fields)


def test_the_same_words_are_stored_once():
    first, again = hello("早安"), hello("早安")
    assert first.id == again.id
    assert hello("晚安").id != first.id


def test_everyone_gets_a_row_and_the_left_out_get_their_reason():
    hana = make_friend("花")
    gone = make_friend("走", status=BLOCKED)
    quiet = make_friend("靜", opted_out_at=NOON - DAY)

    assert plan() == Planned(quiet.id, rows=3, skipped=2)

    assert outcome_of(hana) == (DeliveryState.QUEUED, "")
    assert outcome_of(gone) == (DeliveryState.SKIPPED, reasons.BLOCKED)
    assert outcome_of(quiet) == (DeliveryState.SKIPPED, reasons.OPTED_OUT)
    assert Delivery.get(Delivery.friend_id == hana.id).done_at is None
    assert Delivery.get(Delivery.friend_id == gone.id).done_at == NOON


def test_only_friends_the_condition_picks_are_planned():
    hana, taro = make_friend("花"), make_friend("太郎")
    plan(Friend.display_name == "花")
    assert [row.friend_id for row in Delivery.select()] == [hana.id]
    assert taro.id != hana.id


def test_chunks_follow_each_other_until_nobody_is_left():
    ids = make_friends(12)
    cursors, after = [], 0
    while (planned := plan(after_friend_id=after, limit=5)).last_friend_id is not None:
        after = planned.last_friend_id
        cursors.append((after, planned.rows))
    assert cursors == [(ids[4], 5), (ids[9], 5), (ids[11], 2)]
    assert Delivery.select().count() == 12


def test_repeating_a_chunk_changes_nothing():
    make_friends(5)
    first = plan()
    before = list(Delivery.select().order_by(Delivery.id).tuples())
    assert plan(now=NOON + DAY) == Planned(first.last_friend_id, rows=0, skipped=0)
    assert list(Delivery.select().order_by(Delivery.id).tuples()) == before


def test_a_holdout_gets_nothing_on_purpose():
    ids = make_friends(10)
    assert plan(holdout=Friend.id <= ids[2]).skipped == 3
    assert Delivery.select().where(Delivery.reason == reasons.HOLDOUT).count() == 3


def test_blocked_is_said_before_holdout():
    gone = make_friend("走", status=BLOCKED)
    plan(holdout=Friend.id > 0)
    assert outcome_of(gone)[1] == reasons.BLOCKED


def test_the_cap_leaves_out_whoever_had_enough():
    hana, taro = make_friend("花"), make_friend("太郎")
    for number in range(3):
        plan(Friend.id == hana.id, origin=broadcast(number), due_at=NOON - number * DAY)
    planned = plan(origin=broadcast(9), cap=THREE_A_WEEK)
    assert (planned.rows, planned.skipped) == (2, 1)
    last = Delivery.get(Delivery.friend_id == hana.id, Delivery.origin_id == 9)
    assert (last.state, last.reason) == (DeliveryState.SKIPPED, reasons.CAP)
    assert outcome_of(taro) == (DeliveryState.QUEUED, "")


@pytest.mark.parametrize(
    ("others", "fits"),
    [
        ((), True),
        ((0, 0), True),
        ((0, 0, 0), False),
        ((-6, -3, -1), False),  # all in the week before
        ((-7, -3, -1), True),  # the first one is a whole week ago
        ((1, 2, 6), False),  # planned for the week after
        ((1, 2, 7), True),
        ((-6, -1, 3), True),  # never more than three in one week
        ((-3, -1, 3), False),
        ((-6, -5, 5, 6), True),  # busy before and after, but no week holds four
        ((-3, -2, 3, 4), False),  # the week that starts at -3 would hold four
        ((-4, -3, 3, 4), True),
    ],
)
def test_no_week_holds_more_than_the_cap(others: tuple[int, ...], fits: bool):
    hana = make_friend("花")
    for number, day in enumerate(others):
        plan(origin=broadcast(number + 1), due_at=NOON + day * DAY)
    planned = plan(origin=broadcast(99), cap=THREE_A_WEEK)
    assert planned.skipped == (0 if fits else 1), hana


@pytest.mark.parametrize(
    ("state", "fits"),
    [
        (DeliveryState.SENT, False),
        (DeliveryState.PACKED, False),
        (DeliveryState.UNKNOWN, False),
        (DeliveryState.HELD, False),
        (DeliveryState.SKIPPED, True),
        (DeliveryState.FAILED, True),
        (DeliveryState.CANCELED, True),
    ],
)
def test_the_cap_counts_what_came_or_may_come(state: DeliveryState, fits: bool):
    make_friend("花")
    plan()
    Delivery.update(state=state).execute()
    assert plan(origin=broadcast(2), cap=Cap(1, 7)).skipped == (0 if fits else 1)


def test_messages_outside_the_cap_neither_count_nor_are_counted():
    make_friend("花")
    plan(counts_for_cap=False)
    assert plan(origin=broadcast(2), cap=Cap(1, 7)).skipped == 0
    assert plan(origin=broadcast(3), cap=Cap(1, 7), counts_for_cap=False).skipped == 0
    assert plan(origin=broadcast(4), cap=Cap(1, 7)).skipped == 1


def test_steps_are_planned_in_bulk_with_the_same_reasons():
    hana = make_friend("花")
    gone = make_friend("走", status=BLOCKED)
    late = make_friend("晚")
    rows = [
        step(hana, expires_at=NOON + DAY, priority=40),
        step(gone),
        step(late, skip_reason=reasons.LATE),
    ]
    planned = plan_rows(rows, now=NOON, cap=None)
    assert (planned.rows, planned.skipped) == (3, 2)
    row = Delivery.get(Delivery.friend_id == hana.id)
    assert (row.state, row.expires_at, row.priority) == (DeliveryState.QUEUED, NOON + DAY, 40)
    assert (row.origin_kind, row.origin_id, row.origin_run) == (OriginKind.STEP, 7, 1001)
    assert (row.due_at, row.planned_at, row.done_at) == (NOON, NOON, None)
    assert outcome_of(gone) == (DeliveryState.SKIPPED, reasons.BLOCKED)
    assert outcome_of(late) == (DeliveryState.SKIPPED, reasons.LATE)
    assert plan_rows(rows, now=NOON, cap=None).rows == 0


def test_the_cap_holds_among_the_rows_of_one_bulk():
    hana = make_friend("花")
    rows = [step(hana, number, due_at=NOON + number * DAY) for number in range(4)]
    assert plan_rows(reversed(rows), now=NOON, cap=Cap(2, 7)).skipped == 2
    queued = Delivery.select(Delivery.origin_run).where(Delivery.state == DeliveryState.QUEUED)
    assert {row.origin_run for row in queued} == {1000, 1001}  # the early ones


def test_a_bulk_may_be_larger_than_one_statement(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lineadmin.outbox.plan.ROWS_PER_STATEMENT", 7)
    content = hello().id
    rows = [
        PlanRow(friend_id, Origin(OriginKind.STEP, 1, 1), content, NOON)
        for friend_id in make_friends(20)
    ]
    assert plan_rows(rows, now=NOON, cap=THREE_A_WEEK).rows == 20


def test_nothing_to_plan_is_no_error():
    assert plan() == Planned(None, 0, 0)
    assert plan_rows([], now=NOON, cap=THREE_A_WEEK).rows == 0


def test_a_single_message_is_queued_once():
    hana = make_friend("花")
    origin = Origin(OriginKind.STAFF, 5)
    assert queue_one(hana.id, origin, hello(), due_at=NOON, now=NOON) is True
    assert queue_one(hana.id, origin, hello(), due_at=NOON, now=NOON) is False
    assert outcome_of(hana) == (DeliveryState.QUEUED, "")


def test_only_our_own_codes_are_reasons():
    row = step(make_friend("花"), skip_reason="x'; DROP TABLE delivery; --")
    with pytest.raises(ValueError, match="reason"):
        plan_rows([row], now=NOON, cap=None)
