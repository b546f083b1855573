"""Claiming: a lease with an end and a fence, so that each try has exactly one owner.

Shipments that waited too long to be sent blindly are not claimed: they are dissolved and their
deliveries rechecked, or after 23 unclear hours handed to staff.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from peewee import fn

from lineadmin.db import is_postgres, to_ms
from lineadmin.outbox import recheck
from lineadmin.outbox.ends import GIVE_UP_AFTER, dissolve, give_up
from lineadmin.outbox.live import changed, flying, one_of, ready, rows
from lineadmin.outbox.models import OriginKind, Shipment, ShipmentState
from lineadmin.outbox.origins import SINGLES
from lineadmin.outbox.protocol import Programs

LEASE = timedelta(seconds=30)
# Older than this and never taken by LINE for sure: look again at who should get it. It also keeps
# a shipment's first try close to its first unclear one, which is what GIVE_UP_AFTER counts from.
STALE_AFTER = timedelta(minutes=10)
PARKED_FOR = timedelta(seconds=15)


class Flight(NamedTuple):
    """A claimed shipment: all a sending thread needs, and the fence for recording its result."""

    id: int
    kind: str
    origin_kind: int
    origin_id: int
    body: str
    retry_key: str
    recipients: int
    fence: int
    tries: int
    first_unclear_at: int | None
    quota_month: str

    @property
    def unclear(self) -> bool:
        """LINE may have accepted an earlier try."""
        return self.first_unclear_at is not None


@dataclass
class Claimed:
    """What a claim found."""

    flights: list[Flight]
    dissolved: int = 0  # deliveries queued again
    given_up: int = 0  # deliveries now unknown
    parked: int = 0  # shipments whose program must wait


class _Ready(NamedTuple):
    id: int
    origin_kind: int
    origin_id: int
    first_unclear_at: int | None
    created_at: int


def owner(place: str) -> str:
    """Who we are, for `leased_by`: this machine, `place` on it, this process."""
    return f"{_here(place)}{os.getpid()}"


def claim(
    limit: int,
    leased_by: str,
    programs: Programs,
    *,
    now: datetime,
    wall: datetime,
    due_by: datetime | None = None,
    only_unclear: bool = False,
) -> Claimed:
    """Lease up to `limit` shipments whose time has come. Call it within a transaction.

    :param due_by: those to be tried by then (default: by `wall`)
    :param only_unclear: the month's messages are used up, so only those LINE may already have
        taken are asked about
    """
    found = _candidates(limit, due_by or wall)
    origins = {(OriginKind(one.origin_kind), one.origin_id) for one in found}
    allowed = recheck.allowed_origins(origins, programs, now)
    stopped = recheck.stopped_origins(origins - allowed, programs, now)
    old, stale = to_ms(wall - GIVE_UP_AFTER), to_ms(wall - STALE_AFTER)
    fly: list[int] = []
    park: list[int] = []
    give_up_ids: list[int] = []
    dissolve_ids: list[int] = []
    for one in found:
        if one.first_unclear_at is not None and one.first_unclear_at <= old:
            give_up_ids.append(one.id)
        elif one.first_unclear_at is None and one.created_at <= stale:
            dissolve_ids.append(one.id)
        elif (one.origin_kind, one.origin_id) in stopped and one.first_unclear_at is not None:
            # It was on its way when it was stopped. Asked for long after, LINE would surprise.
            (give_up_ids if one.first_unclear_at <= stale else fly).append(one.id)
        elif (one.origin_kind, one.origin_id) not in allowed or (
            only_unclear and one.first_unclear_at is None
        ):
            park.append(one.id)
        else:
            fly.append(one.id)
    done = Claimed(flights=_lease(fly, leased_by, wall), parked=len(park))
    done.dissolved = dissolve(dissolve_ids, programs, now=now, wall=wall)
    done.given_up = give_up(give_up_ids, now=now, wall=wall)
    if park:
        Shipment.update(try_at=wall + PARKED_FOR).where(
            one_of(Shipment.id, park) & ready()
        ).execute()
    return done


def anything_ready(due_by: datetime) -> bool:
    """Is there something to claim? Asked before a transaction is opened for it."""
    return Shipment.select(Shipment.id).where(ready() & (Shipment.try_at <= due_by)).exists()


def count_ready(most: int, due_by: datetime) -> int:
    """Shipments that could be tried now, counted up to `most`."""
    some = Shipment.select(Shipment.id).where(ready() & (Shipment.try_at <= due_by)).limit(most)
    return len(rows(some))


def take_back(wall: datetime) -> int:
    """Free the leases that ran out: their holders died or hang, so their tries are unclear."""
    ran_out = Shipment.lease_until <= wall
    if not Shipment.select(Shipment.id).where(flying() & ran_out).exists():
        return 0
    return _free(ran_out, wall)


def take_over(place: str, wall: datetime) -> int:
    """Free the leases of this place's dead predecessors, without waiting for them to run out.

    Only for whoever knows to be alone in `place` (it holds the place's lock).
    """
    return _free(Shipment.leased_by.startswith(_here(place)), wall)


def hand_back(flights: Iterable[Flight]) -> int:
    """Return claimed shipments that were not tried after all."""
    count = 0
    for flight in flights:
        count += changed(
            Shipment.update(
                state=int(ShipmentState.READY),
                lease_until=None,
                leased_by="",
                tries=Shipment.tries - 1,
            ).where((Shipment.id == flight.id) & (Shipment.fence == flight.fence) & flying())
        )
    return count


def _candidates(limit: int, due_by: datetime) -> list[_Ready]:
    """Answers to single people before programs: a broadcast must not keep a question waiting."""
    found = _ready_ones(Shipment.origin_kind >= int(SINGLES[0]), limit, due_by)
    if len(found) < limit:
        programs = Shipment.origin_kind < int(SINGLES[0])
        found += _ready_ones(programs, limit - len(found), due_by)
    return found


def _ready_ones(condition: Any, limit: int, due_by: datetime) -> list[_Ready]:
    query = (
        Shipment.select(
            Shipment.id,
            Shipment.origin_kind,
            Shipment.origin_id,
            Shipment.first_unclear_at,
            Shipment.created_at,
        )
        .where(ready() & (Shipment.try_at <= due_by) & condition)
        .order_by(Shipment.try_at, Shipment.id)
        .limit(limit)
    )
    if is_postgres():
        query = query.for_update(skip_locked=True)
    return [_Ready(*row) for row in rows(query)]


def _lease(ids: list[int], leased_by: str, wall: datetime) -> list[Flight]:
    if not ids:
        return []
    query = (
        Shipment.update(
            state=int(ShipmentState.FLYING),
            lease_until=wall + LEASE,
            leased_by=leased_by,
            fence=Shipment.fence + 1,
            tries=Shipment.tries + 1,
            first_try_at=fn.COALESCE(Shipment.first_try_at, to_ms(wall)),
        )
        .where(one_of(Shipment.id, ids) & ready())
        .returning(
            Shipment.id,
            Shipment.kind,
            Shipment.origin_kind,
            Shipment.origin_id,
            Shipment.body,
            Shipment.retry_key,
            Shipment.recipients,
            Shipment.fence,
            Shipment.tries,
            Shipment.first_unclear_at,
            Shipment.quota_month,
        )
    )
    flights = [Flight(*row) for row in rows(query)]
    order = {shipment_id: place for place, shipment_id in enumerate(ids)}
    return sorted(flights, key=lambda flight: order[flight.id])


def _free(condition: Any, wall: datetime) -> int:
    """Ready again, and unclear since the moment it was claimed."""
    claimed_at = Shipment.lease_until - LEASE // timedelta(milliseconds=1)
    return changed(
        Shipment.update(
            state=int(ShipmentState.READY),
            try_at=wall,
            first_unclear_at=fn.COALESCE(Shipment.first_unclear_at, claimed_at),
            lease_until=None,
            leased_by="",
        ).where(flying() & condition)
    )


def _here(place: str) -> str:
    return f"{socket.gethostname()[:30]}/{place}/"
