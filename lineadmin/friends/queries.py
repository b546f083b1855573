"""Finding friends: conditions for lists and bulk actions that stay fast at a million rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Expression, ModelSelect, fn

from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Friend, FriendTag, Tag
from lineadmin.i18n import _l
from lineadmin.line.limits import USER_ID_PATTERN

COUNT_LIMIT = 10_000
_USER_ID = re.compile(USER_ID_PATTERN)

STATUSES: dict[str, Any] = {
    FRIEND: _l("friend"),
    BLOCKED: _l("blocked"),
    UNKNOWN: _l("not heard of yet"),
}


@dataclass(frozen=True)
class FriendFilter:
    """Which friends a list shows; everything left out filters nothing."""

    search: str = ""
    tag_id: int | None = None
    status: str = ""
    source_id: int | None = None  # 0: those whose source nobody knows
    opted_out: bool | None = None

    def where(self) -> Expression:
        """The condition on Friend."""
        found = Friend.id > 0
        for condition in self._conditions():
            found &= condition
        return found

    def _conditions(self) -> list[Expression]:
        conditions: list[Expression] = []
        if self.search.strip():
            conditions.append(named(self.search))
        if self.tag_id is not None:
            conditions.append(tagged(self.tag_id))
        if self.status:
            conditions.append(Friend.status == self.status)
        if self.source_id is not None:
            conditions.append(
                Friend.source.is_null() if not self.source_id else Friend.source == self.source_id
            )
        if self.opted_out is not None:
            conditions.append(Friend.opted_out_at.is_null(not self.opted_out))
        return conditions


def named(text: str) -> Expression:
    """Friends whose name contains every word of `text`; or the one with this LINE user ID."""
    words = text.split()
    if len(words) == 1 and _USER_ID.fullmatch(words[0]):
        return Friend.line_user_id == words[0]
    # The names stand in an index of their own: scanning that is far cheaper than the table.
    inner = Friend.alias()
    matching = inner.select(inner.id)
    for word in words:
        matching = matching.where(inner.display_name.contains(word))
    return Friend.id.in_(matching)


def tagged(tag_id: int) -> Expression:
    """Friends who carry a tag."""
    return Friend.id.in_(FriendTag.select(FriendTag.friend).where(FriendTag.tag == tag_id))


def bounded_count(where: Expression, limit: int = COUNT_LIMIT) -> int:
    """How many friends, exact up to `limit`; limit + 1 stands for more."""
    inside = Friend.select(Friend.id).where(where).limit(limit + 1)
    return int(ModelSelect(inside, [fn.COUNT(1)]).scalar() or 0)


def tags_of(friend_ids: Collection[int]) -> dict[int, list[Tag]]:
    """The tags of some friends (a page of a list), by name, in one query."""
    found: dict[int, list[Tag]] = defaultdict(list)
    rows = (
        FriendTag.select(FriendTag, Tag)
        .join(Tag)
        .where(FriendTag.friend.in_(list(friend_ids)))
        .order_by(Tag.name)
    )
    for row in rows:
        found[row.friend_id].append(row.tag)
    return found


def tag_counts(tag_ids: Collection[int], limit: int = COUNT_LIMIT) -> dict[int, int]:
    """How many friends carry each tag, each exact up to `limit`."""
    return {
        tag_id: FriendTag.select(FriendTag.id)
        .where(FriendTag.tag == tag_id)
        .limit(limit + 1)
        .count(clear_limit=False)
        for tag_id in tag_ids
    }


def names_of(friend_ids: Collection[int]) -> Mapping[int, str]:
    """Display names by id, for lists of other things."""
    rows = Friend.select(Friend.id, Friend.display_name).where(Friend.id.in_(list(friend_ids)))
    return {row.id: row.display_name for row in rows}


def status_counts() -> dict[str, int]:
    """How many friends have each status: a walk along one index."""
    rows: Any = Friend.select(Friend.status, fn.COUNT(1)).group_by(Friend.status).tuples()
    return dict.fromkeys(STATUSES, 0) | dict(rows)


def all_tags() -> list[Tag]:
    """Tags in use, by name."""
    return list(Tag.select().where(Tag.archived_at.is_null()).order_by(Tag.name))


def joined_since(moment: datetime) -> Expression:
    """Friends who (last) followed at or after a moment."""
    return Friend.followed_at >= moment


def ids(query: Any) -> list[int]:
    """The first column of a query, as a list."""
    rows: Any = query.tuples()
    return [row[0] for row in rows]
