"""Tags that a friend gets for something she does, for a while, and anew when she does it again."""

from __future__ import annotations

from datetime import datetime

from lineadmin import journal
from lineadmin.db import atomic
from lineadmin.friends.models import FriendTag, Tag
from lineadmin.friends.tags import add_tag


def keep_tag(
    friend_id: int, tag_id: int, *, at: datetime, by_kind: str, by_id: int, until: datetime | None
) -> None:
    """Tag her until then. A tag she has already lasts longer; one that has run out begins anew.

    Nothing happens where the tag was deleted or put away meanwhile.
    """
    with atomic():
        if not Tag.select().where(Tag.id == tag_id, Tag.archived_at.is_null()).exists():
            return
        if add_tag(friend_id, tag_id, at=at, by_kind=by_kind, by_id=by_id, until=until):
            return
        hers = (FriendTag.friend == friend_id) & (FriendTag.tag == tag_id)
        again = (
            FriendTag.update(at=at, by_kind=by_kind, by_id=by_id, until=until)
            .where(hers & (FriendTag.until <= at))
            .execute()
        )
        if again:
            journal.record(friend_id, "tag.added", object_id=tag_id, value={"by": by_kind}, at=at)
            return
        longer = hers & FriendTag.until.is_null(False)
        if until is not None:
            longer &= FriendTag.until < until
        FriendTag.update(until=until).where(longer).execute()
