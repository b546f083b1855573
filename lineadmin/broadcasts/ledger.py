"""Before sending: how many match, who is left out and why, what it costs, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from lineadmin import segments, settings
from lineadmin.broadcasts.dormant import asleep
from lineadmin.broadcasts.topic import without_consent
from lineadmin.broadcasts.variants import PRIORITY, held_back
from lineadmin.db import to_ms
from lineadmin.friends.models import Friend
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.plan import Cap, fate
from lineadmin.segments.tree import AllOf, Tree
from lineadmin.settings.cost import Cost, cost


@dataclass(frozen=True)
class Ledger:
    """The sum staff check: matches − blocked − opted out − no consent − dormant − holdout − cap =
    will_send.

    `left` is what broadcasts may still use this month, without the `reserve` that is kept from
    them; None: no monthly limit is known. `this_month` False: it leaves in a later month, whose
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
    dormant: int = 0
    holdout: int = 0
    reserve: int = 0
    no_consent: int = 0
    beyond: int = 0  # more than it may reach, or than the month has left
    at_most: bool = False  # LINE chooses: every number of people is an upper bound

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

    def as_data(self, now: datetime) -> dict[str, Any]:
        """The sum as it is kept with a broadcast, to compare with what came of it."""
        return {
            "at": to_ms(now),
            "matches": self.matches,
            reasons.BLOCKED: self.blocked,
            reasons.OPTED_OUT: self.opted_out,
            reasons.NO_CONSENT: self.no_consent,
            reasons.DORMANT: self.dormant,
            reasons.HOLDOUT: self.holdout,
            reasons.CAP: self.cap,
            "will_send": self.will_send,
            "over": self.cost.over,
            "twd": self.cost.twd,
        }


def ledger(
    audience: Any,
    *,
    now: datetime,
    at: datetime | None,
    broadcast_id: int = 0,
    holdout_percent: int = 0,
    service: bool = False,
    wake: bool = False,
) -> Ledger:
    """The sum for an audience (a condition tree) if it left at `at`, or now.

    It asks exactly what the plan will ask. `broadcast_id` 0 (a draft that is not saved yet) makes
    the comparison group another one of the same size.
    """
    shop = settings.shop()
    due_at = max(now, at) if at is not None else now
    tree = segments.parse(audience)
    fates = fate(
        due_at,
        cap=None if service else Cap.of(shop),
        holdout=held_back(broadcast_id, holdout_percent, now),
        asleep=asleep(wake),
        no_consent=without_consent(audience, due_at),
        priority=PRIORITY,
    )
    query = (
        Friend.select(fates.alias("fate"), fn.COUNT(Friend.id))
        .where(segments.where(tree, now=now, zone=shop.zone))
        .group_by(SQL("fate"))
    )
    counted: dict[str, int] = dict(rows(query))
    will_send = counted.get("", 0)
    meter = quota.meter(now)
    this_month = quota.month_of(due_at, shop) == quota.month_of(now, shop)
    keep = quota.kept_from(OriginKind.BROADCAST, shop)
    return Ledger(
        matches=sum(counted.values()),
        blocked=counted.get(reasons.BLOCKED, 0),
        opted_out=counted.get(reasons.OPTED_OUT, 0),
        no_consent=counted.get(reasons.NO_CONSENT, 0),
        dormant=counted.get(reasons.DORMANT, 0),
        holdout=counted.get(reasons.HOLDOUT, 0),
        cap=counted.get(reasons.CAP, 0),
        will_send=will_send,
        cost=cost(will_send, used=meter.taken if this_month else 0, shop=shop),
        left=quota.remaining(now, keep=keep) if this_month else None,
        this_month=this_month,
        everyone=is_everyone(tree),
        reserve=keep if meter.limit is not None else 0,
    )


def is_everyone(tree: Tree) -> bool:
    """Whether the audience is simply all friends."""
    return isinstance(tree, AllOf) and all(is_everyone(item) for item in tree.items)
