"""Points: a ledger whose balance is right at every moment and never below zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from peewee import fn

from lineadmin import settings
from lineadmin.errors import DomainError
from lineadmin.journal.models import Fact
from lineadmin.members import points
from lineadmin.members.links import page_path
from lineadmin.members.models import Member, PointEntry, PointLot
from lineadmin.tasks.tick import tick
from tests.coupons.making import NOON
from tests.factories import make_friend
from tests.members.making import give, make_member, switch_on
from tests.members.racing import all_at_once
from tests.outbox.test_index_use import plan_of

DAY = timedelta(days=1)


@pytest.fixture
def hana(app, clock):
    switch_on()
    member = make_member()
    Member.update(friend=make_friend("小花").id).execute()
    return Member.get_by_id(member.id)


def end(days):
    return points.end_of(NOON, settings.shop_zone(), days)


def stored():
    return Member.get().points


def test_what_expires_first_is_spent_first(hana):
    give(hana, 30)
    give(hana, 20, expires_at=end(10))
    give(hana, 10, expires_at=end(3))
    give(hana, -25)
    assert points.expiring(hana.id) == [(end(10), 5), (None, 30)]
    assert points.balance(hana.id, NOON) == stored() == 35


def test_never_below_zero_and_a_refused_change_leaves_nothing(hana):
    give(hana, 10)
    for amount in (-11, 0, points.MOST + 1):
        with pytest.raises(DomainError):
            give(hana, amount)
    with pytest.raises(DomainError):
        give(hana, 5, expires_at=NOON)
    assert PointEntry.select().count() == 1
    assert points.balance(hana.id, NOON) == stored() == 10


def test_the_same_request_gives_once(hana):
    assert give(hana, 10, request_key="one")
    assert not give(hana, 10, request_key="one")
    assert stored() == 10
    assert PointEntry.select().count() == 1


def test_points_are_good_until_the_shops_midnight(hana):
    assert end(0) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # 24:00 in Taipei
    give(hana, 10, expires_at=end(1))
    give(hana, 5)
    last = end(1) - timedelta(seconds=1)
    assert points.balance(hana.id, last) == 15
    assert points.balance(hana.id, end(1)) == 5  # before anybody wrote it off
    with pytest.raises(DomainError):
        give(hana, -6, now=end(1))
    assert points.next_moment(NOON) == end(1)


def test_the_tick_writes_off_what_ran_out_once(hana):
    give(hana, 10, expires_at=end(1))
    give(hana, 4, expires_at=end(1))
    give(hana, 5)
    assert not points.is_due(NOON)
    later = end(1) + DAY
    assert points.is_due(later)
    assert tick(later, NOON).points == 1
    assert tick(later, NOON).points == 0
    assert stored() == points.balance(hana.id, later) == 5
    [line] = PointEntry.select().where(PointEntry.kind == points.EXPIRE)
    assert (line.amount, line.at) == (-14, end(1))
    assert Fact.get(Fact.kind == "points.expired").amount == -14
    assert sum(entry.amount for entry in PointEntry.select()) == 5


def test_she_sees_her_points_and_when_they_end_on_her_page(client, hana):
    give(hana, 1200, reason="滿額贈點")
    give(hana, 80, expires_at=end(2))
    give(hana, -30, reason="換飲料")
    page = client.get(page_path(hana.friend_id, "points")).text
    for piece in ("1,250", "滿額贈點", "換飲料", "−30", "2026/11/25"):
        assert piece in page
    assert "1,250 點" in client.get(page_path(hana.friend_id)).text


def test_a_tick_with_nothing_due_looks_at_an_index(hana):
    plan = plan_of(*points._run_out(NOON).limit(1).sql())
    assert "pointlot_ends" in plan


def test_many_spend_at_once_and_nobody_spends_what_is_not_there(hana):
    give(hana, 50)
    give(hana, 55, expires_at=end(3))
    assert all_at_once([lambda: give(hana, -10)] * 16) == 10
    assert stored() == points.balance(hana.id, NOON) == 5
    assert PointLot.select(fn.SUM(PointLot.left)).scalar() == 5


def test_the_same_request_sent_many_times_at_once_gives_once(hana):
    all_at_once([lambda: give(hana, 10, request_key="one")] * 8)
    assert stored() == points.balance(hana.id, NOON) == 10
