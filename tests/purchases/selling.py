"""Purchases for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.friends.models import Friend
from lineadmin.purchases import record
from lineadmin.purchases.entry import Entry, Line
from lineadmin.purchases.models import Purchase
from tests.conftest import NOON


def buy(
    friend: Friend,
    amount: int = 100,
    *,
    receipt: str = "",
    at: datetime = NOON,
    now: datetime | None = None,
    goods: tuple[str, ...] = (),
    **more: Any,
) -> Purchase:
    """A purchase as staff record it; `goods` are categories, one line each."""
    entry = Entry(
        receipt_no=receipt or f"R{Purchase.select().count() + 1:04}",
        friend_id=friend.id,
        at=at,
        amount=amount,
        lines=tuple(Line(name=f"{name} A", category=name) for name in goods),
        **more,
    )
    moment = now or at
    row, _new = record.record(entry, origin="staff", staff=None, now=moment, wall=moment)
    return row
