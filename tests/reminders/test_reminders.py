"""Holders are reminded before the end, once, and everybody else is left in peace with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lineadmin import settings
from lineadmin.coupons import actions as coupons
from lineadmin.coupons.issue import issue_many
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.redeem import redeem
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Friend
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import reasons
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.outbox.plan import CHUNK
from lineadmin.reminders import actions, advance
from lineadmin.reminders.actions import Plan
from lineadmin.reminders.models import CouponReminder
from lineadmin.tasks.tick import tick
from tests.conftest import NOON, PATIENCE
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend, make_friends, make_staff
from tests.outbox.test_index_use import plan_of, statements

TAIPEI = ZoneInfo("Asia/Taipei")


def at(day: str, clock: str = "12:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=TAIPEI)


@dataclass
class Shop:
    """A shop with phones, whose time is moved by hand."""

    line: Any
    gateway: Gateway
    wall: datetime

    def friend(self, name: str = "花", **fields: Any) -> Friend:
        user_id = self.line.client.add_phone(name)["user_id"]
        return make_friend(name, line_user_id=user_id, **fields)

    def tick(self, now: datetime) -> Any:
        self.wall += timedelta(minutes=5)
        return tick(now, self.wall, gateway=self.gateway)

    def texts(self, friend: Friend) -> list[str]:
        return self.line.client.texts(friend.line_user_id)

    def told(self, friend: Friend) -> list[str]:
        return [message["type"] for message in self.line.client.messages(friend.line_user_id)]


@pytest.fixture
def shop(db: Any, line: Any, line_config: Any) -> Iterator[Shop]:
    from lineadmin import clock
    from lineadmin import config as configuration

    configuration.use(line_config)
    made = Shop(line, Gateway(line_config, connect=PATIENCE, read=PATIENCE), clock.wall())
    yield made
    made.gateway.close()


def remind(
    coupon: Coupon, *, now: datetime = NOON, version: int | None = None, **plan: Any
) -> bool:
    return actions.save(coupon, Plan(**plan), version=version, staff=None, now=now, wall=now)


def use(copy: CouponIssue, now: datetime) -> None:
    redeem(copy, staff=make_staff(), how="code", request_key=f"key-{copy.id:08}", now=now, wall=now)


def outcomes() -> dict[int, str]:
    """{friend: what became of her reminder}"""
    rows = Delivery.select().where(Delivery.origin_kind == int(OriginKind.REMINDER))
    return {row.friend_id: row.reason or DeliveryState(row.state).name.lower() for row in rows}


def test_over_the_ends_holders_are_reminded_once_and_nobody_else(shop):
    coupon = make_coupon()  # good for 7 days: through Monday 2026-11-30, 24:00
    remind(coupon, lead=2, words="{name}，優惠券快到期了！")
    hana = shop.friend("小花")
    used, blocked, stopped, late = (shop.friend(name) for name in ("阿明", "小黑", "小靜", "阿遲"))
    copies = {friend.id: give(coupon, friend.id) for friend in (hana, used, blocked, stopped)}
    use(copies[used.id], at("2026-11-25"))
    Friend.update(status="blocked").where(Friend.id == blocked.id).execute()
    Friend.update(opted_out_at=NOON).where(Friend.id == stopped.id).execute()
    shop.tick(at("2026-11-28", "10:59"))
    assert outcomes() == {}
    give(coupon, late.id, now=at("2026-11-28"))  # ends on Saturday 12-05
    for now in (
        at("2026-11-28", "11:00"),
        at("2026-11-28", "11:01"),
        at("2026-11-29"),
        at("2026-12-01"),
    ):
        shop.tick(now)
    assert outcomes() == {
        hana.id: "sent",
        used.id: reasons.COUPON_USED,
        blocked.id: reasons.BLOCKED,
        stopped.id: reasons.OPTED_OUT,
    }
    assert shop.texts(hana)[0] == "小花，優惠券快到期了！"
    assert shop.told(hana) == ["text", "flex"]  # her words and her card, once
    assert [shop.told(friend) for friend in (used, blocked, stopped)] == [[], [], []]
    shop.tick(at("2026-12-03", "11:00"))
    assert outcomes()[late.id] == "sent"
    assert Coupon.get_by_id(coupon.id).issued == 5  # reminding hands nothing out
    assert {copy.carried for copy in CouponIssue.select()} == {1}


def test_the_card_is_the_copy_she_holds(shop):
    coupon = make_coupon(per_friend=3)
    hana = shop.friend()
    first = give(coupon, hana.id)
    use(first, NOON)
    second = give(coupon, hana.id, origin="reply")
    remind(coupon, lead=1)
    shop.tick(at("2026-11-29", "11:00"))
    assert CouponIssue.select().count() == 2
    assert outcomes() == {hana.id: "sent"}
    shown = str(shop.line.client.messages(hana.line_user_id))
    assert second.token in shown
    assert first.token not in shown


def test_who_uses_it_between_planning_and_sending_is_not_reminded(shop):
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "12:30"}, staff=None, wall=NOON)
    coupon = make_coupon()
    remind(coupon, lead=0)
    hana, taro = shop.friend(), shop.friend("太郎")
    copy = give(coupon, hana.id)
    give(coupon, taro.id)
    shop.tick(at("2026-11-30", "11:00"))
    assert outcomes() == {hana.id: "queued", taro.id: "queued"}  # quiet hours
    use(copy, at("2026-11-30", "12:00"))
    shop.tick(at("2026-11-30", "12:31"))
    assert outcomes() == {hana.id: reasons.COUPON_USED, taro.id: "sent"}


def test_a_reminder_that_waited_past_the_end_is_not_sent(shop):
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=NOON)
    coupon = make_coupon()
    remind(coupon, lead=2, unit="hours")  # 22:00, in the quiet hours
    hana = shop.friend()
    give(coupon, hana.id)
    shop.tick(at("2026-11-30", "22:00"))
    assert outcomes() == {hana.id: "queued"}
    shop.tick(at("2026-12-01", "09:00"))
    assert outcomes() == {hana.id: reasons.EXPIRED}


def test_a_server_that_was_down_over_the_end_says_so(shop):
    coupon = make_coupon()
    remind(coupon)
    hana = shop.friend()
    give(coupon, hana.id)
    shop.tick(at("2026-12-02"))
    assert outcomes() == {hana.id: reasons.EXPIRED}
    assert shop.told(hana) == []


def test_who_got_it_after_the_time_to_remind_is_left_alone(db):
    coupon = make_coupon(valid_days=None, valid_until=at("2026-12-01", "00:00"))
    remind(coupon, lead=2)
    early, late = make_friends(2)
    give(coupon, early)
    give(coupon, late, now=at("2026-11-29"))
    advance.advance(at("2026-11-29", "12:01"), NOON)
    assert outcomes() == {early: "queued", late: reasons.COUPON_NEW}


def test_two_copies_that_end_together_make_one_reminder_and_a_used_one_no_matter(db):
    coupon = make_coupon(per_friend=3)
    remind(coupon)
    hana = make_friend().id
    first = give(coupon, hana, origin="step")
    give(coupon, hana, origin="reply")
    give(coupon, hana, origin="staff")
    use(first, NOON)
    advance.advance(at("2026-11-29"), NOON)
    assert outcomes() == {hana: "queued"}
    assert Delivery.select().count() == 1


def test_the_cap_holds_for_reminders(db):
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=NOON)
    hana = make_friend().id
    for code in ("bento20", "tea"):
        coupon = make_coupon(code=code)
        remind(coupon)
        give(coupon, hana)
    advance.advance(at("2026-11-29"), NOON)
    assert sorted(row.reason for row in Delivery.select()) == ["", reasons.CAP]


def test_a_paused_coupon_reminds_nobody_until_it_is_resumed(db):
    coupon, staff = make_coupon(), make_staff()
    remind(coupon)
    give(coupon, make_friend().id)
    coupons.pause(coupon.id, staff=staff, wall=NOON)
    assert not advance.is_due(at("2026-11-29"))
    assert advance.advance(at("2026-11-29"), NOON) == 0
    coupons.resume(coupon.id, staff=staff, wall=NOON)
    assert advance.is_due(at("2026-11-29"))
    assert advance.advance(at("2026-11-29"), NOON) == 1
    assert not advance.is_due(at("2026-11-29"))


def test_switching_it_off_takes_back_what_waits_and_on_again_looks_forward_only(db):
    coupon = make_coupon()
    remind(coupon)
    hana, taro = make_friends(2)
    give(coupon, hana)
    advance.advance(at("2026-11-29"), NOON)
    assert advance.may_send({coupon.id}, NOON) == {coupon.id}
    remind(coupon, enabled=False)
    assert outcomes() == {hana: reasons.CANCELED}
    assert advance.may_send({coupon.id}, NOON) == set()
    give(coupon, taro, now=at("2026-11-24"))
    remind(coupon, now=at("2027-01-01"))
    advance.advance(at("2027-01-01"), NOON)
    assert outcomes() == {hana: reasons.CANCELED}


def test_many_holders_are_planned_in_chunks_and_a_cut_short_tick_goes_on(db):
    coupon = make_coupon()
    remind(coupon)
    friends = make_friends(700)
    issue_many(coupon, friends, origin="broadcast", now=NOON)
    reminder = CouponReminder.get()
    now = at("2026-11-29")
    assert advance.advance_chunk(reminder.id, now, limit=300) == 300
    assert advance.advance(now, NOON) == 400
    assert CHUNK >= 400
    assert Delivery.select().count() == 700
    assert advance.advance(now, NOON) == 0


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"lead": 8}, "lead"),
        ({"lead": -1}, "lead"),
        ({"lead": 0, "unit": "hours"}, "lead"),
        ({"lead": 73, "unit": "hours"}, "lead"),
        ({"unit": "weeks"}, "unit"),
        ({"at": "25:00"}, "at"),
        ({"words": "嗨 {nickname}"}, "words"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(db, plan, field):
    coupon = make_coupon()
    with pytest.raises(DomainError) as refused:
        remind(coupon, **plan)
    assert refused.value.field == field
    assert actions.of_coupon(coupon.id) is None


def test_a_coupon_without_end_has_nothing_to_remind_of(db):
    with pytest.raises(DomainError) as refused:
        remind(make_coupon(valid_days=None))
    assert refused.value.field == "lead"


def test_saving_the_same_changes_nothing_and_a_second_tab_is_told(db):
    coupon = make_coupon()
    assert remind(coupon, version=0)
    assert not remind(coupon, version=1)
    assert actions.of_coupon(coupon.id).words.startswith("{name}")
    assert remind(coupon, version=1, lead=1)
    with pytest.raises(Conflict):
        remind(coupon, version=1, lead=3)


def test_what_is_due_is_found_by_an_index_however_many_copies_there_are(db):
    coupon = make_coupon()
    remind(coupon)
    friends = make_friends(50)
    issue_many(coupon, friends, origin="broadcast", now=NOON)
    numbers = "SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000"
    db.execute_sql(
        f"WITH RECURSIVE n(i) AS ({numbers}) INSERT INTO coupon_issue (coupon_id, friend_id,"
        " number, token, code, issued_at, expires_at, origin, origin_id, carried, redeemed_how)"
        f" SELECT {coupon.id}, 1000000 + i, 1, 'token-' || i, 'code-' || i, 5, 6, 'step', 0, 1, ''"
        " FROM n"
    )
    db.execute_sql("ANALYZE")
    with statements() as seen:
        assert not advance.is_due(at("2026-11-28", "10:59"))
        assert advance.advance(at("2026-11-28", "11:00"), NOON) == 50
    asked = [(sql, params) for sql, params in seen if 'FROM "coupon_issue"' in sql]
    assert len(asked) >= 3
    for sql, params in asked:
        plan = plan_of(sql, params)
        assert "couponissue_ends" in plan, plan
