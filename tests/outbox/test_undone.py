"""What was prepared and certainly did not leave gives its coupons back."""

from __future__ import annotations

from typing import Any

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.messages.undo import take_back_coupons
from lineadmin.outbox import cancel, plan, reasons
from lineadmin.outbox.content import store
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.tasks.sending import preparer
from tests.conftest import NOON
from tests.outbox.conftest import Shop, Watchful


class WithCoupons(Watchful):
    def undone(self, jobs: Any, now: Any) -> None:
        take_back_coupons(jobs, now)


def sell(shop: Shop, config: Any) -> Coupon:
    """A broadcast with a coupon card, through the real preparation."""
    shop.prepare = preparer(config, lambda: shop.now)
    shop.programs = WithCoupons()
    coupon = Coupon.create(
        code="bento20",
        title="雙拼 8 折",
        benefit="percent",
        benefit_value=20,
        stock=10,
        created_at=NOON,
    )
    parts = [{"text": "給您一張券"}, {"coupon": "bento20"}]
    content = store(parts, personal=True, summary="券", now=NOON)
    plan.plan_where(
        Origin(OriginKind.BROADCAST, 1),
        content.id,
        None,
        after_friend_id=0,
        due_at=NOON,
        now=NOON,
        cap=None,
    )
    return coupon


def stock_taken(coupon: Coupon) -> int:
    return Coupon.get_by_id(coupon.id).issued


def held() -> int:
    return CouponIssue.select().where(CouponIssue.voided_at.is_null()).count()


def test_a_shipment_line_did_not_take_is_prepared_afresh_and_takes_stock_once(
    shop: Shop, line_config: Any
):
    hana, gone = shop.friend("花"), shop.friend("走")
    coupon = sell(shop, line_config)
    shop.phones.fail("429", endpoint="push", times=2)
    shop.send()
    assert stock_taken(coupon) == 2

    Friend.update(status=BLOCKED).where(Friend.id == gone.id).execute()
    shop.later(minutes=11)
    shop.send()

    assert len(shop.phones.messages(hana.line_user_id)) == 2
    assert (stock_taken(coupon), held()) == (1, 1)
    assert Delivery.get(Delivery.friend_id == gone.id).reason == reasons.BLOCKED


def test_canceling_gives_the_coupons_back(shop: Shop, line_config: Any):
    shop.friend("花")
    coupon = sell(shop, line_config)
    shop.phones.fail("429", endpoint="push")
    shop.send()
    cancel.cancel_program(
        OriginKind.BROADCAST, 1, now=shop.now, wall=shop.wall, undone=take_back_coupons
    )
    assert (stock_taken(coupon), held()) == (0, 0)


def test_what_may_have_arrived_keeps_its_coupon(shop: Shop, line_config: Any):
    shop.friend("花")
    coupon = sell(shop, line_config)
    shop.phones.fail("accept_500", endpoint="push")
    shop.send()
    cancel.cancel_program(
        OriginKind.BROADCAST, 1, now=shop.now, wall=shop.wall, undone=take_back_coupons
    )
    assert (stock_taken(coupon), held()) == (1, 1)
    shop.later(minutes=1)
    assert shop.send().sent == 1
