"""Before points end a friend hears of it once, and not when she has spent them."""

from __future__ import annotations

from lineadmin.members import points
from lineadmin.members.models import Member
from lineadmin.outbox import reasons
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reminders import points as reminders
from lineadmin.settings import mark, shop_zone
from tests.coupons.making import NOON
from tests.factories import make_friends
from tests.members.making import give, make_member, switch_on
from tests.outbox.test_index_use import plan_of
from tests.panel import panel_of
from tests.reminders.test_reminders import at, shop  # noqa: F401 - a fixture


def bound(friend_id, number="A0001"):
    member = make_member(number)
    Member.update(friend=friend_id).where(Member.id == member.id).execute()
    return Member.get_by_id(member.id)


def until(day):
    return points.end_of_day(at(day).date(), shop_zone())


def outcomes():
    rows = Delivery.select().where(Delivery.origin_kind == int(OriginKind.POINTS))
    return {row.friend_id: row.reason or DeliveryState(row.state).name.lower() for row in rows}


def test_whoever_still_has_points_is_told_once_for_each_day_they_end(shop):  # noqa: F811
    switch_on(remind_days=3, remind_words="{name}，點數快到期了")
    hana, taro, nobody = shop.friend("花"), shop.friend("太郎"), shop.friend("無")
    first, second = bound(hana.id), bound(taro.id, "A0002")
    make_member("A0003")
    for member in (first, second):
        give(member, 10, expires_at=until("2026-11-28"))
        give(member, 5, expires_at=until("2026-11-28"))
    give(first, 7, expires_at=until("2026-11-30"))
    give(second, 7)
    give(second, -15)
    shop.tick(at("2026-11-25", "10:59"))
    assert outcomes() == {}
    assert reminders.next_moment(at("2026-11-25", "10:59")) == at("2026-11-25", "11:00")
    for clock in ("11:00", "11:01", "15:00"):
        shop.tick(at("2026-11-25", clock))
    assert shop.texts(hana) == ["花，點數快到期了"]
    assert shop.told(hana) == ["text", "flex"]
    shop.tick(at("2026-11-27", "11:00"))
    assert shop.texts(hana) == ["花，點數快到期了"] * 2
    assert shop.texts(taro) == shop.texts(nobody) == []
    assert outcomes() == {hana.id: "sent"}
    for day in range(28, 31):
        shop.tick(at(f"2026-11-{day}", "12:00"))
    assert Delivery.select().count() == 2


def test_planning_twice_plans_once(shop):  # noqa: F811
    switch_on(remind_days=3)
    give(bound(shop.friend().id), 10, expires_at=until("2026-11-28"))
    now = at("2026-11-25", "11:00")
    assert reminders.advance(now, now) == 1
    mark(reminders.MARK, [0, 0], wall=now)
    assert reminders.advance(now, now) == 1
    assert Delivery.select().count() == 1


def test_points_spent_while_it_waits_are_not_spoken_of(shop):  # noqa: F811
    switch_on(remind_days=3)
    hana = shop.friend()
    member = bound(hana.id)
    give(member, 10, expires_at=until("2026-11-28"))
    now = at("2026-11-25", "11:00")
    assert reminders.advance(now, now) == 1
    give(member, -10, now=now)
    shop.tick(now)
    assert outcomes() == {hana.id: reasons.POINTS_SPENT}
    assert shop.texts(hana) == []


def test_without_the_reminder_or_without_members_nobody_is_told(shop):  # noqa: F811
    switch_on()
    give(bound(shop.friend().id), 10, expires_at=until("2026-11-28"))
    for more in ({}, {"remind_days": 3, "enabled": False}):
        switch_on(**{"enabled": True, **more})
        assert not reminders.is_due(at("2026-11-25", "11:00"))
        shop.tick(at("2026-11-25", "11:00"))
    assert outcomes() == {}


def test_many_are_planned_in_chunks(db):
    switch_on(remind_days=3)
    for number, friend_id in enumerate(make_friends(5)):
        give(bound(friend_id, f"B{number}"), 1, expires_at=until("2026-11-28"))
    now = at("2026-11-25", "11:00")
    looked_at = [reminders.advance_chunk(now, now, limit=2) for _chunk in range(4)]
    assert looked_at == [2, 2, 1, 0]
    assert Delivery.select().count() == 5


def test_nothing_due_is_one_look_at_an_index(db):
    switch_on(remind_days=3)
    assert "pointlot_ends" in plan_of(*reminders._unreminded(NOON).limit(1).sql())


def test_what_line_refuses_waits_until_somebody_has_changed_it_and_says_so(app, shop):  # noqa: F811
    switch_on(remind_days=3)
    hana = shop.friend()
    give(bound(hana.id), 10, expires_at=until("2026-11-28"))
    now = at("2026-11-25", "11:00")
    reminders.waits(reasons.REFUSED, wall=now)
    shop.tick(now)
    assert outcomes() == {hana.id: "queued"}
    panel, address = panel_of(app), "/admin/members/settings/"
    assert "LINE 拒絕點數到期前的提醒訊息" in panel.get(address).text
    switch_on(remind_days=3, remind_words="點數快到期了")
    shop.tick(now)
    assert outcomes() == {hana.id: "sent"}
    assert "LINE 拒絕" not in panel.get(address).text
