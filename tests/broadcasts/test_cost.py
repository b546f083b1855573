"""Money at the edges of a plan, and the month's messages that broadcasts must leave alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lineadmin import db as database
from lineadmin import settings
from lineadmin.outbox import quota
from lineadmin.outbox.models import OriginKind, QuotaMonth
from lineadmin.settings.cost import average_price, cost, plan_limit
from lineadmin.settings.shop import ShopSettings
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.panel import hidden_of, panel_of

MEDIUM = ShopSettings(plan_included=3_000)
HIGH = ShopSettings(plan_included=6_000, plan_extra_price=0.2)
LIGHT = ShopSettings(plan_included=200)
STEPS = ShopSettings(
    plan_included=6_000,
    plan_tiers=[
        {"up_to": 1_000, "price": 0.2},
        {"up_to": 3_000, "price": 0.1},
        {"up_to": None, "price": 0.05},
    ],
)
BOUNDED = ShopSettings(plan_included=100, plan_tiers=[{"up_to": 50, "price": 1}])


@pytest.mark.parametrize(
    ("messages", "used", "shop", "over", "twd", "sold_out"),
    [
        (199, 0, LIGHT, 0, 0.0, False),
        (200, 0, LIGHT, 0, 0.0, False),
        (201, 0, LIGHT, 1, 0.0, True),
        (2_999, 0, MEDIUM, 0, 0.0, False),
        (3_000, 0, MEDIUM, 0, 0.0, False),
        (3_001, 0, MEDIUM, 1, 0.0, True),
        (99, 2_900, MEDIUM, 0, 0.0, False),
        (100, 2_900, MEDIUM, 0, 0.0, False),
        (3_100, 2_900, MEDIUM, 3_000, 0.0, True),
        (5_999, 0, HIGH, 0, 0.0, False),
        (6_001, 0, HIGH, 1, 0.2, False),
        (412, 6_500, HIGH, 412, 82.4, False),
        (3_100, 2_900, HIGH, 0, 0.0, False),
        (412, 0, ShopSettings(), 0, None, False),
        (0, 9_000, MEDIUM, 0, 0.0, False),
        (6_999, 0, STEPS, 999, 199.8, False),
        (7_000, 0, STEPS, 1_000, 200.0, False),
        (7_001, 0, STEPS, 1_001, 200.1, False),
        (9_000, 0, STEPS, 3_000, 400.0, False),
        (9_001, 0, STEPS, 3_001, 400.05, False),
        (2, 6_999, STEPS, 2, 0.3, False),
        (1_000, 20_000, STEPS, 1_000, 50.0, False),
        (150, 0, BOUNDED, 50, 50.0, False),
        (151, 0, BOUNDED, 51, 50.0, True),
        (2, 149, BOUNDED, 2, 1.0, True),
    ],
)
def test_what_more_messages_cost(
    messages: int, used: int, shop: ShopSettings, over: int, twd: float | None, sold_out: bool
) -> None:
    told = cost(messages, used=used, shop=shop)
    assert (told.over, told.twd, told.sold_out) == (over, twd, sold_out)


@pytest.mark.parametrize(
    ("shop", "limit"),
    [(ShopSettings(), None), (MEDIUM, 3_000), (HIGH, None), (STEPS, None), (BOUNDED, 150)],
)
def test_how_many_a_plan_allows(shop: ShopSettings, limit: int | None) -> None:
    assert plan_limit(shop) == limit


def test_what_a_message_of_the_plan_costs_on_average() -> None:
    assert average_price(800, 3_000) == pytest.approx(0.2667, 1e-3)
    assert average_price(None, 3_000) is None


def test_broadcasts_leave_the_reserve_to_all_others(db: Any) -> None:
    settings.change_shop({"reserve_messages": 30}, staff=None, wall=NOON)
    QuotaMonth.create(month="2026-11", line_limit=100, line_used=0)
    shop = settings.shop()
    keep = quota.kept_from(OriginKind.BROADCAST, shop)
    assert (keep, quota.kept_from(OriginKind.STEP, shop)) == (30, 0)
    assert quota.reserve(90, now=NOON, keep=keep) == ("2026-11", 70)
    assert quota.reserve(1, now=NOON, keep=keep) == ("2026-11", 0)
    assert quota.reserve(40, now=NOON) == ("2026-11", 30)


def test_two_sends_racing_for_the_last_hundred_never_exceed_them(db: Any) -> None:
    QuotaMonth.create(month="2026-11", line_limit=100, line_used=0)
    granted: list[int] = []
    start = threading.Barrier(4)

    def take() -> None:
        database.ensure_connection()
        try:
            start.wait()
            for _ in range(12):
                granted.append(quota.reserve(7, now=NOON)[1])
        finally:
            database.db.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(granted) == 100
    assert QuotaMonth.get().reserved == 100


PLAN = {
    "rows": "2",
    "chosen": "0",
    "0-name": "高用量",
    "0-fee": "1,200",
    "0-included": "6000",
    "0-up_to": ["1000", ""],
    "0-price": ["0.2", "0.1"],
    "1-name": "輕用量",
    "1-fee": "0",
    "1-included": "200",
    "reserve_messages": "100",
    "approval_recipients": "500",
    "approval_twd": "",
}


def save_plan(panel: Any, **more: Any) -> Any:
    hidden = hidden_of(panel.get("/admin/plan/").text)
    return panel.post("/admin/plan/", {**PLAN, "version": hidden["version"], **more})


def test_the_owner_corrects_the_table_and_chooses_from_it(app: Any) -> None:
    panel = panel_of(app)
    page = panel.get("/admin/plan/").text
    assert all(text in page for text in ("輕用量", "中用量", "高用量", "3000", "0.2"))
    assert save_plan(panel).status_code == 302
    shop = settings.shop()
    assert (shop.plan_name, shop.plan_fee, shop.plan_included) == ("高用量", 1_200, 6_000)
    assert shop.plan_tiers == [{"up_to": 1_000, "price": 0.2}, {"up_to": None, "price": 0.1}]
    assert (shop.reserve_messages, shop.approval_recipients, shop.approval_twd) == (100, 500, None)
    assert "中用量" not in panel.get("/admin/plan/").text
    assert {row.action for row in Audit.select()} == {"shop.edit", "plans.edit"}
    assert panel_of(app, "manager").get("/admin/plan/").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"0-included": ""},
        {"0-included": "many"},
        {"0-price": ["x", ""]},
        {"0-price": ["NaN", ""]},
        {"0-price": ["101", ""]},
        {"0-up_to": ["", ""]},
        {"0-up_to": ["1000", "900"]},
        {"1-name": "高用量"},
        {"chosen": "7"},
        {"approval_recipients": "-1"},
    ],
)
def test_a_plan_that_cannot_be_is_refused_whole(app: Any, wrong: dict[str, Any]) -> None:
    answer = save_plan(panel_of(app), **wrong)
    assert answer.status_code == 400
    assert "1,200" in answer.text
    assert settings.version_of("shop") == settings.version_of("plans") == 0


def test_every_page_warns_at_eighty_and_at_a_hundred_percent(app: Any, clock: Any) -> None:
    panel = panel_of(app)
    month = QuotaMonth.create(month="2026-11", line_limit=100, line_used=79)
    assert "已用" not in panel.get("/admin/profile/").text
    QuotaMonth.update(reserved=1).where(QuotaMonth.id == month.id).execute()
    assert "已用超過 80%" in panel.get("/admin/profile/").text
    QuotaMonth.update(line_used=99).where(QuotaMonth.id == month.id).execute()
    assert "100 則訊息用完了" in panel.get("/admin/profile/").text
