"""The free answer to a location."""

from __future__ import annotations

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.inbox.models import InboundMessage
from lineadmin.outbox.models import Delivery, Reply
from tests.branches.conftest import STATION

WHERE = {"latitude": STATION[0], "longitude": STATION[1], "title": "這裡", "address": "台北市"}


def answer(on=True):
    settings.change_shop({"branch_reply": on}, staff=None, wall=shop_clock.wall())


def said(shop, user):
    return shop.line.texts(user, "reply")


def test_a_location_is_answered_with_the_nearest_branch_where_the_shop_wants_it(shop, branches):
    answer()
    hana = shop.phone("小花")
    shop.line.location(hana, **WHERE)
    shop.settle()
    [text] = said(shop, hana)
    assert "西門店" in text
    assert "1.1 公里" in text
    assert "台北市漢中街 1 號" in text
    assert "https://www.google.com/maps/search/?api=1&query=25.042100,121.508100" in text
    assert Reply.get().origin == "branch"
    assert Delivery.select().count() == 0  # free: nothing is pushed
    assert InboundMessage.get().answered_by == "rule"


def test_nothing_is_said_while_it_is_off_or_there_are_no_branches(shop, db):
    hana = shop.phone("小花")
    answer()
    shop.line.location(hana, **WHERE)
    shop.settle()
    assert said(shop, hana) == []
    assert InboundMessage.get().answered_by == ""  # staff may still answer
