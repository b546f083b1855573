"""Rows for tests: friends with names, and one member of staff per role."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from lineadmin.friends.models import FRIEND, Friend, FriendTag, Tag
from lineadmin.staff.models import Staff

LONG_AGO = datetime(2026, 1, 5, 4, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def make_friend(name: str = "小明", *, tags: tuple[str, ...] = (), **fields: Any) -> Friend:
    """A friend of the shop, followed long ago."""
    number = next(_numbers)
    fields.setdefault("line_user_id", f"U{number:032x}")
    fields.setdefault("status", FRIEND)
    fields.setdefault("followed_at", LONG_AGO)
    fields.setdefault("first_seen_at", LONG_AGO)
    fields.setdefault("last_seen_at", LONG_AGO)
    friend = Friend.create(display_name=name, **fields)
    for tag in tags:
        row, _created = Tag.get_or_create(name=tag, defaults={"created_at": LONG_AGO})
        FriendTag.create(friend=friend, tag=row, at=LONG_AGO)
    return friend


def make_friends(count: int, **fields: Any) -> list[int]:
    """Many friends at once; answers their ids."""
    first = next(_numbers)
    for _ in range(count):
        next(_numbers)
    rows = [
        {
            "line_user_id": f"U{first + index:032x}",
            "display_name": f"好友 {index}",
            "status": FRIEND,
            "followed_at": LONG_AGO,
            "first_seen_at": LONG_AGO,
            "last_seen_at": LONG_AGO,
            **fields,
        }
        for index in range(count)
    ]
    for start in range(0, count, 500):
        Friend.insert_many(rows[start : start + 500]).execute()
    wanted = [row["line_user_id"] for row in rows]
    return [
        friend.id
        for start in range(0, count, 500)
        for friend in Friend.select(Friend.id)
        .where(Friend.line_user_id.in_(wanted[start : start + 500]))
        .order_by(Friend.id)
    ]


def make_staff(role: str = "owner", **fields: Any) -> Staff:
    """Somebody who may sign in (without a usable password unless one is given as a hash)."""
    number = next(_numbers)
    fields.setdefault("email", f"{role}{number}@example.com")
    fields.setdefault("name", {"owner": "小美", "viewer": "阿文"}.get(role, "阿德"))
    fields.setdefault("password_hash", "!")
    fields.setdefault("created_at", LONG_AGO)
    return Staff.create(role=role, **fields)
