"""Learning of friends and following their coming and going.

LINE may send events twice, late and out of order, so `status` moves only when the event's own
timestamp is not older than that of the event which set it: each change is one conditional update.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import journal
from lineadmin.db import insert_ignore
from lineadmin.friends.models import BLOCKED, FRIEND, Friend


@dataclass(frozen=True)
class Follow:
    """What a follow event meant.

    `current`: she has not blocked us again since. `first`: the shop never saw her follow before
    and LINE does not call it an unblocking, so the first greeting is hers.
    """

    current: bool
    first: bool


def learn_friend(
    line_user_id: str, *, at: datetime, wall: datetime, fetch_profile: bool = True
) -> Friend:
    """The friend with this LINE user id, new where the shop had never heard of her.

    `at` is shop time; a new friend's profile is asked for in the background from `wall` on.
    """
    friend: Friend | None = Friend.get_or_none(Friend.line_user_id == line_user_id)
    if friend is None:
        insert_ignore(
            Friend.insert(
                line_user_id=line_user_id,
                first_seen_at=at,
                profile_due_at=wall if fetch_profile else None,
            )
        )
        friend = Friend.get(Friend.line_user_id == line_user_id)
    return friend


def seen(friend_id: int, *, at: datetime) -> bool:
    """Note a sign of life at shop time `at`; False where a later one is known."""
    older = Friend.last_seen_at.is_null() | (Friend.last_seen_at < at)
    return bool(Friend.update(last_seen_at=at).where((Friend.id == friend_id) & older).execute())


def became_friend(friend_id: int, *, event_at: datetime) -> bool:
    """A message or a tap proves that she is a friend; False where a later event says otherwise."""
    return _set_status(friend_id, FRIEND, event_at, {})


def follow(
    friend_id: int, *, event_at: datetime, at: datetime, wall: datetime, is_unblocked: bool
) -> Follow:
    """She added the account, for the first time or again.

    `event_at` is LINE's timestamp, which decides between events; `at` the same moment in shop time.
    The fact is `followed` once in a friend's life and `unblocked` from then on.
    """
    never_before = bool(
        Friend.update(first_followed_at=at)
        .where((Friend.id == friend_id) & Friend.first_followed_at.is_null())
        .execute()
    )
    first = never_before and not is_unblocked
    # Names and pictures change while people are away.
    current = _set_status(
        friend_id,
        FRIEND,
        event_at,
        {"followed_at": at, "blocked_at": None, "profile_due_at": wall, "profile_tries": 0},
    )
    kind = "followed" if first else "unblocked"
    journal.record(friend_id, kind, value={"is_unblocked": is_unblocked}, at=at)
    return Follow(current=current, first=first)


def unfollow(friend_id: int, *, event_at: datetime, at: datetime) -> bool:
    """She blocked the account; False where she has come back since. The fact is kept either way."""
    current = _set_status(friend_id, BLOCKED, event_at, {"blocked_at": at, "profile_due_at": None})
    journal.record(friend_id, "blocked", at=at)
    return current


def _set_status(friend_id: int, status: str, event_at: datetime, changes: dict[str, Any]) -> bool:
    return bool(
        Friend.update(status=status, status_at=event_at, **changes)
        .where((Friend.id == friend_id) & (Friend.status_at <= event_at))
        .execute()
    )
