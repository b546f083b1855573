"""Her own page of orders, and what arrives on her phone."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import settings
from lineadmin.friends import consent
from lineadmin.members.links import page_path
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.purchases import actions, queries
from lineadmin.purchases.models import ChangeRequest, Purchase
from lineadmin.tasks import tick
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import panel_of
from tests.purchases.selling import buy
from tests.sequences.playing import phone


def change_path(friend: Any, purchase: Purchase) -> str:
    return page_path(friend.id, f"orders/{purchase.id}/change")


def test_she_sees_her_orders_with_their_status_and_nobody_elses(app, client, clock) -> None:
    hana, taro = make_friend("花子"), make_friend("太郎")
    buy(hana, 120, receipt="W-1", status="preparing", goods=("便當",))
    gone = buy(hana, 999, receipt="W-2")
    buy(taro, 300, receipt="T-1", status="placed")
    actions.void(gone.id, reason="打錯", staff=None, now=NOON, wall=NOON)
    page = client.get(page_path(hana.id, "orders"))
    assert len(page.data) < 60_000
    assert "準備中" in page.text
    assert "便當 A" in page.text
    assert not any(word in page.text for word in ("W-2", "NT$999", "T-1"))
    assert "1 張訂單進行中" in client.get(page_path(hana.id)).text


def test_a_wish_of_hers_becomes_a_task_once_and_its_answer_stands_on_her_page(
    app, client, clock
) -> None:
    hana = make_friend("花子")
    order = buy(hana, receipt="W-1", status="placed")
    assert "什麼" in client.get(page_path(hana.id, "orders")).text
    refused = client.post(change_path(hana, order), data={"words": " "})
    assert (refused.status_code, "請寫下要改什麼" in refused.text) == (400, True)
    for _twice in range(2):
        answer = client.post(change_path(hana, order), data={"words": "改成大碗"})
        assert answer.status_code == 303
    assert ChangeRequest.select().count() == 1
    panel = panel_of(app, "staff")
    assert "改成大碗" in panel.get("/admin/").text
    wish = queries.open_wishes()[0].row
    panel.post(f"/admin/purchases/wishes/{wish.id}/answer/", {"do": "grant", "answer": "好的"})
    page = client.get(page_path(hana.id, "orders")).text
    assert "已改好" in page
    assert "好的" in page
    done = buy(hana, receipt="W-2")
    assert client.post(change_path(hana, done), data={"words": "退貨"}).status_code == 400


def test_the_order_of_another_friend_is_not_found(app, client, clock) -> None:
    hana, taro = make_friend("花子"), make_friend("太郎")
    order = buy(taro, receipt="T-1", status="placed")
    assert client.post(change_path(hana, order), data={"words": "改"}).status_code == 404
    assert client.post(change_path(hana, Purchase(id=999)), data={"words": "改"}).status_code == 404
    assert ChangeRequest.select().count() == 0


@pytest.fixture
def shop(app: Any, line: Any, live: str, clock: Any) -> Any:
    settings.change_shop({"order_notices": True}, staff=None, wall=NOON)
    return line


def texts(shop: Any, friend: Any) -> list[str]:
    tick(NOON, NOON)
    return [str(text) for text in shop.client.texts(friend.line_user_id)]


def test_each_status_arrives_on_her_phone_once(app: Any, shop: Any) -> None:
    hana, mute = phone(shop, "花子"), phone(shop, "安靜")
    consent.opt_out(mute.id, by=consent.BY_STAFF, at=NOON, wished_at=NOON)
    moment: dict[str, Any] = {"version": None, "staff": None, "now": NOON, "wall": NOON}
    order = buy(hana, receipt="W-1", status="placed")
    silent = buy(mute, receipt="W-9", status="placed")
    actions.set_status(silent.id, "ready", **moment)
    assert texts(shop, hana) == ["我們已收到您的訂單 W-1，謝謝！"]
    for status in ("preparing", "ready", "preparing", "ready"):
        actions.set_status(order.id, status, **moment)
        texts(shop, hana)
    assert texts(shop, hana) == [
        "我們已收到您的訂單 W-1，謝謝！",
        "您的訂單 W-1 正在準備中。",
        "您的訂單 W-1 已可領取，等您來！",
    ]
    assert texts(shop, mute) == []
    states = {row.state for row in Delivery.select().where(Delivery.friend_id == mute.id)}
    assert states == {int(DeliveryState.SKIPPED)}
    panel = panel_of(app, "owner")
    sent = Delivery.get(Delivery.friend_id == hana.id)
    assert "W-1" in panel.get("/admin/deliveries/details/", query_string={"id": sent.id}).text


def test_nobody_hears_of_orders_before_the_shop_switches_that_on(app: Any, clock: Any) -> None:
    order = buy(make_friend("花子"), status="placed")
    moment: dict[str, Any] = {"version": None, "staff": None, "now": NOON, "wall": NOON}
    actions.set_status(order.id, "ready", **moment)
    assert Delivery.select().count() == 0
    panel = panel_of(app, "owner")
    assert "訂單通知已關閉" in panel.get(f"/admin/purchases/{order.id}/").text
