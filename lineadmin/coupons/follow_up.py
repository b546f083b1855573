"""What a redemption brings with it: tags at once, a message once it can no longer be undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from lineadmin.coupons.models import Coupon, Redemption
from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.outbox.cancel import cancel_for_friends
from lineadmin.outbox.models import Content, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import queue_one
from lineadmin.outbox.reasons import CANCELED

UNDO_WINDOW = timedelta(minutes=10)
STAYS_FRESH = timedelta(hours=24)
PRIORITY = 20
BY_COUPON = "coupon"

# What rooms beside this one do with a redemption, and with one that is undone.
Follower = Callable[[Any, datetime], None]
_followers: dict[str, tuple[Follower, Follower]] = {}


def register(name: str, follow: Follower, undo: Follower) -> None:
    """Have `follow` told of every redemption and `undo` of those undone, in their transactions."""
    _followers[name] = (follow, undo)


def follow(redemption: Redemption, coupon: Coupon, *, now: datetime) -> None:
    """Tag the friend and queue the message, in the transaction of the redemption.

    The message counts as one of the month: no reply token is at hand at the counter.
    """
    for told, _undo in _followers.values():
        told(redemption, now)
    for tag in Tag.select().where(Tag.id.in_(coupon.after_tags or []), Tag.archived_at.is_null()):
        tags.add_tag(redemption.friend_id, tag.id, at=now, by_kind=BY_COUPON, by_id=redemption.id)
    if coupon.after_content_id is None or not _wants_messages(redemption.friend_id):
        return
    queue_one(
        redemption.friend_id,
        Origin(OriginKind.THANKS, coupon.id, redemption.id),
        Content.get_by_id(coupon.after_content_id),
        due_at=now + UNDO_WINDOW,
        expires_at=now + UNDO_WINDOW + STAYS_FRESH,
        priority=PRIORITY,
        now=now,
    )


def take_back(redemption: Redemption, *, now: datetime) -> None:
    """Undo what followed: the tags this very redemption set, and the message that waits."""
    for _follow, undone in _followers.values():
        undone(redemption, now)
    mine = FriendTag.select().where(
        FriendTag.friend == redemption.friend_id,
        FriendTag.by_kind == BY_COUPON,
        FriendTag.by_id == redemption.id,
    )
    for row in list(mine):
        tags.remove_tag(redemption.friend_id, row.tag_id, at=now, by_kind=BY_COUPON)
    cancel_for_friends(
        OriginKind.THANKS,
        redemption.coupon_id,
        [redemption.friend_id],
        run=redemption.id,
        reason=CANCELED,
        now=now,
    )


def _wants_messages(friend_id: int) -> bool:
    return Friend.select().where(Friend.id == friend_id, Friend.opted_out_at.is_null()).exists()
