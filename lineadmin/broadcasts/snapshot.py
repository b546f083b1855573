"""Whom a broadcast was about when it was confirmed, packed into a few bytes a friend."""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from typing import Any

from lineadmin import segments, settings
from lineadmin.broadcasts.dormant import asleep
from lineadmin.broadcasts.models import Broadcast, BroadcastSnapshot
from lineadmin.broadcasts.topic import without_consent
from lineadmin.broadcasts.variants import PRIORITY, held_back
from lineadmin.friends.models import Friend
from lineadmin.outbox.live import rows
from lineadmin.outbox.plan import Cap, fate

MOST = 200_000  # above that the report compares numbers, not people


def take(row: Broadcast, *, now: datetime) -> bytes:
    """Every friend the audience picks now, by what would become of her; "" = she would get it."""
    tree = segments.parse(row.audience)
    picked = segments.where(tree, now=now, zone=settings.shop_zone())
    due_at = now if row.at is None else max(row.at, now)
    fates = fate(
        due_at,
        cap=None if row.service else Cap.of(settings.shop()),
        holdout=held_back(row.id, row.holdout_percent, now),
        asleep=asleep(row.wake),
        no_consent=without_consent(row.audience, due_at),
        priority=PRIORITY,
    )
    found: dict[str, list[int]] = {}
    query = Friend.select(Friend.id, fates).where(picked).order_by(Friend.id).limit(MOST + 1)
    before: dict[str, int] = {}
    for friend_id, reason in rows(query):
        found.setdefault(reason, []).append(friend_id - before.get(reason, 0))
        before[reason] = friend_id
    return zlib.compress(json.dumps(found, separators=(",", ":")).encode())


def keep(broadcast_id: int, packed: bytes | None) -> None:
    """Store it in place of an earlier one; None forgets."""
    BroadcastSnapshot.delete().where(BroadcastSnapshot.broadcast_id == broadcast_id).execute()
    if packed is not None:
        BroadcastSnapshot.insert(broadcast_id=broadcast_id, friends=packed).execute()


def read(broadcast_id: int) -> dict[int, str] | None:
    """{friend id: reason she would have been left out, or ""}; None where nobody wrote it down."""
    row = BroadcastSnapshot.get_or_none(BroadcastSnapshot.broadcast_id == broadcast_id)
    if row is None:
        return None
    packed: dict[str, list[Any]] = json.loads(zlib.decompress(bytes(row.friends)))
    found: dict[int, str] = {}
    for reason, steps in packed.items():
        friend_id = 0
        for step in steps:
            friend_id += step
            found[friend_id] = reason
    return found
