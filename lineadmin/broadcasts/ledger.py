"""Before sending: how many match, who is left out and why, what it costs, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import SQL, Case, fn

from lineadmin import segments, settings
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.outbox import quota
from lineadmin.outbox.plan import Cap, cap_left_out
from lineadmin.segments.tree import AllOf, Tree
from lineadmin.settings.cost import Cost, cost


@dataclass(frozen=True)
class Ledger:
    """The sum staff check: matches − blocked − opted out − cap = will_send.

    `left` None: no monthly limit is known. `this_month` False: it leaves in a later month, whose
    messages nobody knows yet, so quota and cost are not judged.
    """

    matches: int
    blocked: int
    opted_out: int
    cap: int
    will_send: int
    cost: Cost
    left: int | None
    this_month: bool
    everyone: bool

    @property
    def short(self) -> int:
        """Messages that are missing this month; 0 where they suffice."""
        if not self.this_month or self.left is None:
            return 0
        return max(0, self.will_send - self.left)

    @property
    def left_after(self) -> int | None:
        """What the month still holds afterwards."""
        return None if self.left is None else max(0, self.left - self.will_send)


def ledger(audience: Any, *, now: datetime, at: datetime | None) -> Ledger:
    """The sum for an audience (a condition tree) if it left at `at`, or now."""
    shop = settings.shop()
    due_at = max(now, at) if at is not None else now
    tree = segments.parse(audience)
    condition = segments.where(tree, now=now, zone=shop.zone)
    blocked = Case(None, [(Friend.status == BLOCKED, 1)], 0)
    opted_out = Case(
        None, [((Friend.status != BLOCKED) & Friend.opted_out_at.is_null(False), 1)], 0
    )
    sums: Any = (
        Friend.select(
            fn.COUNT(Friend.id),
            fn.COALESCE(fn.SUM(blocked), 0),
            fn.COALESCE(fn.SUM(opted_out), 0),
        )
        .where(condition)
        .tuples()
        .get()
    )
    matches, blocking, stopped = map(int, sums)
    capped = 0
    cap = Cap.of(shop)
    if cap is not None:
        capped = _over_cap(tree, due_at, cap, now=now, zone=shop.zone)
    will_send = matches - blocking - stopped - capped
    meter = quota.meter(now)
    this_month = quota.month_of(due_at, shop) == quota.month_of(now, shop)
    used = meter.used + meter.reserved + meter.unknown if this_month else 0
    return Ledger(
        matches=matches,
        blocked=blocking,
        opted_out=stopped,
        cap=capped,
        will_send=will_send,
        cost=cost(will_send, used=used, shop=shop),
        left=meter.left if this_month else None,
        this_month=this_month,
        everyone=is_everyone(tree),
    )


def is_everyone(tree: Tree) -> bool:
    """Whether the audience is simply all friends."""
    return isinstance(tree, AllOf) and all(is_everyone(item) for item in tree.items)


def _over_cap(tree: Tree, due_at: datetime, cap: Cap, *, now: datetime, zone: Any) -> int:
    addressable = (Friend.status != BLOCKED) & Friend.opted_out_at.is_null()
    picked = segments.where(tree, now=now, zone=zone) & addressable
    ids = Friend.select(Friend.id).where(picked)
    return int(Friend.select(SQL("1")).where(cap_left_out(ids, due_at, cap)).count())
