"""Rich messages, cards and templates, written in the composer by mouse and by keyboard."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from lineadmin.messages.models import MessageTemplate, PictureSize, Upload
from lineadmin.staff.passwords import hash_password
from tests import browse
from tests.admin import composing
from tests.admin.test_composer import PASSWORD, saved
from tests.factories import make_staff


def picture(width=1200, height=1200):
    made = Image.new("RGB", (width, height), (246, 214, 150))
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 0, width // 2, height), fill=(224, 122, 47))
    draw.ellipse((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=(255, 248, 230))
    file = io.BytesIO()
    made.save(file, "PNG")
    return {"name": "menu.png", "mimeType": "image/png", "buffer": file.getvalue()}


@pytest.fixture
def composer(app, live, page):
    app.config["SESSION_COOKIE_SECURE"] = False
    app.config["SERVER_NAME"] = None
    staff = make_staff("manager", password_hash=hash_password(PASSWORD))
    composing.mount(app, ())
    browse.sign_in(page, live, staff.email, PASSWORD)
    page.goto(f"{live}/trial")
    page.wait_for_function("document.querySelector('[data-parts]').children.length > 0")
    return page


@pytest.mark.browser
def test_areas_are_drawn_moved_and_typed(composer):
    page = composer
    page.locator(".part [data-do=remove]").click()
    page.locator("[data-new=rich_message]").click()
    part = page.locator(".part[data-kind=rich_message]")
    part.locator("[data-file]").set_input_files(picture(800, 800))
    part.locator("[data-upload-error]", has_text="寬 800 像素").wait_for()
    assert Upload.select().count() == 0  # the browser measured it: nothing was uploaded
    part.locator("[data-file]").set_input_files(picture())
    part.locator(".area-box").wait_for()
    assert PictureSize.select().count() == 5
    part.get_by_label("通知顯示的文字").fill("今日菜單")
    part.get_by_role("button", name="左右兩欄").click()
    expect(part.locator(".area")).to_have_count(2)

    left, right = part.locator(".area").all()
    left.locator("[data-area-value]").fill("https://shop.example/left")
    right.locator("[data-action]").select_option("text")
    right.locator("[data-area-value]").fill("右邊")
    part.locator(".area-box").nth(1).focus()
    for key in ("Shift+ArrowLeft", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    left.get_by_text("位置（像素）").click()
    left.get_by_label("高度").fill("500")
    # Drawn with the mouse on what is free now, below the left area.
    board = part.locator("[data-board]")
    board.scroll_into_view_if_needed()
    frame = board.bounding_box()
    scale = frame["width"] / 1040
    page.mouse.move(frame["x"] + 100 * scale, frame["y"] + 700 * scale)
    page.mouse.down()
    page.mouse.move(frame["x"] + 400 * scale, frame["y"] + 1000 * scale, steps=4)
    page.mouse.up()
    expect(part.locator(".area")).to_have_count(3)
    third = part.locator(".area").nth(2)
    third.locator("[data-action]").select_option("copy")
    third.locator("[data-area-value]").fill("BENTO20")
    page.locator(".phone .map-area").nth(2).wait_for()

    assert browse.serious_violations(page) == []
    written = saved(page)
    areas = written[0]["rich_message"].pop("areas")
    assert written[:1] == [
        {"rich_message": {"image": Upload.get().token, "height": 1040, "alt": "今日菜單"}}
    ]
    assert areas[0] == {
        "x": 0,
        "y": 0,
        "width": 520,
        "height": 500,
        "uri": "https://shop.example/left",
    }
    assert areas[1] == {"x": 530, "y": 0, "width": 510, "height": 1030, "text": "右邊"}
    drawn = areas[2]
    assert drawn["copy"] == "BENTO20"
    for side, wanted in {"x": 100, "y": 700, "width": 300, "height": 300}.items():
        assert abs(drawn[side] - wanted) <= 10


@pytest.mark.browser
def test_cards_mistakes_and_templates_on_a_phone(composer):
    page = composer
    page.set_viewport_size(browse.NARROW)
    page.locator(".part [data-text]").fill("看 https://shop.example")
    tip = page.locator(".tips li", has_text="先說重點")
    tip.wait_for()
    tip.get_by_role("button").click()
    tip.wait_for(state="detached")
    page.locator("[data-new=cards]").click()
    part = page.locator(".part[data-kind=cards]")
    part.get_by_label("通知顯示的文字").fill("三種便當")
    part.locator("[data-card-do=button]").click()
    part.locator(".card-button [data-label]").fill("訂雞腿")
    part.locator(".card-button [data-button-value]").fill("shop")
    page.get_by_role("button", name="儲存", exact=True).click()
    page.locator(".error-summary").wait_for()
    card = page.locator(".one-card")
    expect(card.locator("> [role=alert]")).to_contain_text("標題或內文")
    expect(card.locator(".card-button [role=alert]")).to_contain_text("完整網址")
    card.locator("[data-title]").fill("雞腿便當")
    card.locator("[data-button-value]").fill("https://shop.example/1")
    card.locator("[data-card-do=copy]").click()
    page.locator(".one-card").nth(1).locator("[data-title]").fill("排骨便當")
    page.locator(".one-card .error:not([hidden])").first.wait_for(state="detached")
    assert browse.sideways_overflow(page) == 0
    assert browse.serious_violations(page) == []

    page.get_by_role("button", name="存成範本").click()
    page.get_by_label("名稱", exact=True).last.fill("便當卡片")
    page.keyboard.press("Enter")
    page.locator("[data-bar-says]", has_text="已存成「便當卡片」").wait_for()
    kept = MessageTemplate.get(MessageTemplate.name == "便當卡片")
    assert [one["title"] for one in kept.parts[1]["cards"]["cards"]] == ["雞腿便當", "排骨便當"]

    page.locator(".part").first.locator("[data-text]").fill("別的話")
    page.get_by_role("button", name="使用範本").click()
    page.get_by_role("button", name="使用：便當卡片").click()
    expect(page.locator(".part [data-text]").first).to_have_value("看 https://shop.example")
    page.get_by_role("button", name="復原").click()
    expect(page.locator(".part [data-text]").first).to_have_value("別的話")
    written = browse.english_on(page)
    shown = page.locator(".composer").evaluate("(box) => box.innerText")
    assert [text for text in written if text in shown] == []
    assert saved(page)[1]["cards"]["cards"][1]["title"] == "排骨便當"
