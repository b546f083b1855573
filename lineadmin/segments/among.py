"""Which of a few friends fit a condition: for coupons that are not for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lineadmin import settings
from lineadmin.friends import queries
from lineadmin.friends.models import Friend
from lineadmin.segments.compile import where
from lineadmin.segments.tree import TreeError


def fitting(tree: dict[str, Any], friend_ids: Sequence[int], now: datetime) -> set[int]:
    """Those of at most a few hundred friends who fit; nobody where the condition makes no sense
    any more."""
    try:
        condition = where(tree, now=now, zone=settings.shop_zone(), per_friend=True)
    except TreeError:
        return set()
    return set(
        queries.ids(Friend.select(Friend.id).where(Friend.id.in_(list(friend_ids)), condition))
    )
