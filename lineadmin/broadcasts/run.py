"""Broadcasts on their way: planned in chunks, opened to the sender when whole, ended when done.

Each step is a short transaction that only does anything where the broadcast is still in the state
it was found in, so ticks may be lost, repeated, or run twice at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from peewee import SQL

from lineadmin import segments, settings
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.db import atomic, is_postgres
from lineadmin.messages.undo import take_back_coupons
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_program, cancel_waiting
from lineadmin.outbox.live import one_of
from lineadmin.outbox.models import DeliveryState, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import CHUNK, Cap, plan_where
from lineadmin.outbox.queries import counts_by_state, has_unfinished
from lineadmin.segments.tree import AnyOf, Leaf
from lineadmin.staff import audit

PRIORITY = 60  # steps, at 50, go first
HOLDOUT_SALT = "holdout:broadcast"


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Move every broadcast on that can move; how many steps that were."""
    steps = 0
    for broadcast_id, state in _live(now):
        if stopping():
            break
        if state == states.SCHEDULED:
            steps += _set_off(broadcast_id, now, wall)
            state = states.PLANNING
        if state == states.PLANNING:
            while not stopping() and plan_chunk(broadcast_id, now):
                steps += 1
        elif state == states.STOPPING:
            steps += _take_back(broadcast_id, now, wall, stopping)
        if _finish(broadcast_id, now):
            steps += 1
    return steps


def is_due(now: datetime) -> bool:
    """Whether a broadcast leaves now, is being planned, or is being stopped."""
    return any(state != states.SENDING for _id, state in _live(now))


def may_send(ids: set[int], now: datetime) -> set[int]:
    """Those broadcasts whose messages may leave: planned to the last friend, and not paused."""
    rows = Broadcast.select(Broadcast.id).where(
        one_of(Broadcast.id, ids)
        & (Broadcast.state == states.SENDING)
        & Broadcast.plan_whole_at.is_null(False)
    )
    return {row.id for row in rows}


def waits(broadcast_id: int, reason: str) -> None:
    """The sender can't go on: out of messages (it waits), or LINE refuses the content (paused)."""
    if reason == reasons.REFUSED:
        Broadcast.update(
            state=states.PAUSED, pause_reason=reason, version=Broadcast.version + 1
        ).where(Broadcast.id == broadcast_id, Broadcast.state == states.SENDING).execute()
    else:
        Broadcast.update(pause_reason=reason).where(
            Broadcast.id == broadcast_id,
            Broadcast.state == states.SENDING,
            Broadcast.pause_reason != reason,
        ).execute()


def goes_on(broadcast_id: int) -> None:
    """Its messages are being packed again."""
    Broadcast.update(pause_reason="").where(
        Broadcast.id == broadcast_id, Broadcast.pause_reason == reasons.QUOTA
    ).execute()


def plan_chunk(broadcast_id: int, now: datetime, limit: int = CHUNK) -> bool:
    """Plan the next friends in one transaction; False when the plan is whole or not wanted."""
    with atomic():
        query = Broadcast.select().where(
            Broadcast.id == broadcast_id, Broadcast.state == states.PLANNING
        )
        row = (query.for_update() if is_postgres() else query).first()
        if row is None:
            return False
        shop = settings.shop()
        tree = segments.parse(row.audience)
        planned = plan_where(
            Origin(OriginKind.BROADCAST, row.id),
            row.content_id,
            segments.where(tree, now=now, zone=shop.zone, per_friend=True),
            after_friend_id=row.cursor,
            limit=limit,
            due_at=row.leaves_at,
            priority=PRIORITY,
            now=now,
            cap=Cap.of(shop),
            holdout=_holdout(row, now),
        )
        if planned.last_friend_id is None:
            change = {"state": states.SENDING, "plan_whole_at": now}
        else:
            change = {"cursor": planned.last_friend_id}
        Broadcast.update(**change).where(
            Broadcast.id == broadcast_id,
            Broadcast.state == states.PLANNING,
            Broadcast.cursor == row.cursor,
        ).execute()
    return planned.last_friend_id is not None


def _live(now: datetime) -> list[tuple[int, str]]:
    """Those the tick may have something to do for, by their partial index."""
    rows = (
        Broadcast.select(Broadcast.id, Broadcast.state)
        .where(
            SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')"),
            Broadcast.leaves_at <= now,
        )
        .order_by(Broadcast.leaves_at, Broadcast.id)
    )
    return [(row.id, row.state) for row in rows]


def _set_off(broadcast_id: int, now: datetime, wall: datetime) -> int:
    """Its time has come: start planning, or ask staff where that was too long ago."""
    late = now - states.LATE_AFTER
    with atomic():
        row = Broadcast.get_by_id(broadcast_id)
        scheduled = (Broadcast.id == broadcast_id) & (Broadcast.state == states.SCHEDULED)
        changed = (
            Broadcast.update(state=states.PLANNING, cursor=0, version=Broadcast.version + 1)
            .where(scheduled, Broadcast.leaves_at <= now, Broadcast.leaves_at >= late)
            .execute()
        )
        if changed:
            return 1
        changed = (
            Broadcast.update(state=states.LATE, version=Broadcast.version + 1)
            .where(scheduled, Broadcast.leaves_at < late)
            .execute()
        )
        if changed:
            audit.record(
                None,
                "broadcast.late",
                "broadcast",
                broadcast_id,
                row.name,
                {"state": states.SCHEDULED},
                {"state": states.LATE},
                wall=wall,
            )
        return int(changed)


def _take_back(
    broadcast_id: int, now: datetime, wall: datetime, stopping: Callable[[], bool]
) -> int:
    """Cancel what has not left: chunk by chunk what waits, then what is packed but untried."""
    steps = 0
    while not stopping() and cancel_waiting(OriginKind.BROADCAST, broadcast_id, now=now):
        steps += 1
    if not stopping():
        steps += bool(
            cancel_program(
                OriginKind.BROADCAST,
                broadcast_id,
                now=now,
                wall=wall,
                undone=take_back_coupons,
            )
        )
    return steps


def _finish(broadcast_id: int, now: datetime) -> bool:
    """Whoever has nothing more to come is done: sent, or canceled where it was stopped."""
    with atomic():
        row = Broadcast.get_by_id(broadcast_id)
        if row.state not in (states.SENDING, states.STOPPING):
            return False
        if has_unfinished(OriginKind.BROADCAST, broadcast_id):
            return False
        ended = states.SENT if row.state == states.SENDING else states.CANCELED
        counted = counts_by_state(OriginKind.BROADCAST, [broadcast_id]).get(broadcast_id, {})
        return bool(
            Broadcast.update(
                state=ended,
                finished_at=now,
                sent_count=counted.get(DeliveryState.SENT, 0),
                pause_reason="",
                version=Broadcast.version + 1,
            )
            .where(Broadcast.id == broadcast_id, Broadcast.state == row.state)
            .execute()
        )


def _holdout(row: Broadcast, now: datetime):  # type: ignore[no-untyped-def]
    """The friends who get nothing, for comparison; None where the broadcast has no such group."""
    if not row.holdout_percent:
        return None
    leaf = Leaf("sample", "is", row.holdout_percent, salt=f"{HOLDOUT_SALT}:{row.id}")
    return segments.where(AnyOf((leaf,)), now=now, zone=settings.shop_zone())
