"""A lottery in a browser: set up by a manager, drawn on a phone 390 px wide."""

from __future__ import annotations

import pytest

from lineadmin.lottery.links import page_path
from lineadmin.lottery.models import Lottery, LotteryDraw
from tests.browse import NARROW, english_on, serious_violations, sideways_overflow, sign_in
from tests.coupons.making import make_coupon
from tests.factories import make_friend
from tests.panel import PASSWORD, with_password

pytestmark = pytest.mark.browser


def test_a_lottery_is_set_up_and_drawn_on_a_phone(live, page, app, clock):
    make_coupon()
    sign_in(page, live, with_password("manager").email, PASSWORD)
    page.get_by_role("link", name="抽獎", exact=True).click()
    page.get_by_role("link", name="新增抽獎").first.click()
    page.get_by_label("名稱").first.fill("開幕抽獎")
    row = page.get_by_role("group", name="獎品 1", exact=True)
    row.get_by_label("名稱").fill("免費便當")
    row.get_by_label("優惠券").select_option(index=1)
    row.get_by_label("機率").fill("100")
    page.get_by_text("合計 100%，其餘 0% 沒抽中。").wait_for()
    page.get_by_role("button", name="建立抽獎").click()
    page.get_by_role("heading", name="開幕抽獎", level=1).wait_for()
    assert english_on(page) == ["lottery-1"] or english_on(page) == []

    lottery, friend = Lottery.get(), make_friend("小花")
    page.set_viewport_size(NARROW)
    page.goto(live + page_path(lottery, friend.id))
    assert sideways_overflow(page) == 0
    page.get_by_role("button", name="馬上抽").click()
    page.get_by_text("恭喜抽中").wait_for()
    assert sideways_overflow(page) == 0
    assert serious_violations(page) == []
    page.get_by_role("link", name="打開優惠券").click()
    page.get_by_text("可以使用").wait_for()
    assert LotteryDraw.select().count() == 1
