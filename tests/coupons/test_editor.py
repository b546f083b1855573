"""Coupons on the managers' screens, without JavaScript."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from PIL import Image

from lineadmin.coupons import actions
from lineadmin.coupons.issue import issue_one
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.offer import Offer
from lineadmin.coupons.redeem import redeem
from lineadmin.errors import Conflict, DomainError
from lineadmin.reminders import actions as reminders
from lineadmin.reminders.actions import Plan
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_friends, make_staff
from tests.panel import hidden_of, panel_of

NEW = {
    "title": "雙拼便當 8 折",
    "benefit": "percent",
    "percent": "20",
    "minimum_spend": "100",
    "validity": "days",
    "valid_days": "7",
    "stock": "500",
    "per_friend": "1",
    "redeem": "staff",
    "terms": "限內用與外帶。",
}


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def _only():
    return Coupon.get()


def test_a_coupon_is_made_and_its_page_shows_it(manager):
    answer = manager.post("/admin/coupons/new/", NEW)
    coupon = _only()
    assert answer.location.endswith(f"/admin/coupons/details/?id={coupon.id}")
    assert coupon.code == f"coupon-{coupon.id}"
    assert (coupon.benefit_value, coupon.minimum_spend, coupon.stock) == (20, 100, 500)
    page = manager.get(answer.location).text
    assert "雙拼便當 8 折" in page
    assert "領取後 7 天內有效" in page
    assert Audit.get(Audit.action == "coupon.create").staff_id == manager.staff.id
    assert "雙拼便當 8 折" in manager.get("/admin/coupons/").text


def test_fixed_dates_are_whole_days_on_the_shops_clock(manager):
    dates = {"validity": "dates", "first_day": "2026-12-01", "last_day": "2026-12-31"}
    manager.post("/admin/coupons/new/", NEW | dates)
    coupon = _only()
    assert f"{coupon.valid_from:%Y-%m-%dT%H:%MZ}" == "2026-11-30T16:00Z"
    assert f"{coupon.valid_until:%Y-%m-%dT%H:%MZ}" == "2026-12-31T16:00Z"
    assert coupon.valid_days is None
    edit = manager.get(f"/admin/coupons/edit/?id={coupon.id}").text
    assert 'value="2026-12-31"' in edit


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": ""}, "請填寫"),
        ({"percent": ""}, "20 就是 8 折"),
        ({"percent": "101"}, "1 到 100"),
        ({"percent": "abc"}, "整數"),
        ({"benefit": "amount", "amount": "0"}, "整數金額"),
        ({"benefit": "gift"}, "贈品是什麼"),
        ({"valid_days": ""}, "天數"),
        ({"valid_days": "9999"}, "0 到 366"),
        ({"stock": "-1"}, "0 到"),
        ({"per_friend": "0"}, "1 到 100"),
        ({"redeem": "pin", "pin": "12"}, "4 到 8 位"),
        ({"code": "有 空格"}, "短代號"),
        (
            {"validity": "dates", "first_day": "2026-12-31", "last_day": "2026-12-01"},
            "早於第一天",
        ),
    ],
)
def test_what_cannot_be_right_is_told_beside_its_field_and_nothing_is_made(
    manager, change, sentence
):
    page = manager.post("/admin/coupons/new/", NEW | change)
    assert page.status_code == 200
    assert sentence in page.text
    assert 'aria-invalid="true"' in page.text or 'class="error"' in page.text
    assert Coupon.select().count() == 0


def test_a_short_name_can_be_used_once(manager):
    manager.post("/admin/coupons/new/", NEW | {"code": "bento20"})
    page = manager.post("/admin/coupons/new/", NEW | {"code": "bento20"})
    assert "bento20 的優惠券" in page.text
    assert Coupon.select().count() == 1


def test_two_tabs_the_second_save_is_told(manager):
    coupon = make_coupon()
    address = f"/admin/coupons/edit/?id={coupon.id}"
    hidden = hidden_of(manager.get(address).text)
    versions = {"version": hidden["version"], "seen": hidden["seen"]}
    manager.post(address, NEW | versions | {"title": "第一個分頁"})
    second = manager.post(address, NEW | versions | {"terms": "第二個分頁"})
    assert second.status_code == 409
    assert "第一個分頁" in second.text
    assert _only().title == "第一個分頁"
    assert _only().terms == "限內用與外帶。"


def test_what_was_promised_stays_once_a_friend_holds_it(manager):
    coupon = make_coupon()
    give(coupon, make_friend().id)
    address = f"/admin/coupons/edit/?id={coupon.id}"
    page = manager.get(address)
    assert "已經有好友領取" in page.text
    hidden = hidden_of(page.text)
    posted = NEW | {"version": hidden["version"], "seen": hidden["seen"], "percent": "50"}
    manager.post(address, posted)
    assert _only().benefit_value == 20
    refused = manager.post(address, posted | {"version": _only().version, "minimum_spend": "200"})
    assert "最低消費只能比 NT$100 更低" in refused.text
    assert _only().minimum_spend == 100


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"benefit_value": 50}, "benefit_value"),
        ({"benefit": "amount", "benefit_value": 50}, "benefit"),
        ({"minimum_spend": 200}, "minimum_spend"),
        ({"stock": 0}, "stock"),
    ],
)
def test_the_rules_refuse_it_too(db, change, field):
    coupon = make_coupon()
    give(coupon, make_friend().id)
    offer = Offer(**(Offer.of(_only()).columns() | change))
    with pytest.raises(DomainError) as refused:
        actions.edit(coupon.id, offer, version=None, staff=None, wall=NOON)
    assert refused.value.field == field
    assert Coupon.get().version == 1


def test_a_longer_time_reaches_copies_that_are_held_a_shorter_one_does_not(db):
    until = NOON + timedelta(days=7)
    coupon = make_coupon(valid_days=None, valid_until=until)
    held, spent = give(coupon, make_friend().id), give(coupon, make_friend().id)
    staff = make_staff()
    redeem(spent, staff=staff, how="code", request_key="key-12345", now=NOON, wall=NOON)

    def until_of(copy):
        return CouponIssue.get_by_id(copy.id).expires_at

    def change(end):
        columns = Offer.of(Coupon.get()).columns() | {"valid_until": end}
        actions.edit(coupon.id, Offer(**columns), version=None, staff=staff, wall=NOON)

    change(until + timedelta(days=7))
    assert until_of(held) == until + timedelta(days=7)
    assert until_of(spent) == until
    change(until)
    assert until_of(held) == until + timedelta(days=7)
    assert until_of(give(coupon, make_friend().id)) == until


def test_a_save_that_races_with_the_first_copy_does_not_change_the_promise(db, monkeypatch):
    coupon = make_coupon()
    hana = make_friend().id
    check = actions._check_promises
    raced = []

    def check_then_issue(known, after):
        check(known, after)
        if not raced:
            raced.append(True)
            issue_one(coupon, hana, origin="reply", now=NOON)

    monkeypatch.setattr(actions, "_check_promises", check_then_issue)
    columns = Offer.of(Coupon.get()).columns() | {"benefit_value": 50}
    with pytest.raises(DomainError) as refused:
        actions.edit(coupon.id, Offer(**columns), version=1, staff=None, wall=NOON)
    assert refused.value.field == "benefit_value"
    assert not isinstance(refused.value, Conflict)


def test_loading_the_same_twice_changes_nothing(db):
    offer = Offer(title="見面禮", benefit="gift", benefit_text="紅茶", code="tea", valid_days=3)
    assert actions.load(offer, staff=None, now=NOON, wall=NOON)
    assert not actions.load(offer, staff=None, now=NOON, wall=NOON)
    assert Audit.select().count() == 1


def test_pause_and_resume_at_once_closing_asks_first(manager):
    coupon = make_coupon()
    state = "/admin/coupons/state/"
    manager.post(state, {"id": coupon.id, "state": "paused"})
    assert _only().state == "paused"
    manager.post(state, {"id": coupon.id, "state": "active"})
    asked = manager.post(state, {"id": coupon.id, "state": "closed"})
    assert _only().state == "active"
    assert "永久結束" in asked.text
    manager.post(state, {"id": coupon.id, "state": "closed", "confirmed": "1"})
    assert _only().state == "closed"
    again = manager.post(state, {"id": coupon.id, "state": "active"}, follow_redirects=True)
    assert "不能再開啟" in again.text
    assert _only().state == "closed"
    actions_done = [row.action for row in Audit.select().order_by(Audit.id)]
    assert actions_done[-3:] == ["coupon.pause", "coupon.resume", "coupon.close"]


def test_duplicating_fills_the_form_and_makes_another(manager):
    coupon = make_coupon()
    page = manager.get(f"/admin/coupons/new/?from={coupon.id}")
    assert 'value="雙拼便當 8 折"' in page.text
    assert 'value="bento20"' not in page.text
    manager.post("/admin/coupons/new/", NEW)
    assert Coupon.select().count() == 2


def test_the_preview_says_what_friends_will_read(manager):
    shown = manager.post("/admin/coupons/preview/", NEW | {"benefit": "gift", "gift": "冰紅茶"})
    assert shown.status_code == 200
    assert "冰紅茶" in str(shown.json["messages"])
    assert "限內用與外帶。" in shown.json["page"]
    for broken in ({}, {"benefit": "x"}, NEW | {"percent": "9999", "valid_days": "99999"}):
        assert manager.post("/admin/coupons/preview/", broken).status_code == 200
    assert Coupon.select().count() == 0


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_staff_and_viewers_read_but_do_not_change(app, role):
    panel = panel_of(app, role)
    coupon = make_coupon()
    assert panel.get("/admin/coupons/").status_code == 200
    assert panel.get(f"/admin/coupons/details/?id={coupon.id}").status_code == 200
    for address in ("new/", f"edit/?id={coupon.id}", "state/", "preview/"):
        assert panel.post(f"/admin/coupons/{address}", NEW).status_code == 403
    assert Coupon.select().count() == 1


def test_every_copy_is_listed_with_what_became_of_it(manager):
    coupon = make_coupon()
    friends = make_friends(60)
    copies = [give(coupon, friend) for friend in friends]
    redeem(copies[0], staff=manager.staff, how="scan", request_key="key-12345", now=NOON, wall=NOON)
    first = manager.get(f"/admin/coupons/copies/?id={coupon.id}")
    assert "共 60 筆" in first.text
    assert "好友 59" in first.text
    assert "下一頁" in first.text
    used = manager.get(f"/admin/coupons/copies/?id={coupon.id}&state=used")
    assert "共 1 筆" in used.text
    assert "店員掃碼" in used.text
    for state in ("held", "expired", "voided"):
        assert (
            manager.get(f"/admin/coupons/copies/?id={coupon.id}&state={state}").status_code == 200
        )


def test_duplicating_takes_the_reminder_along(manager):
    coupon = make_coupon()
    plan = Plan(lead=3, at="18:30", words="快到期囉")
    reminders.save(coupon, plan, version=0, staff=None, now=NOON, wall=NOON)
    manager.post(f"/admin/coupons/new/?from={coupon.id}", NEW)
    made = Coupon.get(Coupon.id != coupon.id)
    assert Plan.of(reminders.of_coupon(made.id)) == plan


def test_choosing_a_lottery_leads_to_its_set_up_with_what_was_typed(manager):
    page = manager.get("/admin/coupons/new/").text
    assert 'value="lottery"' in page
    assert "獎品" in page
    typed = NEW | {"benefit": "lottery", "title": "開幕抽獎", "last_day": "2026-12-31"}
    there = manager.post("/admin/coupons/new/", typed, follow_redirects=True)
    assert there.request.path == "/admin/lotteries/new/"
    for kept in ("開幕抽獎", "限內用與外帶。", "2026-12-31"):
        assert kept in there.text
    assert Coupon.select().count() == 0


def test_a_coupon_that_exists_does_not_become_a_lottery(manager):
    coupon = make_coupon()
    assert 'value="lottery"' not in manager.get(f"/admin/coupons/edit/?id={coupon.id}").text


def test_every_way_a_copy_came_by_is_said_in_words(manager):
    coupon = make_coupon(per_friend=20)
    ways = ("greeting", "step", "broadcast", "reply", "staff", "test", "claim", "thanks", "lottery")
    hana = make_friend()
    for way in (*ways, "survey", "reminder"):
        give(coupon, hana.id, origin=way)
    page = manager.get(f"/admin/coupons/copies/?id={coupon.id}").text
    shown = re.findall(r'data-label="發出方式">([^<]*)<', page)
    assert len(shown) == len(ways) + 2
    assert not [words for words in shown if re.search(r"[a-z]", words)]


DATES = {"validity": "dates", "first_day": "2026-12-01", "last_day": "2026-12-31"}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (DATES | {"last_day": "9999-12-31"}, "請選擇 1970 到 2999 年之間的日期"),
        (DATES | {"first_day": "0001-01-01"}, "請選擇 1970 到 2999 年之間的日期"),
        (DATES | {"first_day": "", "last_day": "2026-11-22"}, "結束日期已經過了"),
        ({"who": "[]"}, "條件無法讀取"),
        ({"who": "5"}, "條件無法讀取"),
    ],
)
def test_days_and_conditions_that_cannot_be_meant_are_refused_with_a_sentence(
    manager, typed, sentence
):
    answer = manager.post("/admin/coupons/new/", NEW | typed)
    assert sentence in answer.text
    assert manager.post("/admin/coupons/preview/", NEW | typed).status_code == 200
    assert Coupon.select().count() == 0


def test_a_coupon_that_ends_today_can_be_made_until_the_shops_midnight(manager, clock):
    today = DATES | {"first_day": "", "last_day": "2026-11-23"}
    assert manager.post("/admin/coupons/new/", NEW | today).status_code == 302
    clock.set(Coupon.get().valid_until)
    again = manager.post("/admin/coupons/new/", NEW | today)
    assert "結束日期已經過了" in again.text
    assert Coupon.select().count() == 1


def test_a_strip_of_a_picture_is_cut_and_what_is_no_text_leaves_the_name(manager):
    strip = io.BytesIO()
    Image.new("RGB", (5000, 3), "red").save(strip, "PNG")
    strip.seek(0)
    typed = NEW | {"title": "夜\x00貓", "picture_file": (strip, "a.png")}
    assert manager.post("/admin/coupons/new/", typed).status_code == 302
    made = Coupon.get()
    assert made.title == "夜貓"
    assert made.picture
