"""A coupon's whole life by clicks: made from home, sent by a step, opened, redeemed, reported."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.coupons.models import Coupon
from lineadmin.line.gateway import Gateway
from tests.browse import NARROW, WIDE, sign_in
from tests.panel import PASSWORD, with_password
from tests.sequences.playing import play

pytestmark = pytest.mark.browser

STEP = """
version: 1
sequences:
  - name: 第二天的優惠
    enabled: true
    trigger: {follow: any}
    branches: [{steps: [{after_days: 1, at: "10:00", messages: [{text: 早安}, {coupon: %s}]}]}]
"""


class Person:
    """Somebody at the screen who finds everything by its label; every act counts."""

    def __init__(self, page):
        self.page, self.acts = page, 0

    def click(self, role, name):
        self.acts += 1
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def choose(self, name):
        self.acts += 1
        self.page.get_by_role("radio", name=name, exact=True).check(force=True)

    def type(self, label, text):
        self.acts += 1
        field = self.page.get_by_role("textbox", name=label)
        field = field.or_(self.page.get_by_role("spinbutton", name=label))
        field.first.fill(text)


def test_made_from_home_sent_by_a_step_opened_redeemed_and_reported(
    line, line_config, app, live, page, clock
):
    manager, staff = with_password("manager"), with_password("staff", email="till@example.com")
    sign_in(page, live, manager.email, PASSWORD)
    person = Person(page)
    person.click("link", "建立優惠券")
    person.type("名稱", "雙拼便當 8 折")
    person.choose("折扣 %")
    person.type("折扣", "20")
    person.type("最低消費", "100")
    person.choose("領取後起算")
    person.type("天數", "7")
    person.type("發行張數", "500")
    person.type("每人可領", "1")
    person.choose("店員掃 QR")
    person.type("使用須知", "限內用與外帶，不與其他優惠併用。")
    person.click("button", "建立優惠券")
    page.get_by_role("heading", name="雙拼便當 8 折", level=1).wait_for()
    print(f"a coupon from home in {person.acts} acts")
    assert person.acts <= 15
    coupon = Coupon.get()
    assert (coupon.benefit_value, coupon.minimum_spend, coupon.stock) == (20, 100, 500)

    shopfile.load(
        STEP % coupon.code, staff=None, now=clock(), wall=shop_clock.wall(), public_url="https://x"
    )
    phone = line.client.add_phone("花子")["user_id"]
    line.client.follow(phone, wait_ms=30_000)
    gateway = Gateway(line_config)
    reached = play(clock(), clock() + timedelta(days=2), gateway)
    clock.set(reached)
    [card] = [one for one in line.client.messages(phone) if one["type"] == "flex"]
    path = re.search(r"https://shop\.example(/c/[\w-]+)", str(card))[1]

    page.set_viewport_size(NARROW)
    page.goto(live + path)
    page.get_by_text("可以使用").wait_for()
    page.locator("svg.qr").wait_for()
    code = page.locator(".code").inner_text()

    page.context.clear_cookies()
    sign_in(page, live, staff.email, PASSWORD)
    page.goto(f"{live}/admin/redeem/")
    page.get_by_role("textbox", name="代碼").fill(code)
    page.get_by_role("button", name="查詢", exact=True).click()
    page.get_by_text("可以使用").wait_for()
    page.get_by_label(re.compile("消費金額")).fill("180")
    page.get_by_role("button", name="核銷，折抵 NT$36").click()
    page.get_by_text("應付 NT$144").wait_for()

    page.context.clear_cookies()
    page.set_viewport_size(WIDE)
    sign_in(page, live, manager.email, PASSWORD)
    page.get_by_role("link", name="優惠券成效", exact=True).first.click()
    row = page.get_by_role("row").filter(has_text="漸進式訊息").first
    row.wait_for()
    assert re.sub(r"\s+", " ", row.inner_text()).count("1") >= 3  # handed out, opened, redeemed
    assert "NT$180" in row.inner_text()
