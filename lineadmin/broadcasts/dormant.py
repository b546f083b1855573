"""Wake-up messages stop for friends who never answer: after so many, they are let sleep.

A try counts while the friend has done nothing since: any sign of life starts the count anew, and
takes the tag off that says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin import settings
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.i18n import _l, use_locale
from lineadmin.outbox import reasons
from lineadmin.outbox.live import literal, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind

TAG = _l("Dormant")


def asleep(row_is_wake: bool) -> Any:
    """The friends a wake-up message leaves alone, as a condition; None for any other message."""
    tries = settings.shop().wake_tries
    if not row_is_wake or not tries:
        return None
    unanswered = Delivery.select(fn.COUNT(Delivery.id)).where(
        Delivery.friend_id == Friend.id,
        Delivery.origin_kind == int(OriginKind.BROADCAST),
        Delivery.origin_id.in_(Broadcast.select(Broadcast.id).where(Broadcast.wake)),
        Delivery.state == literal(DeliveryState.SENT),
        Delivery.done_at > fn.COALESCE(Friend.last_seen_at, 0),
    )
    return unanswered >= tries


def tag_them(row: Broadcast, *, now: datetime, wall: datetime) -> int:
    """Tag those it left alone, so that staff find them; how many got the tag newly."""
    left_alone = Delivery.select(Delivery.friend_id).where(
        Delivery.origin_kind == int(OriginKind.BROADCAST),
        Delivery.origin_id == row.id,
        Delivery.state == literal(DeliveryState.SKIPPED),
        Delivery.reason == reasons.DORMANT,
    )
    if not left_alone.exists():
        return 0
    name = _tag_name()
    tags.ensure_tags([name], staff=None, now=now, wall=wall)
    tag = Tag.get(Tag.name == name)
    whom = Friend.id.in_(left_alone)
    return tags.add_tag_many(whom, tag.id, at=now, by_kind="rule", by_id=row.id)


def let_go(now: datetime) -> int:
    """Take the tag off everybody who has shown a sign of life since; how many that were.

    Only where we set it ourselves. That she had it stays in her history.
    """
    tag = Tag.get_or_none(Tag.name == _tag_name())
    if tag is None:
        return 0
    awake = (
        FriendTag.select(FriendTag.friend)
        .join(Friend)
        .where(
            FriendTag.tag == tag.id,
            FriendTag.by_kind == "rule",
            Friend.last_seen_at > FriendTag.at,
        )
    )
    return tags.remove_tag_many(
        [friend_id for (friend_id,) in rows(awake)], tag.id, at=now, by_kind="rule"
    )


def _tag_name() -> str:
    with use_locale("zh_Hant_TW"):
        return str(TAG)
