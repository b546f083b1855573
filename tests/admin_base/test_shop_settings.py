"""The shop's settings on screen."""

from __future__ import annotations

import pytest

from lineadmin import clock, settings
from lineadmin.staff.models import Audit
from tests.panel import hidden_of, panel_of

ADDRESS = "/admin/shop_settings/"
FORM = {
    "name": "熊大便當",
    "timezone": "Asia/Taipei",
    "quiet_on": "y",
    "quiet_from": "21:00",
    "quiet_until": "09:00",
    "undo_minutes": "5",
}
MONEY = {
    "cap_on": "y",
    "cap_messages": "3",
    "cap_days": "7",
}


def save(panel, hidden=None, **data):
    hidden = hidden or hidden_of(panel.get(ADDRESS).text)
    kept = {name: hidden[name] for name in ("version", "seen")}
    return panel.post(ADDRESS, {**kept, **FORM, **data})


def test_an_owner_sets_everything(app):
    assert save(panel_of(app), **MONEY).status_code == 302
    shop = settings.shop()
    assert (shop.name, shop.quiet_from, shop.quiet_until) == ("熊大便當", "21:00", "09:00")
    assert (shop.cap_messages, shop.cap_days) == (3, 7)
    assert shop.first_greeting_falls_back is False
    assert Audit.get().action == "shop.edit"


def test_a_manager_sets_the_shop_but_never_the_money(app):
    save(panel_of(app), **MONEY)
    page = panel_of(app, "manager").get(ADDRESS).text
    assert "只有店主可以變更" in page
    forged = {**MONEY, "cap_messages": "99"}
    assert save(panel_of(app, "manager"), name="新店名", **forged).status_code == 302
    shop = settings.shop()
    assert shop.name == "新店名"
    assert shop.cap_messages == 3


def test_what_is_switched_off_is_off(app):
    panel = panel_of(app)
    save(panel, **MONEY)
    off = {name: "" for name in (*MONEY, "quiet_from", "quiet_until")}
    hidden = hidden_of(panel.get(ADDRESS).text)
    kept = {name: hidden[name] for name in ("version", "seen")}
    data = {"name": "x", "timezone": "Asia/Tokyo", "undo_minutes": "0"}
    panel.post(ADDRESS, {**kept, **data, **{k: v for k, v in off.items() if k != "cap_on"}})
    shop = settings.shop()
    assert (shop.quiet_from, shop.cap_messages) == (None, None)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": ""}, "name"),
        ({"timezone": "Moon/Base"}, "timezone"),
        ({"quiet_from": "25:00"}, "quiet_from"),
        ({"quiet_from": ""}, "quiet_from"),
        ({"quiet_from": "09:00"}, "quiet_until"),
        ({"undo_minutes": "61"}, "undo_minutes"),
        ({"undo_minutes": "x"}, "undo_minutes"),
        ({"cap_on": "y", "cap_messages": "3"}, "cap_messages"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_saved(app, data, field):
    page = save(panel_of(app), **data)
    assert page.status_code == 400
    assert f'id="{field}-error"' in page.text
    assert settings.version_of("shop") == 0


def test_two_tabs_the_second_is_told_and_keeps_what_it_typed(app):
    first, second = panel_of(app), panel_of(app, name="小美")
    hidden = hidden_of(first.get(ADDRESS).text)
    save(second, name="別的店名", undo_minutes="9")
    told = save(first, hidden, name="我的店名")
    assert told.status_code == 409
    assert "反悔時間" in told.text.split('class="diff"')[1]
    assert "小美・" in told.text
    assert settings.shop().name == "別的店名"
    assert 'value="我的店名"' in told.text
    assert 'value="9"' in told.text


def test_the_new_zone_counts_at_once(app):
    panel = panel_of(app)
    save(panel, timezone="Asia/Tokyo")
    assert settings.shop_zone().key == "Asia/Tokyo"
    assert clock.now().tzinfo is not None
