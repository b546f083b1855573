"""Learning of everybody who is a friend already, where LINE lets the account ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lineadmin.db import atomic, insert_ignore
from lineadmin.friends.models import FRIEND, UNKNOWN, Friend
from lineadmin.line.answers import FollowerPage
from lineadmin.line.errors import LineAuthFailed
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 500


class FollowerSource(Protocol):
    """The part of the gateway that lists followers."""

    def followers_ids(self, start: str | None = None) -> FollowerPage:
        """One page of friends' ids.

        :raises LineError: it did not work
        """
        ...


@dataclass(frozen=True)
class FollowersResult:
    """`allowed` is False where LINE answered 403: the account is neither verified nor premium."""

    allowed: bool
    seen: int = 0
    new: int = 0


def import_followers(
    gateway: FollowerSource, *, staff: Staff | None, now: datetime, wall: datetime
) -> FollowersResult:
    """Add every friend LINE lists. Their names follow in the background.

    Somebody whose status nobody knows becomes a friend; somebody who blocked us after the list was
    made stays blocked, since an event tells more than a list.

    :raises LineError: LINE could not be asked; what was added before stays
    """
    seen = new = 0
    start: str | None = None
    while True:
        try:
            page = gateway.followers_ids(start)
        except LineAuthFailed as error:
            if error.status == 403:
                return FollowersResult(allowed=False, seen=seen, new=new)
            raise
        for first in range(0, len(page.user_ids), CHUNK):
            new += _add(page.user_ids[first : first + CHUNK], now, wall)
        seen += len(page.user_ids)
        start = page.next
        if start is None:
            break
    with atomic():
        after = {"rows": seen, "count": new}
        audit.record(staff, "friend.import", "friend", 0, "followers/ids", None, after, wall=wall)
    return FollowersResult(allowed=True, seen=seen, new=new)


def _add(user_ids: tuple[str, ...], now: datetime, wall: datetime) -> int:
    rows: list[dict[str, Any]] = [
        {
            "line_user_id": user_id,
            "status": FRIEND,
            "first_seen_at": now,
            "profile_due_at": wall,
        }
        for user_id in user_ids
    ]
    with atomic():
        new = insert_ignore(Friend.insert_many(rows))
        Friend.update(status=FRIEND).where(
            Friend.line_user_id.in_(user_ids), Friend.status == UNKNOWN
        ).execute()
    return new
