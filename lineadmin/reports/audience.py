"""Who is in a segment: a sample of friends, what they carry and did, and how many blocked us.

Counted over the first friends that match (all of them, up to MOST): a figure that is a share of a
part says so. Everything here reads by friend id, so it costs what the part costs, not what the
table holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Case, fn

from lineadmin.friends import queries
from lineadmin.friends.models import BLOCKED, Friend, FriendTag, Tag
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact
from lineadmin.outbox.live import one_of
from lineadmin.purchases.models import Purchase

MOST = 10_000
SAMPLE = 6
TOP_TAGS = 6
RECENT = timedelta(days=30)
DEEDS = ("message", "link.clicked", "coupon.redeemed", "purchase")
ACTIVE_DAYS = (7, 30, 90)


@dataclass(frozen=True)
class Bought:
    """What they have bought so far, together."""

    buyers: int
    purchases: int
    amount: int  # TWD


@dataclass(frozen=True)
class Audience:
    """What is known about the friends a condition picks; every number counts within `looked_at`."""

    looked_at: int
    more: bool  # there are more than were looked at
    reachable: int  # neither blocked nor opted out
    blocked: int
    opted_out: int
    shop_block_share: float  # of all friends, to compare with
    sample: list[Friend]
    tags: list[tuple[Tag, int]]
    active: list[tuple[int, int]]  # (days, friends active within them)
    deeds: list[tuple[str, int]]  # (kind of fact, friends who did it in the last 30 days)
    bought: Bought

    def percent(self, part: int) -> int:
        """A number as a share of those looked at."""
        return round(100 * part / self.looked_at) if self.looked_at else 0

    @property
    def block_risk(self) -> str:
        """low | usual | high: their share of blocks beside the whole shop's; "" of nobody."""
        if not self.looked_at:
            return ""
        share = self.blocked / self.looked_at
        if share > 1.5 * self.shop_block_share and self.blocked >= 5:
            return "high"
        return "low" if share < 0.67 * self.shop_block_share else "usual"


def audience(condition: Any, *, now: datetime, shop_block_share: float) -> Audience:
    """Look at the friends a condition picks."""
    query = Friend.select(Friend.id).where(condition).limit(MOST + 1)
    ids = queries.ids(query)
    more, ids = len(ids) > MOST, ids[:MOST]
    among = one_of(Friend.id, ids)
    blocked, opted_out, reachable = _standing(among)
    return Audience(
        looked_at=len(ids),
        more=more,
        reachable=reachable,
        blocked=blocked,
        opted_out=opted_out,
        shop_block_share=shop_block_share,
        sample=list(
            Friend.select()
            .where(among)
            .order_by(fn.COALESCE(Friend.last_seen_at, 0).desc(), Friend.id)
            .limit(SAMPLE)
        ),
        tags=_tags(ids, now),
        active=_active(among, now),
        deeds=_deeds(ids, now),
        bought=_bought(ids),
    )


def block_share(statuses: dict[str, int]) -> float:
    """Blocked friends among all, from friends.queries.status_counts."""
    total = sum(statuses.values())
    return statuses.get(BLOCKED, 0) / total if total else 0.0


def _standing(among: Any) -> tuple[int, int, int]:
    blocked = Friend.status == BLOCKED
    out = Friend.opted_out_at.is_null(False)
    row: Any = (
        Friend.select(
            fn.SUM(Case(None, [(blocked, 1)], 0)),
            fn.SUM(Case(None, [(out, 1)], 0)),
            fn.SUM(Case(None, [(blocked | out, 0)], 1)),
        )
        .where(among)
        .tuples()
        .first()
    )
    found = [int(value or 0) for value in row or (0, 0, 0)]
    return found[0], found[1], found[2]


def _tags(ids: list[int], now: datetime) -> list[tuple[Tag, int]]:
    total = fn.COUNT(FriendTag.id)
    rows: Any = (
        FriendTag.select(FriendTag.tag, total)
        .where(one_of(FriendTag.friend, ids))
        .where(FriendTag.until.is_null() | (FriendTag.until > now))
        .group_by(FriendTag.tag)
        .order_by(total.desc(), FriendTag.tag)
        .limit(TOP_TAGS)
        .tuples()
    )
    counted = [(int(tag_id), int(count)) for tag_id, count in rows]
    known = {tag.id: tag for tag in Tag.select().where(Tag.id.in_([one for one, _n in counted]))}
    return [(known[tag_id], count) for tag_id, count in counted]


def _active(among: Any, now: datetime) -> list[tuple[int, int]]:
    return [
        (
            days,
            Friend.select()
            .where(among & (Friend.last_seen_at >= now - timedelta(days=days)))
            .count(),
        )
        for days in ACTIVE_DAYS
    ]


def _deeds(ids: list[int], now: datetime) -> list[tuple[str, int]]:
    kinds = [kind for kind in DEEDS if kind in KINDS]
    rows: Any = (
        Fact.select(Fact.kind, fn.COUNT(Fact.friend_id.distinct()))
        .where(one_of(Fact.friend_id, ids) & (Fact.at >= now - RECENT) & Fact.kind.in_(kinds))
        .group_by(Fact.kind)
        .tuples()
    )
    found = {str(kind): int(count) for kind, count in rows}
    return [(kind, found.get(kind, 0)) for kind in kinds]


def _bought(ids: list[int]) -> Bought:
    row: Any = (
        Purchase.select(
            fn.COUNT(Purchase.friend.distinct()),
            fn.COUNT(Purchase.id),
            fn.COALESCE(fn.SUM(Purchase.amount), 0),
        )
        .where(one_of(Purchase.friend, ids) & Purchase.uncounted_at.is_null())
        .tuples()
        .get()
    )
    return Bought(*map(int, row))
