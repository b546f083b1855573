"""Nobody gets a second coupon by leaving and coming back, nor by LINE telling us things twice."""

from __future__ import annotations

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.line.gateway import Gateway
from tests.broadcasts.stage import MINUTE
from tests.coupons.making import make_coupon
from tests.sequences.playing import play

SHOP = """
version: 1
greeting:
  messages: [{text: 歡迎}, {coupon: bento20}]
  returning: [{text: 歡迎回來}, {coupon: bento20}]
"""


def test_blocking_unblocking_and_redelivered_follows_give_one_copy(
    line, line_config, app, live, clock
):
    make_coupon(stock=500)
    shopfile.load(SHOP, staff=None, now=clock(), wall=shop_clock.wall(), public_url="https://x")
    gateway = Gateway(line_config)
    phone = line.client.add_phone("花子")["user_id"]

    def go_on():
        clock.set(play(clock(), clock() + MINUTE, gateway))

    line.client.follow(phone, wait_ms=30_000)
    go_on()
    for _ in range(3):
        line.client.block(phone, wait_ms=30_000)
        go_on()
        line.client.unblock(phone, wait_ms=30_000)
        go_on()
    assert len(line.client.redeliver(last=7, wait_ms=30_000)) == 7
    go_on()
    assert (CouponIssue.select().count(), Coupon.get().issued) == (1, 1)
    copy = CouponIssue.get()
    cards = [one for one in line.client.messages(phone) if one["type"] == "flex"]
    assert cards
    assert all(copy.token in str(card) for card in cards)
