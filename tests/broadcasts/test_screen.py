"""Broadcasts on screen: written, confirmed, taken back, sent; by people and by their browsers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.admin.broadcast_form import audience_choice
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, DeliveryState, QuotaMonth
from lineadmin.segments.actions import create_segment
from lineadmin.staff.models import Audit
from lineadmin.tasks.tick import tick
from tests.broadcasts import stage
from tests.browse import NARROW, WIDE, english_on, serious_violations, sideways_overflow, sign_in
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import PASSWORD, Panel, panel_of, with_password

TEXT = "週一限定，雙拼便當 8 折"


@pytest.fixture
def shop(app: Any, clock: Any) -> dict[str, Friend]:
    """A shop with four friends, of whom one has blocked it and one wants no notifications."""
    owner = with_password("owner", name="小美", email="mei@example.com")
    settings.change_shop(
        {"name": "熊大便當", "plan_name": "中用量", "plan_included": 3_000}, staff=owner, wall=NOON
    )
    return {
        "hana": make_friend("花子", tags=("愛吃雙拼",)),
        "taro": make_friend("太郎", tags=("愛吃雙拼",)),
        "gone": make_friend("阿凱", tags=("愛吃雙拼",), status="blocked"),
        "mute": make_friend("阿婆", opted_out_at=NOON),
    }


@pytest.fixture
def panel(shop: Any, app: Any) -> Panel:
    """The browser of a manager."""
    return panel_of(app, "manager")


def written(**more: Any) -> dict[str, Any]:
    return {
        "name": "週一雙拼",
        "who": "tag",
        "tag": ["愛吃雙拼"],
        "when": "now",
        "messages": json.dumps([{"text": TEXT}]),
        **more,
    }


def save(panel: Panel, address: str = "/admin/broadcasts/new/", **more: Any) -> Any:
    return panel.post(address, written(**more))


def test_a_draft_is_kept_and_leads_to_its_editor(shop: Any, panel: Panel) -> None:
    answer = save(panel)
    row = Broadcast.get()
    assert answer.location.endswith(f"/admin/broadcasts/{row.id}/edit/")
    assert row.audience == {"field": "tag", "op": "is", "value": "愛吃雙拼"}
    assert row.parts == [{"text": TEXT}]
    assert row.created_by is not None


def test_a_draft_may_lack_everything_but_its_name(shop: Any, panel: Panel) -> None:
    save(panel, who="", tag="", messages="[]")
    assert Broadcast.get().audience is None
    assert save(panel, name="").status_code == 400


def test_the_sum_is_told_while_writing(shop: Any, panel: Panel) -> None:
    answer = panel.post("/admin/broadcasts/sum/", written()).get_json()
    assert "3" in answer["html"]
    assert "已封鎖" in answer["html"]
    assert "2 人" in answer["button"]
    nobody = panel.post("/admin/broadcasts/sum/", written(who="")).get_json()
    assert "選好之後" in nobody["html"]


def test_what_lines_limit_stops_is_not_called_within_the_plan(shop: Any, panel: Panel) -> None:
    settings.change_shop({"plan_included": 3_000, "plan_name": "中用量"}, staff=None, wall=NOON)
    assert "在方案之內" in panel.post("/admin/broadcasts/sum/", written()).get_json()["html"]
    QuotaMonth.update(line_limit=200, line_used=199).execute()
    told = panel.post("/admin/broadcasts/sum/", written()).get_json()["html"]
    assert "本月還差 1 則" in told
    assert "在方案之內" not in told


def test_all_friends_only_after_the_number_was_typed(shop: Any, panel: Panel) -> None:
    save(panel, who="everyone")
    row = Broadcast.get()
    address = f"/admin/broadcasts/{row.id}/confirm/"
    data = {"version": row.version, "expected": 2}
    assert panel.post(address, data).status_code == 400
    refused = panel.post(address, {**data, "typed": "3"})
    assert refused.status_code == 400
    assert "要送給所有好友，請在下方輸入畫面上的人數。" in refused.text
    assert stage.state(row) == states.DRAFT
    typed = {**data, "typed": " ２ "}  # as a Chinese keyboard writes it
    assert panel.post(address, typed).status_code == 302
    assert stage.state(row) == states.SCHEDULED


def test_an_audience_from_a_file_is_kept_as_it_is(shop: Any, panel: Panel) -> None:
    tree = {"all": [stage.tagged("愛吃雙拼"), {"field": "age", "op": "unknown"}]}
    row = stage.draft(tree, name="從檔案")
    address = f"/admin/broadcasts/{row.id}/edit/"
    assert "年齡未知" in panel.get(address).text
    more = {"who": "own", "condition": json.dumps(tree), "version": row.version}
    assert save(panel, address, name="從檔案", **more).status_code == 302
    assert Broadcast.get().audience == tree


@pytest.mark.parametrize(
    ("chosen", "tree"),
    [
        (
            {"who": "tag", "tag": ["VIP", "愛吃雙拼"]},
            {"field": "tag", "op": "any_of", "value": ["VIP", "愛吃雙拼"]},
        ),
        (
            {"who": "tag", "tag": ["VIP"], "without": ["客訴中"]},
            {"all": [stage.tagged("VIP"), {"field": "tag", "op": "none_of", "value": ["客訴中"]}]},
        ),
        (
            {"who": "segment", "segment": "常客"},
            {"field": "segment", "op": "is", "value": "常客"},
        ),
        ({"who": "segment", "segment": ""}, None),
        ({"who": "own", "condition": '{"all": []}'}, None),
    ],
)
def test_whom_to_send_to_is_chosen_and_drawn_again(
    shop: Any, panel: Panel, chosen: dict[str, Any], tree: Any
) -> None:
    make_friend(tags=("VIP", "客訴中"))
    create_segment("常客", stage.tagged("VIP"), staff=None, now=NOON, wall=NOON)
    save(panel, **chosen)
    row = Broadcast.get()
    assert row.audience == tree
    if tree is not None:
        drawn = audience_choice(tree)
        assert drawn == chosen


def test_a_scheduled_time_is_the_shops(shop: Any, panel: Panel) -> None:
    save(panel, when="later", at="2026-11-24T11:30")
    assert Broadcast.get().at == NOON + timedelta(hours=23, minutes=30)
    assert save(panel, name="沒有時間", when="later", at="").status_code == 400


def test_two_tabs_are_told_of_each_other(shop: Any, panel: Panel) -> None:
    save(panel)
    row = Broadcast.get()
    address = f"/admin/broadcasts/{row.id}/edit/"
    save(panel, address, name="先存的", version=row.version, seen="{}")
    answer = save(panel, address, name="後存的", version=row.version, seen="{}")
    assert answer.status_code == 409
    assert Broadcast.get().name == "先存的"


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_who_may_not_send_may_only_look(role: str, shop: Any, app: Any) -> None:
    panel = panel_of(app, role)
    row = stage.confirmed(stage.tagged("愛吃雙拼"))
    page = panel.get(f"/admin/broadcasts/{row.id}/")
    assert page.status_code == 200
    for verb in ("cancel", "pause", "stop", "late", "drop", "release", "duplicate", "delete"):
        address = f"/admin/broadcasts/{row.id}/{verb}/"
        assert panel.post(address).status_code == 403
    assert panel.get("/admin/broadcasts/new/").status_code == 403
    assert stage.state(row) == states.SCHEDULED


def test_what_became_of_it_is_told_with_reasons(shop: Any, panel: Panel) -> None:
    row = stage.confirmed()
    stage.tick(NOON + timedelta(minutes=5))
    stage.deliver(row, 1)
    page = panel.get(f"/admin/broadcasts/{row.id}/").text
    assert "已封鎖" in page or "封鎖" in page
    assert f"program=1-{row.id}" in page
    assert "reason=blocked" in page


def test_one_that_is_late_asks_on_every_page(shop: Any, panel: Panel, clock: Any) -> None:
    row = stage.confirmed(stage.tagged("愛吃雙拼"), name="週一雙拼")
    clock.forward(hours=9)
    stage.tick(shop_clock.now())
    assert "「週一雙拼」沒有傳送" in panel.get("/admin/profile/").text
    panel.post(f"/admin/broadcasts/{row.id}/late/")
    assert stage.state(row) == states.SCHEDULED


@pytest.mark.browser
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_scheduled_broadcast_with_undo_by_clicks(
    page: Any, line: Any, app: Any, live: str, clock: Any, shop: Any, size: Any
) -> None:
    phone = line.client.add_phone("花子")
    Friend.update(line_user_id=phone["user_id"]).where(Friend.id == shop["hana"].id).execute()
    Friend.update(status="blocked").where(Friend.id == shop["taro"].id).execute()
    make_friend("小華", tags=("愛吃雙拼",), line_user_id=line.client.add_phone("小華")["user_id"])
    page.set_viewport_size(size)
    sign_in(page, live, "mei@example.com", PASSWORD)
    page.goto(f"{live}/admin/broadcasts/")
    page.get_by_role("link", name="新的群發訊息").first.click()
    page.get_by_text("依標籤").first.click()
    page.get_by_label("愛吃雙拼").first.check()
    page.get_by_text("會送出").wait_for()
    page.get_by_text("預約傳送", exact=True).click()
    page.locator("[name=at]").fill("2026-11-23T14:30")
    page.get_by_role("button", name="文字").click()
    page.locator(".part textarea").fill(TEXT)
    page.locator(".phone .bub", has_text=TEXT).wait_for(state="attached")
    assert clean(page) == []
    page.get_by_role("button", name="檢查並傳送").click()
    page.wait_for_url("**/confirm/")
    page.get_by_text("2026/11/23（一）14:30").wait_for()
    assert clean(page) == []
    page.get_by_role("button", name="排定 2 人").click()
    page.get_by_role("button", name="取消傳送").wait_for()
    assert clean(page) == []

    page.get_by_role("button", name="取消傳送").click()
    page.get_by_text("已取消傳送").wait_for()
    assert Broadcast.get().state == states.DRAFT
    page.get_by_role("button", name="檢查並傳送").click()
    page.get_by_role("button", name="排定 2 人").click()
    page.get_by_role("button", name="取消傳送").wait_for()

    clock.forward(hours=2, minutes=29)
    tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phone["user_id"]) == []
    clock.forward(minutes=1)
    tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phone["user_id"]) == [TEXT]
    tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phone["user_id"]) == [TEXT]
    assert Broadcast.get().state == states.SENT
    page.reload()
    page.get_by_text("已傳送").first.wait_for()
    assert clean(page) == []
    sent = Delivery.select().where(Delivery.state == DeliveryState.SENT)
    assert sent.count() == 2
    verbs = [
        row.action
        for row in Audit.select().where(Audit.object_kind == "broadcast").order_by(Audit.id)
    ]
    assert verbs == [
        "broadcast.create",
        "broadcast.confirm",
        "broadcast.cancel",
        "broadcast.confirm",
    ]


@pytest.mark.browser
def test_what_is_chosen_before_the_script_is_there_is_counted(
    page: Any, app: Any, live: str, shop: Any
) -> None:
    held: list[Any] = []
    page.route("**/js/broadcast.js", lambda route: held.append(route))
    sign_in(page, live, "mei@example.com", PASSWORD)
    page.goto(f"{live}/admin/broadcasts/new/", wait_until="commit")
    page.get_by_text("依標籤").first.click()
    page.get_by_label("愛吃雙拼").first.check()
    assert page.get_by_text("會送出").count() == 0
    for request in held:
        request.continue_()
    page.get_by_text("會送出").wait_for()


def clean(page: Any) -> list[str]:
    """What is wrong with the page as it stands, menu aside."""
    wrong = serious_violations(page) + english_on(page)
    if sideways_overflow(page):
        wrong.append(f"{sideways_overflow(page)} px too wide")
    return wrong
