"""What came of each source: visits, friends, blocks and redemptions, all in a few questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from lineadmin.coupons.models import CouponIssue
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.outbox.live import rows
from lineadmin.tracking.models import EntryVisit


@dataclass(frozen=True)
class Funnel:
    """The numbers of one source, over all time."""

    visits: int = 0
    friends: int = 0  # everybody who came from here
    blocked: int = 0  # of them, as it stands now
    redeemers: int = 0  # of them, who used a coupon at least once

    def percent(self, part: int, whole: int) -> int | None:
        """A share; None of nothing."""
        return round(100 * part / whole) if whole else None


def funnels() -> Mapping[int, Funnel]:
    """The funnel of every source that has one, by the source's id; 0 stands for no source."""
    visits = dict(
        rows(
            EntryVisit.select(EntryVisit.source_id, fn.COUNT(EntryVisit.id)).group_by(
                EntryVisit.source_id
            )
        )
    )
    # Apart: grouping a million rows by two columns takes longer than reading them twice.
    friends = dict(rows(_by_source()))
    blocked = dict(rows(_by_source().where(Friend.status == BLOCKED)))
    redeemers = dict(
        rows(
            CouponIssue.select(Friend.source, fn.COUNT(CouponIssue.friend_id.distinct()))
            .join(Friend, on=(Friend.id == CouponIssue.friend_id))
            .where(CouponIssue.redeemed_at.is_null(False), Friend.source.is_null(False))
            .group_by(Friend.source)
        )
    )
    return {
        source_id: Funnel(
            visits.get(source_id, 0),
            friends.get(source_id, 0),
            blocked.get(source_id, 0),
            redeemers.get(source_id, 0),
        )
        for source_id in visits.keys() | friends.keys()
    }


def _by_source() -> Any:
    known = Friend.source.is_null(False)
    return Friend.select(Friend.source, fn.COUNT(Friend.id)).where(known).group_by(Friend.source)


def without_source() -> int:
    """Friends nobody knows the source of."""
    return int(Friend.select().where(Friend.source.is_null()).count())
