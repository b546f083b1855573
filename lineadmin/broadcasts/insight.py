"""What is learned of a broadcast afterwards: LINE's own numbers, and the final count of blocks.

LINE counts by aggregation unit and by days of its own calendar; what fewer than 20 people did it
does not tell. A message's numbers move for 14 days, so they are read until those are over.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from lineadmin.broadcasts.models import Broadcast, LineInsight, Narrowcast
from lineadmin.broadcasts.states import SENT, STARTED
from lineadmin.db import atomic
from lineadmin.line.errors import LineError, LineRefused
from lineadmin.line.gateway import LINE_CALENDAR, Gateway
from lineadmin.outbox.models import OriginKind
from lineadmin.tracking import units

MOVING = timedelta(days=14)
READ_EVERY = timedelta(hours=6)
AT_ONCE = 20  # LINE answers 60 an hour

logger = logging.getLogger(__name__)


def read_due(gateway: Gateway, *, now: datetime, wall: datetime) -> int:
    """Ask LINE about every broadcast of the last two weeks; how many answers there were."""
    read = 0
    for row in _due(now, wall):
        first = row.leaves_at.astimezone(LINE_CALENDAR).date()
        last = min(now.astimezone(LINE_CALENDAR).date(), first + MOVING)
        unit = units.name_of(OriginKind.BROADCAST, row.id)
        request_id = _request_of(row.id) if row.estimated is not None else None
        if unit is None and not request_id:
            continue
        try:
            if request_id:
                answer = gateway.message_statistics(request_id)
            else:
                answer = gateway.unit_statistics(unit or "", first, last)
        except LineRefused as error:
            # Of this one only: the older ones behind it have their turn, and it waits as they do.
            logger.info("LINE has no numbers of broadcast %s: %s", row.id, error)
            known = of(row.id)
            _keep(row.id, None if known is None else known.answer, first, last, wall)
            continue
        except LineError as error:
            logger.info("LINE's numbers of broadcast %s could not be read: %s", row.id, error)
            break
        _keep(row.id, answer, first, last, wall)
        read += 1
    return read


def _request_of(broadcast_id: int) -> str | None:
    """What LINE knows a broadcast by whose recipients it chose."""
    row = Narrowcast.get_or_none(Narrowcast.broadcast_id == broadcast_id)
    return None if row is None else row.request_id


def of(broadcast_id: int) -> LineInsight | None:
    """What LINE last said; None where it was not asked yet."""
    row: LineInsight | None = LineInsight.get_or_none(LineInsight.broadcast_id == broadcast_id)
    return row


def blocks_due(now: datetime, limit: int = 50) -> list[Broadcast]:
    """Broadcasts whose 48 hours are over and whose blocks are not written down yet."""
    over = now - timedelta(hours=48)
    query = Broadcast.select().where(
        Broadcast.state == SENT,
        Broadcast.finished_at < over,
        Broadcast.blocks_48.is_null(),
        Broadcast.estimated.is_null(),  # nobody knows who got those, so not who blocked after them
    )
    return list(query.order_by(Broadcast.id).limit(limit))


def keep_blocks(broadcast_id: int, within_24: int, within_48: int) -> None:
    """Write the final counts down: later broadcasts are measured against them."""
    Broadcast.update(blocks_24=within_24, blocks_48=within_48).where(
        Broadcast.id == broadcast_id
    ).execute()


def _due(now: datetime, wall: datetime) -> list[Broadcast]:
    fresh = LineInsight.select(LineInsight.broadcast_id).where(
        LineInsight.read_at > wall - READ_EVERY
    )
    return list(
        Broadcast.select(Broadcast.id, Broadcast.leaves_at, Broadcast.estimated)
        .where(
            Broadcast.state.in_(STARTED),
            Broadcast.leaves_at > now - MOVING,
            Broadcast.leaves_at <= now,
            Broadcast.id.not_in(fresh),
        )
        .order_by(Broadcast.leaves_at.desc())
        .limit(AT_ONCE)
    )


def _keep(broadcast_id: int, answer: object, first: date, last: date, wall: datetime) -> None:
    with atomic():
        LineInsight.delete().where(LineInsight.broadcast_id == broadcast_id).execute()
        LineInsight.insert(
            broadcast_id=broadcast_id,
            read_at=wall,
            first_day=first.isoformat(),
            last_day=last.isoformat(),
            answer=answer,
        ).execute()
