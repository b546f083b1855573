"""The first acceptance line, by clicks in zh-TW, against the real processes of `./run`."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browse import sign_in
from tests.served import serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")


@pytest.fixture
def shop(tmp_path, database_url):
    with serve(tmp_path, database_url) as served:
        yield served


def test_a_friend_is_greeted_redeems_her_coupon_and_gets_the_step_a_day_later(shop, page):
    sign_in(page, shop.address, shop.email, shop.password)
    page.get_by_role("link", name="模擬器", exact=True).first.click()
    phone = page.get_by_role("article", name="怡君")
    phone.get_by_role("button", name="加入好友").click()
    card = phone.get_by_text("查看優惠券").first
    card.wait_for()
    assert phone.get_by_text(re.compile("怡君")).count() >= 1

    with page.expect_popup() as opened:
        card.click()
    coupon = opened.value
    coupon.wait_for_load_state()
    coupon.locator("body", has_text=CODE).wait_for()
    code = CODE.search(coupon.inner_text("body")).group()

    page.get_by_role("link", name="核銷", exact=True).click()
    page.get_by_role("textbox", name=re.compile("代碼")).first.fill(code)
    page.keyboard.press("Enter")
    page.get_by_text("可以使用").wait_for()
    page.get_by_role("button", name=re.compile("核銷")).click()
    page.get_by_text(re.compile("已核銷")).first.wait_for()

    coupon.reload()
    coupon.get_by_text(re.compile("已(核銷|使用)")).first.wait_for()
    page.get_by_role("link", name="核銷", exact=True).click()
    page.get_by_role("textbox", name=re.compile("代碼")).first.fill(code)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("已(經)?(被)?(使用|核銷)")).first.wait_for()

    page.get_by_role("link", name="模擬器", exact=True).first.click()
    phone = page.get_by_role("article", name="怡君")
    before = len(_pushed(shop))
    page.get_by_role("button", name="+1 天").click()
    expect(phone.get_by_text("查看優惠券")).to_have_count(2)
    page.wait_for_timeout(1_000)  # for a second one, which must not come
    assert len(_pushed(shop)) == before + 1

    weeks = page.get_by_role("button", name="+4 週")
    weeks.click()
    expect(weeks).to_be_enabled(timeout=120_000)
    # Time passed rather than jumped: each step came on its own day and hour, none was late.
    assert _pushed_at(shop) == ["10:00", "10:30", "10:30"]
    assert shop.line.abuse() == []


def _pushed(shop):
    """Everything any phone got that was not a free reply."""
    received = shop.line.received()
    return [item for items in received.values() for item in items if item[0] != "reply"]


def _pushed_at(shop):
    """The hours, on the shop's clock, at which phones got what was not a reply."""
    moments = []
    for phone in shop.line.phones(pinned=1):
        chat = shop.line.call("GET", f"phones/{phone['user_id']}", limit=60)["chat"]
        moments += [bubble["at_ms"] for bubble in chat if bubble["how"] in ("push", "multicast")]
    zone = ZoneInfo("Asia/Taipei")
    return [f"{datetime.fromtimestamp(at / 1000, zone):%H:%M}" for at in sorted(set(moments))]
