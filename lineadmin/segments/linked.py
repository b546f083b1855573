"""Rows that belong to a friend (tags, facts, coupons), asked about in two ways."""

from __future__ import annotations

from typing import Any

from peewee import fn

from lineadmin.friends.models import Friend
from lineadmin.segments.fields import Condition, Context


def has(friend_column: Any, test: Any, context: Context, *, at_least: int = 1) -> Condition:
    """True for friends who own that many rows passing `test`; `friend_column` names the owner."""
    model = friend_column.model
    if context.per_friend:
        mine = model.select(fn.COUNT(model.id)).where(test & (friend_column == Friend.id))
        if at_least > 1:
            return mine >= at_least
        found = model.select(model.id).where(test & (friend_column == Friend.id))
        return fn.EXISTS(found)
    owners = model.select(friend_column).where(test)
    if at_least > 1:
        owners = owners.group_by(friend_column).having(fn.COUNT(model.id) >= at_least)
    return Friend.id.in_(owners)
