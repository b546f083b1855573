"""What happens in the middle of a large broadcast: the month runs out, staff stop it, both race."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.broadcasts import control, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, DeliveryState, QuotaMonth, Shipment
from lineadmin.tasks.tick import tick
from tests.broadcasts.stage import EVERYONE, confirm, draft, tagged
from tests.conftest import NOON
from tests.factories import make_friend

MINUTE = timedelta(minutes=1)
MANY = 1_200


@pytest.fixture
def crowd(line: Any, app: Any, clock: Any) -> list[str]:
    """Friends whose phones the pretend LINE knows."""
    ids: list[str] = line.client.add_phones(MANY)
    rows = [
        {
            "line_user_id": user_id,
            "display_name": f"好友 {number}",
            "status": "friend",
            "followed_at": NOON - timedelta(days=90),
            "first_seen_at": NOON - timedelta(days=90),
            "last_seen_at": NOON,
        }
        for number, user_id in enumerate(ids)
    ]
    for start in range(0, MANY, 400):
        Friend.insert_many(rows[start : start + 400]).execute()
    return ids


def run(clock: Any, minutes: float = 0) -> None:
    clock.forward(minutes=minutes)
    tick(shop_clock.now(), shop_clock.wall())


def run_later(clock: Any, minutes: float) -> None:
    """Once more, with both clocks moved on."""
    clock.forward(minutes=minutes)
    tick(shop_clock.now(), shop_clock.wall() + timedelta(minutes=minutes))


def received(line: Any) -> Counter[int]:
    """How many phones got how many messages."""
    return Counter(line.client.received_counts().values())


def states_of(row: Broadcast) -> dict[str, int]:
    found = Delivery.select().where(Delivery.origin_id == row.id)
    return dict(Counter(DeliveryState(one.state).name for one in found))


def test_the_month_runs_out_in_the_middle_and_goes_on_by_itself(
    line: Any, crowd: list[str], clock: Any
) -> None:
    QuotaMonth.create(month="2026-11", line_limit=2_000, read_at=shop_clock.wall())
    row = confirm(draft())
    assert row.expected == MANY
    # Somebody sends from LINE's own manager meanwhile: what we were told is not true any more.
    line.client.quota(2_000, used=1_400)
    run(clock, 5)
    sent = received(line)[1]
    assert sent in (200, 500)  # whichever request comes first; the others LINE refuses whole
    assert states_of(row) == {"SENT": sent, "QUEUED": MANY - sent}
    assert [call for call in line.client.calls() if call["status"] == 429]
    row = Broadcast.get_by_id(row.id)
    assert (row.state, row.pause_reason) == (states.SENDING, "quota")
    line.client.quota(4_000)
    QuotaMonth.update(read_at=shop_clock.wall() - timedelta(hours=1)).execute()
    run(clock, 30)
    assert received(line) == Counter({1: MANY})
    assert Broadcast.get_by_id(row.id).state == states.SENT
    assert Broadcast.get_by_id(row.id).sent_count == MANY
    month = QuotaMonth.get()
    assert (month.reserved, month.unknown) == (0, 0)
    accepted = [one.recipients for one in Shipment.select().where(Shipment.state == 2)]
    assert sum(accepted) == MANY
    assert len(accepted) <= MANY // 500 + 2


def test_stopped_in_the_middle_nobody_else_gets_it(line: Any, crowd: list[str], clock: Any) -> None:
    line.client.quota(500)
    settings.change_shop({"plan_included": None}, staff=None, wall=NOON)
    row = confirm(draft(), check_quota=False)
    run(clock, 5)
    assert received(line) == Counter({1: 500})
    control.stop(row.id, staff=None, wall=shop_clock.wall())
    line.client.quota(5_000)
    run(clock, 30)
    run(clock, 30)
    assert received(line) == Counter({1: 500})
    assert states_of(row) == {"SENT": 500, "CANCELED": 700}
    row = Broadcast.get_by_id(row.id)
    assert (row.state, row.sent_count) == (states.CANCELED, 500)


def test_stopped_while_line_has_not_answered_its_requests_are_asked_about(
    line: Any, crowd: list[str], clock: Any
) -> None:
    line.client.fail("accept_500", endpoint="multicast", times=1)
    line.client.fail("500", endpoint="multicast", times=1)
    line.client.fail("429", endpoint="multicast", times=1)
    row = confirm(draft())
    run(clock, 5)
    control.stop(row.id, staff=None, wall=shop_clock.wall())
    run_later(clock, 2)
    states_now = states_of(row)
    assert received(line) == Counter({1: states_now["SENT"]})
    assert set(states_now) == {"SENT", "CANCELED"}
    assert sum(states_now.values()) == MANY
    row = Broadcast.get_by_id(row.id)
    assert (row.state, row.sent_count) == (states.CANCELED, states_now["SENT"])


def test_stopped_while_line_is_down_the_rest_is_for_staff_to_decide(
    line: Any, crowd: list[str], clock: Any
) -> None:
    line.client.fail("500", endpoint="multicast", percent=100)
    row = confirm(draft())
    run(clock, 5)
    control.stop(row.id, staff=None, wall=shop_clock.wall())
    run(clock, 1)
    assert Broadcast.get_by_id(row.id).state == states.STOPPING
    line.client.clear_faults()
    run_later(clock, 60)
    assert received(line) == Counter(), "nobody wants it an hour after it was stopped"
    assert states_of(row) == {"UNKNOWN": MANY}
    assert Broadcast.get_by_id(row.id).state == states.CANCELED


def test_two_broadcasts_racing_for_the_last_hundred_messages(
    line: Any, app: Any, clock: Any
) -> None:
    ids = line.client.add_phones(160)
    for number, user_id in enumerate(ids):
        make_friend(f"好友 {number}", line_user_id=user_id, tags=("甲",) if number < 80 else ())
    line.client.quota(100)
    tick(shop_clock.now(), shop_clock.wall())
    first = confirm(draft(tagged("甲")), check_quota=False)
    second = confirm(draft(EVERYONE), check_quota=False)
    run(clock, 5)
    counts = states_of(first), states_of(second)
    assert sum(one.get("SENT", 0) for one in counts) == 100
    assert sum(received(line).elements()) == 100
    assert counts[0] == {"SENT": 80}
    assert counts[1] == {"SENT": 20, "QUEUED": 140}


def test_the_reserve_is_left_for_answers_while_a_broadcast_waits(
    line: Any, app: Any, clock: Any
) -> None:
    ids = line.client.add_phones(60)
    for number, user_id in enumerate(ids):
        make_friend(f"好友 {number}", line_user_id=user_id)
    settings.change_shop({"reserve_messages": 15}, staff=None, wall=NOON)
    line.client.quota(50)
    tick(shop_clock.now(), shop_clock.wall())
    row = confirm(draft(), check_quota=False)
    run(clock, 5)
    assert states_of(row) == {"SENT": 35, "QUEUED": 25}
    assert QuotaMonth.get().sent_total == 35
