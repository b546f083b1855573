"""What only people can decide, and what each decision does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from lineadmin.broadcasts.models import Broadcast
from lineadmin.outbox import quota
from lineadmin.outbox.models import (
    Content,
    Delivery,
    DeliveryState,
    OriginKind,
    QuotaMonth,
    Shipment,
    ShipmentState,
)
from lineadmin.staff.models import Audit
from tests.browse import (
    NARROW,
    WIDE,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.factories import LONG_AGO, make_friend
from tests.panel import PASSWORD, panel_of, with_password

MONTH = "2026-01"


@pytest.fixture
def trouble(app: Flask) -> dict[str, Any]:
    """A push to 花子 and a multicast to two, both without an answer; an answer on hold."""
    content = Content.create(hash="c", parts=[{"text": "嗨"}], personal=False, created_at=LONG_AGO)
    broadcast = Broadcast.create(name="週一雙拼", state="sending", created_at=LONG_AGO)
    QuotaMonth.create(month=MONTH, unknown=3)
    hana = make_friend("花子")

    def shipment(number: int, friends: list[Any]) -> Shipment:
        made: Shipment = Shipment.create(
            kind="push" if len(friends) == 1 else "multicast",
            origin_kind=int(OriginKind.BROADCAST),
            origin_id=broadcast.id,
            body="{}",
            recipients=len(friends),
            retry_key=f"key-{number}",
            state=int(ShipmentState.UNKNOWN),
            try_at=LONG_AGO,
            first_try_at=LONG_AGO,
            error="timeout",
            quota_month=MONTH,
            created_at=LONG_AGO,
        )
        for friend in friends:
            delivery(friend, DeliveryState.UNKNOWN, OriginKind.BROADCAST, made)
        return made

    def delivery(friend: Any, state: DeliveryState, kind: OriginKind, of: Any = None) -> Any:
        return Delivery.create(
            friend_id=friend.id,
            origin_kind=int(kind),
            origin_id=broadcast.id,
            content=content,
            due_at=LONG_AGO,
            state=int(state),
            shipment=of,
            planned_at=LONG_AGO,
        )

    return {
        "push": shipment(1, [hana]),
        "multicast": shipment(2, [make_friend(), make_friend()]),
        "held": delivery(hana, DeliveryState.HELD, OriginKind.STAFF),
    }


def states(shipment: Shipment) -> set[DeliveryState]:
    rows = Delivery.select(Delivery.state).where(Delivery.shipment == shipment)
    return {DeliveryState(row.state) for row in rows}


def test_both_kinds_are_listed_and_announced_on_every_page(
    app: Flask, trouble: dict[str, Any]
) -> None:
    manager = panel_of(app, "manager")
    page = manager.get("/admin/undecided/").text
    for words in ("群發訊息「週一雙拼」", "花子", "2 位好友", "還原備份後暫緩"):
        assert words in page
    elsewhere = manager.get("/admin/sending/").text
    assert "有 3 則訊息一直沒有得到 LINE 的回應" in elsewhere
    assert "待決定的訊息" in elsewhere


def test_counting_as_sent_closes_the_matter(app: Flask, trouble: dict[str, Any]) -> None:
    manager = panel_of(app, "manager")
    done = manager.post(
        "/admin/undecided/unclear/",
        {"do": "sent", "shipment": [trouble["push"].id, trouble["multicast"].id]},
        follow_redirects=True,
    )
    assert "3 則訊息視為已送達" in done.text
    assert states(trouble["push"]) == states(trouble["multicast"]) == {DeliveryState.SENT}
    assert QuotaMonth.get(QuotaMonth.month == MONTH).unknown == 0
    assert Audit.select().where(Audit.action == "delivery.count_as_sent").count() == 1
    assert quota.ledger(datetime(2026, 1, 9, tzinfo=UTC)).sent_total == 3


def test_sending_again_asks_first(app: Flask, trouble: dict[str, Any]) -> None:
    manager = panel_of(app, "manager")
    form = {"do": "again", "shipment": trouble["push"].id}
    asked = manager.post("/admin/undecided/unclear/", form)
    assert "已收到的人會收到兩次" in asked.text
    assert states(trouble["push"]) == {DeliveryState.UNKNOWN}
    manager.post("/admin/undecided/unclear/", {**form, "confirmed": "1"})
    assert Shipment.get_by_id(trouble["push"].id).state == ShipmentState.DISSOLVED
    queued = Delivery.select().where(Delivery.state == int(DeliveryState.QUEUED))
    assert queued.count() == 1
    assert states(trouble["multicast"]) == {DeliveryState.UNKNOWN}


@pytest.mark.parametrize(
    ("do", "state"), [("release", DeliveryState.QUEUED), ("drop", DeliveryState.CANCELED)]
)
def test_what_a_restore_holds_is_released_or_given_up(
    app: Flask, trouble: dict[str, Any], do: str, state: DeliveryState
) -> None:
    form = {"kind": int(OriginKind.STAFF), "do": do}
    manager, owner = panel_of(app, "manager"), panel_of(app, "owner")
    assert manager.post("/admin/undecided/held/", {**form, "confirmed": "1"}).status_code == 403
    owner.post("/admin/undecided/held/", form)
    assert Delivery.get_by_id(trouble["held"].id).state == DeliveryState.HELD
    owner.post("/admin/undecided/held/", {**form, "confirmed": "1"})
    assert Delivery.get_by_id(trouble["held"].id).state == state


def test_nonsense_is_refused_in_words(app: Flask, trouble: dict[str, Any]) -> None:
    owner = panel_of(app)
    nothing = owner.post("/admin/undecided/unclear/", {"do": "sent"}, follow_redirects=True)
    assert "請先勾選" in nothing.text or "勾" in nothing.text
    for kind in ("x", "99", ""):
        form = {"kind": kind, "do": "drop", "confirmed": "1"}
        done = owner.post("/admin/undecided/held/", form, follow_redirects=True)
        assert "已經不在了" in done.text
    assert panel_of(app, "staff").post("/admin/undecided/unclear/", {}).status_code == 403


def test_without_trouble_it_is_not_in_the_menu(app: Flask) -> None:
    owner = panel_of(app)
    assert "待決定的訊息" not in owner.get("/admin/sending/").text
    assert "沒有需要決定的訊息" in owner.get("/admin/undecided/").text


@pytest.mark.browser
def test_deciding_by_clicks(page: Any, live: str, app: Flask, trouble: dict[str, Any]) -> None:
    owner = with_password("owner")
    sign_in(page, live, owner.email, PASSWORD)
    page.goto(f"{live}/admin/undecided/")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert english_on(page) == []
        assert serious_violations(page) == []
        assert sideways_overflow(page) <= 0
    page.set_viewport_size(WIDE)
    page.locator("[data-check]").first.check()
    page.get_by_role("button", name="勾選的視為已送達").click()
    page.get_by_text("則訊息視為已送達").wait_for()
