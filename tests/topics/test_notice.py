"""A notice to one friend from a template with variables."""

from __future__ import annotations

import pytest

from lineadmin.messages import names, templates
from lineadmin.messages.models import MessageTemplate
from lineadmin.outbox.models import Content, Delivery
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import hidden_of, panel_of

ORDER = [{"text": "{name|您好}，訂單 {order_no} 已在 {門市} 備好。{{折扣}}"}]


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


@pytest.fixture
def order(manager):
    return templates.create("取餐通知", ORDER, staff=None, now=NOON, wall=NOON)


def address(friend, template=None):
    query = "" if template is None else f"?template={template.id}"
    return f"/admin/friends/{friend.id}/notice/{query}"


def typed(manager, friend, order, **values):
    hidden = hidden_of(manager.get(address(friend, order)).text)
    return hidden | {f"value-{name}": value for name, value in values.items()}


def test_a_missing_variable_is_refused_before_anything_is_planned(manager, order):
    hana = make_friend("小花")
    page = manager.get(address(hana, order)).text
    assert 'name="value-order_no"' in page
    assert 'name="value-門市"' in page
    assert "則" in page  # what it costs
    form = typed(manager, hana, order, order_no="A-12", 門市=" ")
    for more in ({}, {"confirmed": "1"}):
        answer = manager.post(address(hana), form | more)
        assert answer.status_code == 400
        assert "請填入 {門市}" in answer.text
        assert 'value="A-12"' in answer.text
    assert Delivery.select().count() == Content.select().count() == 0


def test_filled_in_it_is_confirmed_with_its_price_and_goes_once(manager, order):
    hana = make_friend("小花")
    form = typed(manager, hana, order, order_no="{A}-12", 門市="中山店")
    page = manager.post(address(hana), form).text
    assert "小花，訂單 {A}-12 已在 中山店 備好。{折扣}" in page
    assert Delivery.select().count() == 0
    confirm = hidden_of(page) | {"confirmed": "1"}
    for _press in range(2):
        answer = manager.post(address(hana), confirm)
        assert answer.status_code == 302
    [delivery] = Delivery.select()
    assert delivery.friend_id == hana.id
    [part] = delivery.content.parts
    said = "小花，訂單 {A}-12 已在 中山店 備好。{折扣}"
    assert names.substitute(part["text"], "小花") == said
    assert Audit.select().where(Audit.action == "message.answer").count() == 1


def test_a_template_changed_meanwhile_is_looked_at_again(manager, order):
    hana = make_friend("小花")
    form = typed(manager, hana, order, order_no="A-12", 門市="中山店")
    MessageTemplate.update(version=2).execute()
    answer = manager.post(address(hana), form | {"confirmed": "1"})
    assert answer.status_code == 400
    assert "剛被修改過" in answer.text
    assert Delivery.select().count() == 0


def test_a_template_with_variables_can_be_saved_and_is_not_sent_as_it_stands(manager):
    import json

    saved = {"name": "取餐通知", "parts": json.dumps(ORDER)}
    assert manager.post("/admin/templates/new/", saved).status_code == 302
    broadcast = {"name": "群發", "who": "everyone", "when": "now", "messages": json.dumps(ORDER)}
    answer = manager.post("/admin/broadcasts/new/", broadcast)
    assert answer.status_code == 400
    assert "{order_no}" in answer.text
    odd = {"name": "怪", "parts": json.dumps([{"text": "{order no!}"}])}
    assert manager.post("/admin/templates/new/", odd).status_code != 302


def test_only_who_may_send_sends_and_a_blocked_friend_gets_nothing(app, manager, order):
    hana = make_friend("小花")
    form = typed(manager, hana, order, order_no="A-12", 門市="中山店") | {"confirmed": "1"}
    del form["csrf_token"]
    viewer = panel_of(app, "staff")
    assert viewer.get(address(hana)).status_code == 403
    assert viewer.post(address(hana), form).status_code == 403
    hana.status = "blocked"
    hana.save()
    assert manager.post(address(hana), form).status_code == 400
    assert manager.get(f"/admin/friends/{hana.id}/notice/?template=999").status_code == 404
    assert Delivery.select().count() == 0
