"""Purchases name friends by their member numbers too: this room tells whose they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lineadmin.members.models import Member
from lineadmin.purchases import known_by


def bound_to(numbers: Collection[str]) -> list[tuple[str, int]]:
    """(member number, friend id) of the members that are bound to a friend."""
    rows: Any = Member.select(Member.number, Member.friend).where(
        Member.number.in_(list(numbers)), Member.friend.is_null(False)
    )
    return [(str(number), int(friend_id)) for number, friend_id in rows.tuples()]


known_by.register(known_by.MEMBER_NO, bound_to)
