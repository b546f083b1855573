"""Lotteries for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.lottery import actions
from lineadmin.lottery.models import Lottery
from lineadmin.lottery.plan import Plan, PrizePlan
from tests.coupons.making import NOON, make_coupon


def prize(name: str, coupon: str, percent: str = "10", **more: Any) -> PrizePlan:
    return PrizePlan(name, coupon, percent, **more)


def make_lottery(*prizes: PrizePlan, now: datetime = NOON, **plan: Any) -> Lottery:
    """A lottery; without prizes it has a first one of which there are 3 and a consolation."""
    if not prizes:
        make_coupon(code="big", title="免費便當")
        make_coupon(code="small", title="紅茶一杯")
        prizes = (
            prize("頭獎", "big", "20", stock=3),
            prize("安慰獎", "small", "50", consolation=True),
        )
    plan.setdefault("title", "開幕抽獎")
    return actions.create(Plan(prizes=prizes, **plan), staff=None, now=now, wall=now)
