"""Questions about purchases, for lists, a friend's page and her own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin.journal.models import Fact
from lineadmin.purchases.models import ChangeRequest, Purchase, PurchaseCategory, PurchaseLine

KINDS = ("purchase", "purchase.void", "purchase.voided", "purchase.status", "purchase.asked")
MOST_PLACES = 100
HISTORY = (*KINDS, "purchase.answered")


@dataclass(frozen=True)
class Totals:
    """What a friend has bought, as far as it counts."""

    count: int
    amount: int
    last_at: datetime | None


@dataclass(frozen=True)
class Wish:
    """A wish to change an order, with the order and its friend."""

    row: ChangeRequest
    purchase: Purchase


def totals(friend_id: int) -> Totals:
    """How often and for how much a friend has bought."""
    query: Any = Purchase.select(
        fn.COUNT(Purchase.id), fn.COALESCE(fn.SUM(Purchase.amount), 0), fn.MAX(Purchase.at)
    ).where(Purchase.friend == friend_id, Purchase.uncounted_at.is_null())
    count, amount, last = query.tuples().get()
    return Totals(int(count), int(amount), last)


def latest(friend_id: int, limit: int) -> list[Purchase]:
    """Her newest purchases, also those taken back."""
    rows = Purchase.select().where(Purchase.friend == friend_id)
    return list(rows.order_by(Purchase.at.desc(), Purchase.id.desc()).limit(limit))


def lines_of(purchase_ids: Iterable[int]) -> dict[int, list[PurchaseLine]]:
    """The lines of some purchases, with their categories, in the order they were told."""
    found: dict[int, list[PurchaseLine]] = {}
    rows = (
        PurchaseLine.select(PurchaseLine, PurchaseCategory)
        .left_outer_join(PurchaseCategory)
        .where(PurchaseLine.purchase.in_(list(purchase_ids)))
        .order_by(PurchaseLine.id)
    )
    for row in rows:
        found.setdefault(row.purchase_id, []).append(row)
    return found


def history(purchase_id: int) -> list[Fact]:
    """What happened to a purchase, the oldest first."""
    facts = Fact.select().where(Fact.kind.in_(HISTORY), Fact.object_id == purchase_id)
    return list(facts.order_by(Fact.at, Fact.id))


def wishes_of(purchase_ids: Iterable[int]) -> dict[int, list[ChangeRequest]]:
    """The wishes to change these orders, the newest first."""
    found: dict[int, list[ChangeRequest]] = {}
    rows = ChangeRequest.select().where(ChangeRequest.purchase.in_(list(purchase_ids)))
    for row in rows.order_by(ChangeRequest.id.desc()):
        found.setdefault(row.purchase_id, []).append(row)
    return found


def open_wishes(limit: int | None = None) -> list[Wish]:
    """Wishes nobody has answered, the oldest first."""
    rows = (
        ChangeRequest.select(ChangeRequest, Purchase)
        .join(Purchase)
        .where(ChangeRequest.answered_at.is_null())
        .order_by(ChangeRequest.id)
        .limit(limit)
    )
    return [Wish(row, row.purchase) for row in rows]


def open_count() -> int:
    """How many of them."""
    return int(ChangeRequest.select().where(ChangeRequest.answered_at.is_null()).count())


def categories() -> list[str]:
    """Every category of goods, by name."""
    return [row.name for row in PurchaseCategory.select().order_by(PurchaseCategory.name)]


def places() -> list[str]:
    """Stores that purchases name: each found with one step along the index."""
    found: list[str] = []
    last = ""
    while len(found) < MOST_PLACES:
        following = (
            Purchase.select(Purchase.branch)
            .where(Purchase.branch > last)
            .order_by(Purchase.branch)
            .limit(1)
            .scalar()
        )
        if following is None:
            break
        last = str(following)
        found.append(last)
    return found
