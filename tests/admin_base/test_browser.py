"""The frame and the staff screens in Chromium: zh-TW, axe, keyboard, phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from lineadmin import clock, settings
from lineadmin.staff import actions
from tests.browse import NARROW, WIDE, english_on, serious_violations, sideways_overflow, sign_in
from tests.panel import PASSWORD, with_password

pytestmark = pytest.mark.browser


@pytest.fixture
def inside(page, live, app):
    """The page, with the owner 小美 signed in, and a few things to see."""
    owner = with_password("owner", name="小美", email="mei@example.com")
    for number, role in enumerate(("manager", "staff", "viewer")):
        actions.create(f"p{number}@example.com", f"阿德{number}", role, by=owner, wall=clock.wall())
    settings.change_shop({"name": "熊大便當"}, staff=owner, wall=clock.wall())
    sign_in(page, live, "mei@example.com", PASSWORD)
    page.live = live
    return page


PAGES = (
    "/admin/people/",
    "/admin/people/new/",
    "/admin/people/edit/?id=2",
    "/admin/audit/",
    "/admin/audit/?search=nothing",
    "/admin/profile/",
    "/admin/profile/password",
    "/admin/shop_settings/",
)


@pytest.mark.looks
def test_every_staff_screen_is_clean(inside):
    wrong = {}
    for address in PAGES:
        inside.set_viewport_size(WIDE)
        inside.goto(inside.live + address)
        found = [*serious_violations(inside), *english_on(inside)]
        for size in (WIDE, NARROW):
            inside.set_viewport_size(size)
            if sideways_overflow(inside):
                found.append(f"{sideways_overflow(inside)} px too wide at {size['width']}")
        if found:
            wrong[address] = found
    assert wrong == {}


@pytest.mark.looks
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_sign_in_is_clean_and_says_what_is_wrong(page, live, size):
    page.set_viewport_size(size)
    page.goto(f"{live}/admin/")
    assert page.locator("html").get_attribute("lang") == "zh-Hant-TW"
    assert [*serious_violations(page), *english_on(page)] == []
    page.fill("input[name=email]", "nobody@example.com")
    page.fill("input[name=password]", "wrong password here")
    page.click("button[type=submit]")
    expect(page.locator("[role=alert]")).to_contain_text("不正確")
    # The answer is a 400, which Chromium itself notes in the console.
    assert all("400" in line for line in page.console_errors)
    page.console_errors.clear()


@pytest.mark.looks
def test_confirm_and_error_pages_are_clean(inside):
    inside.goto(f"{inside.live}/admin/people/edit/?id=2")
    inside.get_by_role("button", name="停用").click()
    expect(inside.get_by_role("heading", level=1)).to_have_text("要停用 阿德0 嗎？")
    assert [*serious_violations(inside), *english_on(inside)] == []
    inside.get_by_role("button", name="停用").click()
    expect(inside.locator(".flash")).to_contain_text("已停用")
    inside.goto(f"{inside.live}/admin/nothing")
    assert "這裡沒有東西" in inside.locator("h1").inner_text()
    assert [*serious_violations(inside), *english_on(inside)] == []
    assert all("404" in line for line in inside.console_errors)
    inside.console_errors.clear()


def test_the_drawer_opens_and_closes_by_keyboard_on_a_phone(inside):
    inside.set_viewport_size(NARROW)
    inside.goto(f"{inside.live}/admin/profile/")
    link = inside.locator("#side").get_by_role("link", name="操作紀錄")
    assert not link.is_visible()
    inside.locator("[data-menu-open]").press("Enter")
    link.wait_for(state="visible")
    expect(inside.locator("[data-menu-open]")).to_have_attribute("aria-expanded", "true")
    assert serious_violations(inside) == []
    inside.keyboard.press("Escape")
    link.wait_for(state="hidden")
    expect(inside.locator("[data-menu-open]")).to_be_focused()


def test_the_drawer_opens_without_javascript_too(browser, inside):
    context = browser.new_context(
        java_script_enabled=False, viewport=NARROW, storage_state=inside.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(f"{inside.live}/admin/profile/")
    plain.locator("[data-menu-open]").click()
    plain.locator("#side").get_by_role("link", name="操作紀錄").click()
    expect(plain.locator("h1")).to_have_text("操作紀錄")
    context.close()


def test_the_first_tab_stop_leads_past_the_menu(inside):
    inside.goto(f"{inside.live}/admin/profile/")
    inside.keyboard.press("Tab")
    expect(inside.locator(".skip")).to_be_focused()
    inside.keyboard.press("Enter")
    inside.keyboard.press("Tab")
    expect(inside.locator("#main :focus")).to_have_count(1)


def test_ones_menu_opens_closes_and_signs_out(inside):
    inside.goto(f"{inside.live}/admin/profile/")
    menu = inside.locator("details.pop")
    menu.locator("summary").click()
    inside.keyboard.press("Escape")
    expect(menu.locator(".sheet")).to_be_hidden()
    menu.locator("summary").click()
    menu.get_by_role("button", name="登出").click()
    expect(inside.locator(".flash")).to_contain_text("已登出")


def test_a_form_is_sent_once_however_often_the_button_is_pressed(inside):
    posts = []
    inside.on("request", lambda one: posts.append(one) if one.method == "POST" else None)
    inside.goto(f"{inside.live}/admin/profile/")
    inside.fill("input[name=name]", "王店長")
    with inside.expect_navigation():
        inside.evaluate(
            """() => { const form = document.querySelector('form[data-guard]');
                       form.requestSubmit(); form.requestSubmit(); }"""
        )
    expect(inside.locator("input[name=name]")).to_have_value("王店長")
    assert len(posts) == 1


def test_unsaved_input_is_not_lost_by_a_stray_click(inside):
    inside.goto(f"{inside.live}/admin/profile/")
    inside.locator("input[name=name]").press_sequentially("x")
    asked = []
    with inside.expect_event("dialog") as dialog:
        inside.once("dialog", lambda one: (asked.append(one.type), one.dismiss()))
        inside.locator("#side").get_by_role("link", name="操作紀錄").click()
    assert dialog.value.type == "beforeunload"
    assert asked == ["beforeunload"]
    assert "/profile/" in inside.url


def test_filters_apply_themselves(inside):
    inside.goto(f"{inside.live}/admin/people/")
    inside.select_option("#filter-role", "viewer")
    inside.wait_for_url("**role=viewer**")
    expect(inside.locator("tbody tr")).to_have_count(1)
