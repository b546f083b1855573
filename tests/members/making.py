"""Members for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.members import actions, points, setup
from lineadmin.members.models import Member
from tests.coupons.making import NOON

PHONE = "0912345678"


def switch_on(**more: Any) -> None:
    changes = {"enabled": True, "levels": ("一般", "黃金"), **more}
    setup.change(changes, staff=None, wall=NOON)


def make_member(number: str = "A0001", *, now: datetime = NOON, **details: Any) -> Member:
    details.setdefault("phone", PHONE)
    return actions.create(actions.Details(number, **details), staff=None, now=now, wall=now)


def give(member: Member, amount: int, *, now: datetime = NOON, **more: Any) -> bool:
    change = points.Change(amount, **more)
    return points.change(member.id, change, staff=None, now=now, wall=now)
