"""The frame and the staff screens in Chromium: zh-TW, axe, keyboard, phone."""

from __future__ import annotations

import pytest

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
    assert "不正確" in page.locator("[role=alert]").inner_text()
    # The answer is a 400, which Chromium itself notes in the console.
    assert all("400" in line for line in page.console_errors)
    page.console_errors.clear()


@pytest.mark.looks
def test_confirm_and_error_pages_are_clean(inside):
    inside.goto(f"{inside.live}/admin/people/edit/?id=2")
    inside.get_by_role("button", name="停用").click()
    assert inside.get_by_role("heading", level=1).inner_text() == "要停用 阿德0 嗎？"
    assert [*serious_violations(inside), *english_on(inside)] == []
    inside.get_by_role("button", name="停用").click()
    assert "已停用" in inside.locator(".flash").inner_text()
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
    assert inside.locator("[data-menu-open]").get_attribute("aria-expanded") == "true"
    assert serious_violations(inside) == []
    inside.keyboard.press("Escape")
    link.wait_for(state="hidden")
    assert inside.evaluate("document.activeElement.hasAttribute('data-menu-open')")


def test_the_drawer_opens_without_javascript_too(browser, inside):
    context = browser.new_context(
        java_script_enabled=False, viewport=NARROW, storage_state=inside.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(f"{inside.live}/admin/profile/")
    plain.locator("[data-menu-open]").click()
    plain.locator("#side").get_by_role("link", name="操作紀錄").click()
    assert plain.locator("h1").inner_text() == "操作紀錄"
    context.close()


def test_the_first_tab_stop_leads_past_the_menu(inside):
    inside.goto(f"{inside.live}/admin/profile/")
    inside.keyboard.press("Tab")
    assert inside.evaluate("document.activeElement.className") == "skip"
    inside.keyboard.press("Enter")
    inside.keyboard.press("Tab")
    assert inside.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_ones_menu_opens_closes_and_signs_out(inside):
    inside.goto(f"{inside.live}/admin/profile/")
    menu = inside.locator("details.pop")
    menu.locator("summary").click()
    inside.keyboard.press("Escape")
    assert not menu.locator(".sheet").is_visible()
    menu.locator("summary").click()
    menu.get_by_role("button", name="登出").click()
    assert "已登出" in inside.locator(".flash").inner_text()


def test_a_form_is_sent_once_however_often_the_button_is_pressed(inside):
    posts = []
    inside.on("request", lambda one: posts.append(one) if one.method == "POST" else None)
    inside.goto(f"{inside.live}/admin/profile/")
    inside.fill("input[name=name]", "王店長")
    inside.evaluate(
        """() => { const form = document.querySelector('form[data-guard]');
                   form.requestSubmit(); form.requestSubmit(); }"""
    )
    inside.wait_for_load_state()
    assert inside.locator("input[name=name]").input_value() == "王店長"
    assert len(posts) == 1


def test_unsaved_input_is_not_lost_by_a_stray_click(inside):
    asked = []
    inside.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    inside.goto(f"{inside.live}/admin/profile/")
    inside.locator("input[name=name]").press_sequentially("x")
    inside.locator("#side").get_by_role("link", name="操作紀錄").click()
    inside.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert "/profile/" in inside.url


def test_filters_apply_themselves(inside):
    inside.goto(f"{inside.live}/admin/people/")
    inside.select_option("#filter-role", "viewer")
    inside.wait_for_url("**role=viewer**")
    assert inside.locator("tbody tr").count() == 1
