"""Keyword replies and the greeting on screen."""

import json

import pytest

from lineadmin import clock as shop_clock
from lineadmin.friends import actions as friends
from lineadmin.replies import greeting
from lineadmin.replies.models import ReplyRule
from lineadmin.staff.models import Audit
from tests.panel import flashes_of, hidden_of, panel_of

HELLO = json.dumps([{"text": "雙拼、排骨、素食"}])


@pytest.fixture
def manager(app):
    return panel_of(app, "manager")


def form(**more):
    return {
        "match": "exact",
        "keywords": "菜單\nmenu",
        "priority": "10",
        "enabled": "y",
        "parts": HELLO,
        **more,
    }


def add(panel, **more):
    return panel.post("/admin/replies/new/", form(**more))


def test_a_reply_is_added_and_listed(manager):
    assert add(manager, keywords="菜單、menu, 便當").status_code == 302
    rule = ReplyRule.get()
    assert (rule.keywords, rule.enabled) == (["菜單", "menu", "便當"], True)
    page = manager.get("/admin/replies/").text
    assert "雙拼、排骨、素食" in page
    assert ">便當<" in page


def test_what_is_wrong_is_told_beside_its_field_and_the_input_kept(manager):
    page = add(manager, keywords="", hours_from="09:00").text
    assert "請至少填一個關鍵字。" in page
    assert "雙拼、排骨、素食" in page
    assert ReplyRule.select().count() == 0
    assert "請至少寫一則訊息。" in add(manager, parts="[]").text


def test_a_reply_can_tag_whoever_asks(manager):
    tag = friends.create_tag("問過菜單", staff=None, now=shop_clock.now(), wall=shop_clock.wall())
    add(manager, add_tags=str(tag.id))
    assert ReplyRule.get().add_tags == [tag.id]
    address = f"/admin/replies/edit/?id={ReplyRule.get().id}"
    assert "checked" in manager.get(address).text.split("tag-choices")[1][:300]


def test_two_tabs_editing_one_reply_the_second_is_told(manager):
    add(manager)
    address = f"/admin/replies/edit/?id={ReplyRule.get().id}"
    hidden = hidden_of(manager.get(address).text)
    hidden.pop("csrf_token")
    hidden.pop("parts", None)
    assert manager.post(address, {**hidden, **form(priority="11")}).status_code == 302
    answer = manager.post(address, {**hidden, **form(priority="12")})
    assert answer.status_code == 409
    assert ReplyRule.get().priority == 11


def test_the_box_over_the_list_tells_who_would_answer(manager):
    add(manager)
    page = manager.get("/admin/replies/?try=ＭＥＮＵ").text
    assert "會回應" in page
    assert "沒有人" in manager.get("/admin/replies/?try=別的").text


def test_replies_are_switched_off_and_deleted(manager):
    add(manager)
    rule = ReplyRule.get()
    manager.post("/admin/replies/action/", {"action": "disable", "rowid": rule.id})
    assert not ReplyRule.get().enabled
    asked = manager.post(f"/admin/replies/delete/?id={rule.id}")
    assert "已經回應過 0 次" in asked.text
    manager.post("/admin/replies/delete/", {"id": rule.id, "confirmed": "1"})
    assert ReplyRule.select().count() == 0


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_may_not_write_reads_only(app, manager, role):
    add(manager)
    reader = panel_of(app, role)
    assert reader.get("/admin/replies/").status_code == 200
    assert add(reader).status_code == 403
    assert reader.post("/admin/greeting/", {"messages": HELLO}).status_code == 403
    assert ReplyRule.select().count() == 1


def save_greeting(panel, **more):
    hidden = hidden_of(panel.get("/admin/greeting/").text)
    values = {"version": hidden["version"], "seen": hidden["seen"], "messages": "[]"}
    return panel.post("/admin/greeting/", {**values, "returning": "[]", **more})


def test_both_greetings_are_saved_together(manager):
    back = json.dumps([{"text": "歡迎回來！"}])
    assert save_greeting(manager, messages=HELLO, returning=back).status_code == 302
    found = greeting.current()
    assert found.messages == json.loads(HELLO)
    assert found.returning == json.loads(back)
    assert flashes_of(manager.get("/admin/greeting/").text) == ["已儲存。"]
    assert Audit.select().where(Audit.action == "greeting.edit").count() == 1


def test_a_greeting_saved_in_another_tab_is_not_overwritten(manager):
    hidden = hidden_of(manager.get("/admin/greeting/").text)
    save_greeting(manager, messages=HELLO)
    old = {"version": hidden["version"], "seen": hidden["seen"], "messages": "[]"}
    answer = manager.post("/admin/greeting/", {**old, "returning": HELLO})
    assert answer.status_code == 409
    assert greeting.current().returning == []


def test_a_greeting_line_would_refuse_is_not_saved(manager):
    answer = save_greeting(manager, messages=json.dumps([{"text": "x" * 5001}]))
    assert answer.status_code == 400
    assert greeting.current().messages == []


def test_home_greets_by_the_shops_clock_and_shows_who_waits(manager, clock):
    page = manager.get("/admin/").text
    assert f"午安，{manager.staff.name}" in page
    assert "每則訊息都有回覆" in page
    for days in (7, 30, 90):
        assert manager.get(f"/admin/?days={days}").status_code == 200
    assert manager.get("/admin/?days=x").status_code == 200
