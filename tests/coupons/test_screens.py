"""Coupons in a browser: made, shown on a friend's phone, used at the counter."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from lineadmin.coupons import codes
from lineadmin.coupons.models import Coupon, CouponIssue, Redemption
from lineadmin.coupons.redeem import redeem, undo
from tests.browse import (
    NARROW,
    WIDE,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend
from tests.panel import PASSWORD, with_password

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A camera that shows a grey square, and a detector that reads a given code in it.
PRETEND_CAMERA = """(() => {
  const code = %s;
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"]; }
    async detect() { return [{ rawValue: code }]; }
  };
  Object.defineProperty(navigator, "mediaDevices", { value: {
    getUserMedia: async () => {
      const canvas = document.createElement("canvas");
      canvas.getContext("2d").fillRect(0, 0, 10, 10);
      return canvas.captureStream(5);
    },
  } });
})();"""


@pytest.fixture
def enter(live, page, clock):
    """Sign somebody of a role in; answers the person."""

    def signed_in(role):
        staff = with_password(role)
        sign_in(page, live, staff.email, PASSWORD)
        return staff

    return signed_in


@pytest.fixture
def copy(app, clock):
    return give(make_coupon(), make_friend("陳小明").id)


class Acts:
    """Counts what a person does: every click, and every field that is typed."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def click(self, name, role="link"):
        self.count += 1
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def choose(self, name):
        self.count += 1
        self.page.get_by_text(name, exact=True).click()

    def type(self, label, text):
        self.count += 1
        self.page.get_by_label(label).first.fill(text)


def test_a_coupon_is_made_in_a_few_acts_and_the_preview_follows(enter, live, page):
    enter("manager")
    page.goto(f"{live}/admin/coupons/")
    late = []
    page.route("**/js/coupon_edit.js", lambda route: late.append(route))
    acts = Acts(page)
    acts.click("建立優惠券")
    acts.type("名稱", "滿百折二十")
    assert page.locator("[data-msgs]").get_by_text("滿百折二十").count() == 0
    for script in late:  # what was typed before it was there is drawn all the same
        script.continue_()
    page.locator("[data-msgs]").get_by_text("滿百折二十").wait_for()
    acts.choose("折抵金額")
    acts.type("金額（NT$）", "20")
    acts.type("最低消費", "100")
    acts.type("天數", "3")
    acts.type("發行張數", "50")
    acts.type("使用須知", "每桌限用一張。")
    card = page.locator("[data-msgs]")
    card.get_by_text("NT$20 折抵").wait_for()
    expect(card).to_contain_text("領取後 3 天內有效")
    page.get_by_text("優惠券頁面").click()
    inside = page.frame_locator(".of-page iframe")
    inside.get_by_text("每桌限用一張。").wait_for()
    expect(page.locator("#percent")).to_be_hidden()
    acts.click("建立優惠券", "button")
    page.get_by_role("heading", name="滿百折二十", level=1).wait_for()
    coupon = Coupon.get()
    assert (coupon.benefit, coupon.benefit_value, coupon.stock) == ("amount", 20, 50)
    print(f"a coupon in {acts.count} acts")
    assert acts.count <= 15


def test_the_friends_phone_shows_at_once_what_the_counter_did(live, page, copy, app):
    staff = with_password("staff")
    page.set_viewport_size(NARROW)
    page.goto(f"{live}/c/{copy.token}")
    assert page.get_by_text("可以使用").is_visible()
    assert page.locator("svg.qr").is_visible()
    left = page.locator("[data-left]")
    left.wait_for()
    expect(left).to_have_text(re.compile(r"^\s*還有 7 天 1[12] 小時\s*$"))
    done = redeem(copy, staff=staff, how="scan", request_key="key-12345", now=NOON, wall=NOON)
    page.get_by_text("已使用：2026/11/23（一）12:00").wait_for()
    undo(done.redemption, staff=staff, reason="按錯了", now=NOON, wall=NOON)
    page.get_by_text("可以使用").wait_for()
    assert CouponIssue.get_by_id(copy.id).opened_at == NOON


def test_a_friend_uses_hers_by_two_taps(live, page, copy):
    Coupon.update(redeem="self").execute()
    page.set_viewport_size(NARROW)
    page.goto(f"{live}/c/{copy.token}")
    page.get_by_text("使用優惠券", exact=True).click()
    page.get_by_role("button", name="確定使用").click()
    page.get_by_text("已使用：").wait_for()
    assert Redemption.get().how == "self"


def test_the_pin_is_typed_on_the_friends_phone(live, page, copy):
    Coupon.update(redeem="pin", pin="4711").execute()
    page.set_viewport_size(NARROW)
    page.goto(f"{live}/c/{copy.token}")
    page.get_by_text("使用優惠券", exact=True).click()
    page.get_by_label("請店員輸入店家 PIN").fill("4711")
    page.get_by_role("button", name="確定使用").click()
    page.get_by_text("已使用：").wait_for()


def test_a_code_is_typed_redeemed_through_a_lost_connection_and_undone(enter, live, page, copy):
    enter("staff")
    page.set_viewport_size(NARROW)
    page.goto(f"{live}/admin/redeem/")
    page.get_by_label("代碼", exact=True).fill(codes.shown(copy.code).lower())
    page.get_by_role("button", name="查詢").click()
    page.get_by_role("heading", name="可以使用").wait_for()
    amount = page.get_by_label("消費金額（選填）")
    amount.fill("80")
    page.get_by_text("還差 NT$20 才到最低消費").wait_for()
    amount.fill("180")

    sent = []

    def lose_the_first_answer(route):
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.fetch(max_redirects=0)  # the server has done it …
            route.abort()  # … and nobody hears of it
        else:
            route.continue_()

    page.route("**/admin/redeem/use/", lose_the_first_answer)
    page.get_by_role("button", name="核銷，折抵 NT$36").click()
    page.get_by_role("heading", name="已核銷").wait_for()
    assert len(sent) == 2
    assert Redemption.select().count() == 1
    page.get_by_text("應付 NT$144").wait_for()
    lost = [text for text in page.console_errors if "ERR_FAILED" in text]
    for text in lost:
        page.console_errors.remove(text)

    page.get_by_text("撤回（10 分鐘內）").click()
    page.get_by_label("用錯優惠券").check()
    page.get_by_role("button", name="撤回這次核銷").click()
    page.get_by_text("優惠券可以再使用").first.wait_for()
    assert CouponIssue.get_by_id(copy.id).redeemed_at is None
    assert Redemption.get().undo_reason == "用錯優惠券"


def test_an_amount_below_the_minimum_is_refused_in_place_and_can_be_corrected(
    enter, live, page, copy
):
    enter("staff")
    page.goto(f"{live}/admin/redeem/{codes.shown(copy.code)}")
    page.get_by_label("消費金額（選填）").fill("80")
    page.locator("[data-button]").click()
    page.get_by_text("NT$80 還不夠").wait_for()
    page.get_by_label("消費金額（選填）").fill("200")
    page.get_by_role("button", name="核銷，折抵 NT$40").click()
    page.get_by_role("heading", name="已核銷").wait_for()
    assert Redemption.select().count() == 1


def test_the_camera_reads_what_the_friends_page_shows(enter, live, page, copy):
    enter("staff")
    page.set_viewport_size(NARROW)
    qr = f"https://shop.example/admin/redeem/{codes.shown(copy.code)}"
    page.add_init_script(PRETEND_CAMERA % repr(qr))
    page.goto(f"{live}/admin/redeem/")
    page.get_by_role("button", name="開啟相機掃描").click()
    page.get_by_role("heading", name="可以使用").wait_for()
    page.locator("[data-button]").click()
    page.get_by_role("heading", name="已核銷").wait_for()
    assert Redemption.get().how == "scan"


def test_a_browser_without_a_scanner_says_so_and_takes_the_code(enter, live, page, copy):
    enter("staff")
    page.add_init_script("delete window.BarcodeDetector")
    page.goto(f"{live}/admin/redeem/")
    page.get_by_text("這個瀏覽器不能直接掃碼").wait_for()
    expect(page.locator("[data-camera]")).to_be_hidden()


@pytest.mark.looks
def test_every_screen_is_accessible_fits_and_speaks_chinese(enter, live, page, copy):
    staff = enter("manager")
    used = give(
        make_coupon(code="tea", benefit="gift", benefit_text="紅茶"), make_friend("怡君").id
    )
    done = redeem(
        used, staff=staff, how="code", request_key="key-12345", now=NOON, wall=NOON, amount=300
    )
    own = give(make_coupon(code="own", redeem="pin", pin="4711"), make_friend("阿婆").id)
    coupon = copy.coupon.id
    wrong = {}
    for path in (
        "/admin/coupons/",
        "/admin/coupons/new/",
        f"/admin/coupons/edit/?id={coupon}",
        f"/admin/coupons/details/?id={coupon}",
        f"/admin/coupons/copies/?id={coupon}",
        "/admin/redeem/",
        f"/admin/redeem/{copy.code}",
        f"/admin/redeem/{used.code}",
        f"/admin/redeem/?done={done.redemption.id}",
        "/admin/redeem/tries/",
        f"/c/{copy.token}",
        f"/c/{used.token}",
        f"/c/{own.token}",
    ):
        page.set_viewport_size(WIDE)
        page.goto(live + path)
        # The frame around the page is tested elsewhere.
        page.evaluate("document.querySelectorAll('.brand, .top, .side').forEach(e => e.remove())")
        found = [*serious_violations(page), *english_on(page)]
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            if sideways_overflow(page):
                found.append(f"{sideways_overflow(page)} px too wide at {size['width']}")
        if found:
            wrong[path] = found
    assert wrong == {}
