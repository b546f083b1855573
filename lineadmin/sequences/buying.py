"""Purchases and step messages: one starts them, and one made since she started ends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from lineadmin.outbox.live import one_of, rows
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.sequences.definition import ANY
from lineadmin.sequences.models import Enrolment


class _Fact(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def object_id(self) -> int: ...


OneFact = TypeVar("OneFact", bound=_Fact)


def of_category(about: str, facts: Sequence[OneFact]) -> list[OneFact]:
    """The purchases among these facts, those of a category where one is named."""
    bought = [fact for fact in facts if fact.kind == "purchase"]
    if about == ANY or not bought:
        return bought
    found = PurchaseLine.select(PurchaseLine.purchase).where(
        one_of(PurchaseLine.purchase, {fact.object_id for fact in bought})
        & PurchaseLine.uncounted_at.is_null()
        & PurchaseLine.category.in_(_category(about))
    )
    among = {purchase_id for (purchase_id,) in rows(found)}
    return [fact for fact in bought if fact.object_id in among]


def since_start(about: str | None, runs: Mapping[int, int]) -> set[int]:
    """Those of these friends who bought (of the category) after their run began.

    :param runs: friend id -> her enrolment
    """
    if about is None or not runs:
        return set()
    bought: Any = Purchase if about == ANY else PurchaseLine
    owner = Purchase.friend if about == ANY else PurchaseLine.friend_id
    fits = (
        one_of(Enrolment.id, runs.values())
        & bought.uncounted_at.is_null()
        & (bought.at > Enrolment.entered_at)
    )
    if about != ANY:
        fits &= PurchaseLine.category.in_(_category(about))
    found = Enrolment.select(Enrolment.friend_id).join(bought, on=(owner == Enrolment.friend_id))
    return {friend_id for (friend_id,) in rows(found.where(fits).distinct())}


def rehearse(about: str, friend_id: int, now: datetime) -> int:
    """A purchase as the trigger waits for it, for a dry run that is taken back; its id."""
    made = Purchase.create(
        receipt_no=f"dry-run:{friend_id}",
        friend=friend_id,
        at=now,
        amount=0,
        status="done",
        origin="staff",
        recorded_at=now,
    )
    PurchaseLine.create(
        purchase=made,
        category=None if about == ANY else _category(about).first(),
        friend_id=friend_id,
        at=now,
    )
    return int(made.id)


def _category(name: str) -> Any:
    return PurchaseCategory.select(PurchaseCategory.id).where(PurchaseCategory.name == name)
