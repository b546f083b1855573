"""Step messages on screen: built, published, switched; by forms and by clicks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Source
from lineadmin.sequences import actions
from lineadmin.sequences.definition import dump
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from lineadmin.tasks.tick import tick
from tests.browse import NARROW, WIDE, english_on, serious_violations, sideways_overflow, sign_in
from tests.conftest import NOON
from tests.panel import PASSWORD, Panel, hidden_of, panel_of, with_password
from tests.sequences import stage

HELLO = json.dumps([{"text": "週一快樂"}])


@pytest.fixture
def panel(app: Any, clock: Any) -> Panel:
    """The browser of a manager."""
    return panel_of(app, "manager")


def make(panel: Panel, name: str = "四週養成") -> Sequence:
    panel.post("/admin/sequences/new/", {"name": name})
    return Sequence.get(Sequence.name == name)


def save_step(panel: Panel, row: Sequence, place: str = "0-1", **more: Any) -> Any:
    version = hidden_of(panel.get(f"/admin/sequences/{row.id}/?at={place}").text)["version"]
    data = {"version": version, "after_days": "1", "at": "10:00", "messages": HELLO, **more}
    return panel.post(f"/admin/sequences/{row.id}/step/{place}/", data)


def publish(panel: Panel, row: Sequence) -> Any:
    version = Sequence.get_by_id(row.id).version
    data = {"confirmed": "1", "version": version}
    return panel.post(f"/admin/sequences/{row.id}/publish/", data)


def steps_of(row: Sequence) -> list[dict[str, Any]]:
    definition = dump(actions.definition_of(Sequence.get_by_id(row.id)))
    return list(definition["branches"][0]["steps"])


def test_a_new_one_starts_with_a_step_and_is_off(panel: Panel) -> None:
    row = make(panel)
    assert [step["after_days"] for step in steps_of(row)] == [1]
    assert not row.enabled
    assert row.live_version is None


def test_steps_are_written_added_moved_and_taken_out(panel: Panel) -> None:
    row = make(panel)
    assert save_step(panel, row, after_days="3", at="18:30", weekday="mon").status_code == 302
    assert steps_of(row) == [
        {"after_days": 3, "at": "18:30", "weekday": "mon", "messages": [{"text": "週一快樂"}]}
    ]
    address = f"/admin/sequences/{row.id}"
    version = Sequence.get_by_id(row.id).version
    panel.post(f"{address}/step/add/", {"after": "0-1", "version": version})
    assert len(steps_of(row)) == 2
    save_step(panel, row, "0-2", messages=json.dumps([{"text": "第二步"}]))
    version = Sequence.get_by_id(row.id).version
    panel.post(f"{address}/step/move/", {"step": "0-2", "up": "1", "version": version})
    assert steps_of(row)[0]["messages"] == [{"text": "第二步"}]
    version = Sequence.get_by_id(row.id).version
    gone = {"step": "0-1", "version": version}
    assert "復原" in panel.post(f"{address}/step/delete/", gone, follow_redirects=True).text
    assert [step["messages"] for step in steps_of(row)] == [[{"text": "週一快樂"}]]


@pytest.mark.parametrize("days", ["0", "31", "-1", "1.5", "", "x"])
def test_days_out_of_range_are_refused_beside_the_field(panel: Panel, days: str) -> None:
    row = make(panel)
    answer = save_step(panel, row, after_days=days)
    assert answer.status_code in (200, 400)
    assert "has-error" in answer.text
    assert "週一快樂" in answer.text  # what was written is still there
    assert steps_of(row)[0]["after_days"] == 1


def test_an_eleventh_step_is_refused(panel: Panel) -> None:
    row = make(panel)
    for number in range(1, 12):
        version = Sequence.get_by_id(row.id).version
        data = {"after": f"0-{number}", "version": version}
        panel.post(f"/admin/sequences/{row.id}/step/add/", data)
    assert len(steps_of(row)) == 10


def test_nothing_is_published_before_every_step_has_a_message(panel: Panel) -> None:
    row = make(panel)
    publish(panel, row)
    assert not SequenceVersion.select().exists()
    save_step(panel, row)
    publish(panel, row)
    row = Sequence.get_by_id(row.id)
    assert row.enabled
    assert SequenceVersion.get().number == 1


def test_a_draft_changes_nothing_for_friends_until_it_is_published(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    save_step(panel, row, messages=json.dumps([{"text": "新的"}]))
    live = actions.live_definition(Sequence.get_by_id(row.id))
    assert live.branches[0].steps[0].messages == ({"text": "週一快樂"},)
    page = panel.get(f"/admin/sequences/{row.id}/publish/").text
    assert "進行中" in page
    publish(panel, row)
    assert SequenceVersion.select().count() == 2


def test_two_tabs_are_told_of_each_other(panel: Panel) -> None:
    row = make(panel)
    old = Sequence.get_by_id(row.id).version
    save_step(panel, row)
    answer = panel.post(
        f"/admin/sequences/{row.id}/step/0-1/",
        {"version": old, "after_days": "9", "at": "10:00", "messages": HELLO},
    )
    assert answer.status_code != 302
    assert steps_of(row)[0]["after_days"] == 1


def test_switching_off_says_what_happens_and_keeps_friends_waiting(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    stage.follow(NOON)
    stage.tick(NOON)
    asked = panel.post(f"/admin/sequences/{row.id}/disable/")
    assert "1" in asked.text
    assert Sequence.get_by_id(row.id).enabled
    panel.post(f"/admin/sequences/{row.id}/disable/", {"confirmed": "1"})
    assert not Sequence.get_by_id(row.id).enabled
    assert Enrolment.get().state == "active"


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_who_may_not_edit_may_only_look(role: str, app: Any, clock: Any) -> None:
    row = stage.publish(stage.step(), now=NOON)
    panel = panel_of(app, role)
    assert panel.get(f"/admin/sequences/{row.id}/").status_code == 200
    for path in ("step/0-1", "step/add", "trigger", "settings", "publish", "disable", "archive"):
        assert panel.post(f"/admin/sequences/{row.id}/{path}/").status_code == 403
    assert Sequence.get_by_id(row.id).enabled


@pytest.mark.browser
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_sequence_is_built_by_clicks_and_arrives(
    page: Any, line: Any, app: Any, live: str, clock: Any, size: Any
) -> None:
    settings.change_shop({"name": "熊大便當"}, staff=None, wall=NOON)
    with_password("owner", name="小美", email="mei@example.com")
    Source.create(code="storefront", name="門市 QR", created_at=NOON)
    Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )
    page.set_viewport_size(size)
    sign_in(page, live, "mei@example.com", PASSWORD)
    page.goto(f"{live}/admin/sequences/")
    page.get_by_role("link", name="建立漸進式訊息").first.click()
    page.get_by_label("名稱").fill("新好友四週養成")
    page.get_by_role("button", name="下一步：編輯步驟").click()

    page.get_by_role("button", name="文字").click()
    page.locator(".part textarea").fill("{name} 週一快樂！")
    page.get_by_role("button", name="優惠券", exact=True).click()
    page.get_by_label("優惠券", exact=True).select_option("bento20")
    # Going on keeps what was written, without a save button.
    page.locator(".plus").last.click()
    page.get_by_role("heading", name="第 2 步").wait_for()
    page.get_by_role("button", name="文字").click()
    page.locator(".part textarea").fill("新品投票")
    page.get_by_label("距離上一步幾天").fill("7")
    page.locator(".node").nth(1).click()
    page.get_by_role("heading", name="第 1 步").wait_for()
    assert page.locator(".part textarea").input_value() == "{name} 週一快樂！"
    page.wait_for_timeout(400)
    assert clean(page) == []

    page.locator(".page-actions").get_by_text("發布並啟用").click()
    page.get_by_role("button", name="發布並啟用").click()
    page.get_by_text("啟用中").first.wait_for()
    assert clean(page) == []
    row = Sequence.get()
    assert [step["messages"] for step in steps_of(row)] == [
        [{"text": "{name} 週一快樂！"}, {"coupon": "bento20"}],
        [{"text": "新品投票"}],
    ]

    phone = line.client.add_phone("花子")
    stage.follow(NOON, line_user_id=phone["user_id"], name="花子")
    tick(shop_clock.now(), shop_clock.wall())
    clock.forward(hours=22)  # the next day at 10:00
    tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phone["user_id"]) == ["花子 週一快樂！"]
    clock.forward(days=7)
    tick(shop_clock.now(), shop_clock.wall())
    tick(shop_clock.now(), shop_clock.wall())
    assert line.client.texts(phone["user_id"]) == ["花子 週一快樂！", "新品投票"]
    page.reload()
    assert page.get_by_text("送達 1").count() == 2


def clean(page: Any) -> list[str]:
    """What is wrong with the page as it stands."""
    wrong = serious_violations(page) + english_on(page)
    if sideways_overflow(page):
        wrong.append(f"{sideways_overflow(page)} px too wide")
    return wrong
