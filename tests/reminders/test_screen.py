"""The reminder on its screen and in the shop file."""

from __future__ import annotations

import pytest

from lineadmin import settings
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Friend
from lineadmin.outbox import reasons
from lineadmin.reminders import actions, advance
from lineadmin.shopfile.dump import as_data, dump
from lineadmin.shopfile.errors import ShopFileError
from lineadmin.shopfile.load import load
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend, make_friends
from tests.panel import hidden_of, panel_of
from tests.reminders.test_reminders import at

TYPED = {"enabled": "y", "unit": "days", "lead": "2", "at": "18:30", "words": "{name}，快到期囉！"}


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def address(coupon):
    return f"/admin/coupon_reminder/?id={coupon.id}"


def test_the_form_starts_with_usual_words_and_saves(manager):
    coupon = make_coupon()
    page = manager.get(address(coupon)).text
    assert actions.usual_words()[:20] in page
    answer = manager.post(address(coupon), hidden_of(page) | TYPED)
    assert answer.location.endswith(f"/admin/coupons/details/?id={coupon.id}")
    assert "到期日前 2 天的 18:30" in manager.get(answer.location).text
    assert Audit.get(Audit.action == "reminder.edit").staff_id == manager.staff.id
    again = manager.get(address(coupon)).text
    off = {key: value for key, value in TYPED.items() if key != "enabled"}
    manager.post(address(coupon), hidden_of(again) | off)
    assert not actions.of_coupon(coupon.id).enabled


def test_it_tells_whom_it_reaches_and_what_that_costs(manager):
    plan = {"plan_included": 0, "plan_extra_price": 0.2}
    settings.change_shop(plan, staff=None, wall=NOON)
    coupon = make_coupon()
    friends = make_friends(12)
    for friend in friends:
        give(coupon, friend)
    Friend.update(status="blocked").where(Friend.id == friends[0]).execute()
    Friend.update(opted_out_at=NOON).where(Friend.id == friends[1]).execute()
    page = manager.get(address(coupon)).text
    assert "約 NT$2：超出方案 10 則" in page
    manager.post(address(coupon), hidden_of(page) | TYPED)
    advance.advance(at("2026-11-29"), NOON)
    page = manager.get(address(coupon)).text
    assert "已封鎖" in page


def test_staff_are_told_that_line_refuses_it_until_its_words_are_others(manager):
    coupon = make_coupon()
    manager.post(address(coupon), hidden_of(manager.get(address(coupon)).text) | TYPED)
    advance.waits(coupon.id, reasons.REFUSED)
    page = manager.get(address(coupon)).text
    assert "LINE 拒絕這則提醒訊息" in page
    shown = f"/admin/coupons/details/?id={coupon.id}"
    refused = reasons.label(reasons.REFUSED)
    assert f"18:30・{refused}" in manager.get(shown).text
    manager.post(address(coupon), hidden_of(page) | TYPED | {"words": "快到期囉！"})
    assert "LINE 拒絕這則提醒訊息" not in manager.get(address(coupon)).text
    assert refused not in manager.get(shown).text


def test_a_mistake_stays_beside_its_field_and_a_second_tab_is_told(manager):
    coupon = make_coupon()
    page = manager.get(address(coupon)).text
    refused = manager.post(address(coupon), hidden_of(page) | TYPED | {"lead": "30"})
    assert refused.status_code == 400
    assert "只有 7 天有效" in refused.text
    assert manager.post(address(coupon), hidden_of(page) | TYPED).status_code == 302
    conflict = manager.post(address(coupon), hidden_of(page) | TYPED | {"lead": "1"})
    assert conflict.status_code == 409
    assert actions.of_coupon(coupon.id).lead == 2


def test_a_viewer_reads_it_and_changes_nothing(app, clock):
    coupon, viewer = make_coupon(), panel_of(app, "viewer")
    assert viewer.get(address(coupon)).status_code == 200
    assert viewer.post(address(coupon), TYPED).status_code == 403
    assert viewer.get("/admin/coupon_reminder/?id=99").status_code == 404


FILE = """
version: 1
coupons:
  - code: bento20
    title: 雙拼便當 8 折
    benefit: {type: percent, value: 20}
    valid: {days: 7}
    reminder: {days: 2, at: "18:30", text: "{name}，快到期囉！"}
"""


def load_file(text):
    return load(text, staff=None, now=NOON, wall=NOON)


def test_the_shop_file_sets_dumps_and_switches_it_off(db):
    load_file(FILE)
    [coupon] = Coupon.select()
    stored = actions.of_coupon(coupon.id)
    assert (stored.lead, stored.unit, stored.at) == (2, "days", "18:30")
    assert load_file(FILE).unchanged == 1
    assert load_file(dump()).created == []
    assert as_data()["coupons"][0]["reminder"] == {
        "days": 2,
        "at": "18:30",
        "text": "{name}，快到期囉！",
    }
    load_file("version: 1\ncoupons: [{code: bento20, reminder: {hours: 6}}]")
    assert as_data()["coupons"][0]["reminder"]["hours"] == 6
    load_file("version: 1\ncoupons: [{code: bento20, reminder: null}]")
    assert "reminder" not in as_data()["coupons"][0]


@pytest.mark.parametrize(
    ("reminder", "line"), [("{days: 1, hours: 2}", 4), ("{days: 9}", 4), ("{hours: 0}", 4)]
)
def test_a_mistake_in_the_file_names_its_line(db, reminder, line):
    make_coupon()
    with pytest.raises(ShopFileError) as refused:
        load_file(f"version: 1\ncoupons:\n  - code: bento20\n    reminder: {reminder}\n")
    assert refused.value.line == line


def test_a_friend_reads_in_her_timeline_why_she_was_reminded(manager):
    coupon = make_coupon()
    hana = make_friend("小花")
    give(coupon, hana.id)
    manager.post(address(coupon), hidden_of(manager.get(address(coupon)).text) | TYPED)
    advance.advance(at("2026-11-29"), NOON)
    assert "到期提醒" in manager.get(f"/admin/friends/{hana.id}/").text
    deliveries = manager.get("/admin/deliveries/").text
    assert "雙拼便當 8 折" in deliveries
