"""Broadcasts on their way: planned in chunks, opened to the sender when whole, ended when done.

Each step is a short transaction that only does anything where the broadcast is still in the state
it was found in, so ticks may be lost, repeated, or run twice at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from peewee import SQL, fn

from lineadmin import segments, settings
from lineadmin.broadcasts import approval, narrow, states
from lineadmin.broadcasts.dormant import asleep, tag_them
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import without_consent
from lineadmin.broadcasts.variants import PRIORITY, content_for, held_back
from lineadmin.db import atomic, is_postgres
from lineadmin.messages.undo import take_back_coupons
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_program, cancel_waiting
from lineadmin.outbox.live import one_of
from lineadmin.outbox.models import DeliveryState, OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import CHUNK, Cap, plan_where
from lineadmin.outbox.queries import counts_by_state, has_unfinished
from lineadmin.staff import audit


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Move every broadcast on that can move; how many steps that were."""
    steps = 0
    for broadcast_id, state, narrowed in _live(now):
        if stopping():
            break
        if state == states.SCHEDULED:
            steps += _set_off(broadcast_id, now, wall)
            state = states.PLANNING
        if narrowed and state in (states.PLANNING, states.SENDING):
            steps += narrow.advance(broadcast_id, state, now, wall, stopping)
        elif state == states.PLANNING:
            while not stopping() and plan_chunk(broadcast_id, now):
                steps += 1
        elif state == states.STOPPING:
            steps += _take_back(broadcast_id, now, wall, stopping)
        if _finish(broadcast_id, now):
            steps += 1
            row = Broadcast.get_by_id(broadcast_id)
            if row.wake:
                tag_them(row, now=now, wall=wall)
    return steps


def is_due(now: datetime) -> bool:
    """Whether a broadcast leaves now, is being planned, or is being stopped."""
    found = _live(now)
    narrowed = [one for one, state, it_is in found if it_is and state == states.PLANNING]
    if narrowed and narrow.is_listing(narrowed):
        return True
    return any(state != states.SENDING for one, state, _it_is in found if one not in narrowed)


def next_moment(now: datetime) -> datetime | None:
    """When the next broadcast after `now` leaves; None where none is scheduled."""
    later = SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')") & (
        Broadcast.leaves_at > now
    )
    found: datetime | None = Broadcast.select(fn.MIN(Broadcast.leaves_at)).where(later).scalar()
    return found


def may_send(ids: set[int], now: datetime) -> set[int]:
    """Those broadcasts whose messages may leave: planned to the last friend, and not paused."""
    rows = Broadcast.select(Broadcast.id).where(
        one_of(Broadcast.id, ids)
        & (Broadcast.state == states.SENDING)
        & Broadcast.plan_whole_at.is_null(False)
    )
    return {row.id for row in rows}


def stopped(ids: set[int]) -> set[int]:
    """Those staff are stopping: they end when it is known what LINE has of them."""
    rows = Broadcast.select(Broadcast.id).where(
        one_of(Broadcast.id, ids) & (Broadcast.state == states.STOPPING)
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


def break_quiet(ids: set[int]) -> set[int]:
    """Those that may leave within the quiet hours, for a reason somebody stated."""
    rows = Broadcast.select(Broadcast.id).where(
        one_of(Broadcast.id, ids) & (Broadcast.quiet_override != "")
    )
    return {row.id for row in rows}


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
            content_for(row),
            segments.where(tree, now=now, zone=shop.zone, per_friend=True),
            after_friend_id=row.cursor,
            limit=limit,
            due_at=row.leaves_at,
            priority=PRIORITY,
            now=now,
            cap=None if row.service else Cap.of(shop),
            holdout=held_back(row.id, row.holdout_percent, now),
            asleep=asleep(row.wake),
            no_consent=without_consent(row.audience, now),
            counts_for_cap=not row.service,
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


def _live(now: datetime) -> list[tuple[int, str, bool]]:
    """Those the tick may have something to do for, and whether LINE chooses their recipients.

    By their partial index.
    """
    rows = (
        Broadcast.select(Broadcast.id, Broadcast.state, Broadcast.estimated)
        .where(
            SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')"),
            Broadcast.leaves_at <= now,
        )
        .order_by(Broadcast.leaves_at, Broadcast.id)
    )
    return [(row.id, row.state, row.estimated is not None) for row in rows]


def _set_off(broadcast_id: int, now: datetime, wall: datetime) -> int:
    """Its time has come: start planning, or ask staff where that was too long ago."""
    late = now - states.LATE_AFTER
    waiting = Broadcast.get_by_id(broadcast_id)
    if waiting.state == states.SCHEDULED and not approval.still_holds(waiting, now=now):
        approval.void(waiting, now=now, wall=wall)
        return 1
    with atomic():
        row = Broadcast.get_by_id(broadcast_id)
        scheduled = (Broadcast.id == broadcast_id) & (Broadcast.state == states.SCHEDULED)
        changed = (
            Broadcast.update(state=states.PLANNING, cursor=0, version=Broadcast.version + 1)
            .where(scheduled, Broadcast.leaves_at <= now, Broadcast.leaves_at >= late)
            .execute()
        )
        if changed:
            if row.estimated is not None:
                narrow.begin(broadcast_id)
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
        if row.estimated is not None:
            return row.state == states.STOPPING and narrow.finish_stopping(broadcast_id, now)
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
