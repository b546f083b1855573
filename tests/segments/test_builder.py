"""The builder in a browser: nested conditions by keyboard, the live count, at both widths."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from lineadmin.segments.models import Segment
from tests import browse
from tests.panel import PASSWORD, with_password
from tests.segments.shop import make_shop

pytestmark = pytest.mark.browser


def test_staff_build_a_segment_without_typing_json(
    app: Any, live: str, page: Any, clock: Any
) -> None:
    make_shop()
    staff = with_password("manager")
    browse.sign_in(page, live, staff.email, PASSWORD)
    page.goto(f"{live}/admin/segments/new/")
    page.get_by_label("名稱").fill("想吃雙拼的人")
    editor = page.locator("condition-editor")
    count = editor.locator("[data-count]")

    editor.get_by_role("button", name="條件", exact=True).click()
    row = editor.locator(".cond-row").nth(0)
    row.get_by_label("條件項目").select_option(label="標籤")
    row.get_by_label("值").select_option(label="愛吃雙拼")
    editor.locator("[data-count]", has_text="2 位好友").wait_for()

    # The rest by keyboard: a group in which one of two has to hold.
    editor.get_by_role("button", name="群組", exact=True).focus()
    page.keyboard.press("Enter")
    inner = editor.locator(".cond-group .cond-group")
    expect(editor.locator(".cond-group .cond-group:focus-within")).to_have_attribute(
        "data-mode", "any"
    )
    inner.get_by_label("條件項目").select_option("region")
    inner.get_by_label("比較方式").select_option("any_of")
    inner.locator("summary").focus()
    page.keyboard.press("Enter")
    inner.locator("[data-find]:focus").wait_for()
    page.keyboard.type("高雄")
    page.keyboard.press("Tab")
    inner.get_by_label("高雄市").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(inner.locator("summary")).to_have_text("高雄市")
    inner.get_by_role("button", name="條件", exact=True).click()
    age = inner.locator(".cond-row").nth(1)
    age.get_by_label("條件項目").select_option("age")
    age.get_by_label("比較方式").select_option("less_than")
    age.get_by_label("值").fill("500")
    age.get_by_label("值").press("Tab")
    age.get_by_text("必須是 0 到 150 的整數。").wait_for()
    expect(count).to_contain_text("填完條件")
    assert not browse.serious_violations(page)

    page.set_viewport_size(browse.NARROW)
    age.get_by_label("值").fill("25")
    editor.locator("[data-count]", has_text="2 位好友").wait_for()
    expect(editor.locator("[data-sentence]")).to_contain_text("高雄市")
    assert browse.sideways_overflow(page) == 0
    assert not browse.serious_violations(page)
    assert not browse.english_on(page)
    page.get_by_role("button", name="儲存").click()
    page.get_by_text("誰在裡面").wait_for()
    page.locator("[data-panel-url] .segment-sample").wait_for()
    assert browse.sideways_overflow(page) == 0
    assert not browse.serious_violations(page)
    assert Segment.get().tree == {
        "all": [
            {"field": "tag", "op": "is", "value": "愛吃雙拼"},
            {
                "any": [
                    {"field": "region", "op": "any_of", "value": ["tw_06"]},
                    {"field": "age", "op": "less_than", "value": 25},
                ]
            },
        ]
    }
    # What was chosen is still chosen when the form is opened again.
    page.get_by_role("link", name="編輯", exact=True).click()
    page.locator(".cond-pick").wait_for()
    expect(page.locator(".cond-pick summary")).to_have_text("高雄市")
    assert page.locator("condition-editor").evaluate("one => one.value") == Segment.get().tree
