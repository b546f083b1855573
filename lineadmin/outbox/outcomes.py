"""What LINE's answer means for a shipment and its deliveries, recorded in bulk.

One question decides: can LINE have accepted it? Only where it certainly has not may the content
ever travel under another key.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import uuid4

from peewee import SQL, Case, fn

from lineadmin.db import atomic, dump_json, to_ms
from lineadmin.friends.models import Friend
from lineadmin.line.errors import (
    LineAuthFailed,
    LineError,
    LineQuotaExhausted,
    LineRateLimited,
    LineRefused,
    LineUnclear,
)
from lineadmin.outbox import claim, pauses, phase, quota, reasons
from lineadmin.outbox.ends import dissolve, give_up
from lineadmin.outbox.live import Listed, changed, flying, one_of, packed, rows
from lineadmin.outbox.models import (
    NARROWCAST,
    Delivery,
    DeliveryState,
    OriginKind,
    Shipment,
    ShipmentState,
)
from lineadmin.outbox.origins import PROGRAMS
from lineadmin.outbox.pace import backoff
from lineadmin.outbox.post import Result
from lineadmin.outbox.protocol import Programs

logger = logging.getLogger(__name__)


class Fate(Enum):
    """What becomes of a shipment after a try."""

    ACCEPTED = auto()
    AGAIN = auto()  # the same request under the same key, later
    DISSOLVE = auto()  # certainly not taken, and no use repeating as it is
    SPLIT = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    NOT_TRIED = auto()


@dataclass
class Recorded:
    """Deliveries by what became of them."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    queued_again: int = 0
    answered_before: int = 0  # shipments LINE had taken at an earlier try (409)

    def add(self, other: Recorded) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def fate_of(result: Result) -> Fate:
    """Pure: from one try's result, and whether an earlier try was unclear."""
    error = result.error
    if result.accepted is not None:
        return Fate.ACCEPTED
    if error is None:
        return Fate.NOT_TRIED
    if isinstance(error, LineRefused) or _not_for_us(result):
        if result.flight.unclear:
            return Fate.UNKNOWN
        if result.flight.kind == NARROWCAST:
            return Fate.REFUSED
        if result.flight.recipients > 1 and not content_is_refused(error):
            return Fate.SPLIT
        return Fate.REFUSED
    if isinstance(error, LineQuotaExhausted) and not result.flight.unclear:
        return Fate.DISSOLVE
    return Fate.AGAIN


def _not_for_us(result: Result) -> bool:
    """403 to a narrowcast speaks of this one (too few friends), not of our access to LINE."""
    error = result.error
    return (
        isinstance(error, LineAuthFailed)
        and error.status == 403
        and result.flight.kind == NARROWCAST
    )


def content_is_refused(error: LineError) -> bool:
    """LINE names the messages themselves as wrong: no other recipient would change that."""
    places = [detail.place for detail in error.details if detail.place]
    return error.status == 413 or (
        bool(places) and all(place.startswith("messages") for place in places)
    )


def record(
    results: Iterable[Result], programs: Programs, *, now: datetime, wall: datetime
) -> Recorded:
    """Write down what came of flights, in one transaction. Only the holder of a lease may.

    A result whose lease was taken back meanwhile is dropped: its shipment is tried again under the
    same key, and LINE tells (409) that it has it.
    """
    by_fate: dict[Fate, list[Result]] = defaultdict(list)
    for result in results:
        by_fate[fate_of(result)].append(result)
    done = Recorded()
    with phase.at(phase.RECORD), atomic():
        if by_fate[Fate.ACCEPTED]:
            _accepted(by_fate[Fate.ACCEPTED], done, now, wall)
        again = by_fate[Fate.AGAIN]
        _again(again, wall)
        _tell_used_up(again, programs, now, wall)
        if by_fate[Fate.DISSOLVE]:
            _exhausted(by_fate[Fate.DISSOLVE], programs, done, now, wall)
        for result in by_fate[Fate.SPLIT]:
            _split(result, wall)
        for result in by_fate[Fate.REFUSED]:
            _refused(result, programs, done, now, wall)
        for result in by_fate[Fate.UNKNOWN]:
            _unknown(result, done, now, wall)
        claim.hand_back(result.flight for result in by_fate[Fate.NOT_TRIED])
        denied = [r.error for r in again if isinstance(r.error, LineAuthFailed)]
        if denied:
            pauses.pause_for_line(denied[0], wall=wall)
    return done


def _accepted(results: list[Result], done: Recorded, now: datetime, wall: datetime) -> None:
    taken = [(r.flight, r.accepted) for r in results if r.accepted is not None]
    told = Listed.rows(
        "told",
        [
            ((flight.id, flight.fence), (yes.request_id or "", yes.accepted_request_id or ""))
            for flight, yes in taken
        ],
    )
    written = (
        Shipment.update(
            state=int(ShipmentState.ACCEPTED),
            lease_until=None,
            done_at=wall,
            status=200,
            error="",
            line_request_id=told.column(3),
            accepted_request_id=told.column(4),
        )
        .from_(told.source)
        .where((Shipment.id == told.column(1)) & (Shipment.fence == told.column(2)) & flying())
        .returning(Shipment.id, Shipment.recipients, Shipment.quota_month, Shipment.kind)
    )
    months: Counter[str] = Counter()
    ids = []
    for shipment_id, recipients, month, kind in rows(written):
        ids.append(shipment_id)
        if kind != NARROWCAST:  # how many those reach is known later
            months[month] += recipients
    done.sent += changed(
        Delivery.update(state=int(DeliveryState.SENT), done_at=now).where(
            one_of(Delivery.shipment, ids) & packed()
        )
    )
    for month, count in sorted(months.items()):
        quota.settle(month, count, wall=wall)
    done.answered_before += sum(1 for _flight, yes in taken if yes.accepted_request_id)


def _again(results: list[Result], wall: datetime) -> list[int]:
    """Back to ready, each after its own wait; the shipments whose lease was still ours."""
    if not results:
        return []
    lines = []
    for result in results:
        error, flight = result.error or LineUnclear(), result.flight
        wait = backoff(flight.tries)
        if isinstance(error, LineRateLimited) and error.retry_after_seconds:
            wait = max(wait, timedelta(seconds=error.retry_after_seconds))
        unclear_at = wall if isinstance(error, LineUnclear) else None
        lines.append(
            (
                (
                    flight.id,
                    flight.fence,
                    to_ms(wall + wait),
                    None if unclear_at is None else to_ms(unclear_at),
                    error.status,
                ),
                (error.request_id or "", _words(error)),
            )
        )
    told = Listed.rows("told", lines)
    # The try began when it was claimed; that is the moment LINE may have taken it.
    claimed_at = Shipment.lease_until - claim.LEASE // timedelta(milliseconds=1)
    began = fn.COALESCE(Shipment.first_unclear_at, claimed_at)
    query = (
        Shipment.update(
            state=int(ShipmentState.READY),
            try_at=SQL("CAST(told.column3 AS BIGINT)"),
            first_unclear_at=Case(
                None,
                [(SQL("CAST(told.column4 AS BIGINT)").is_null(False), began)],
                Shipment.first_unclear_at,
            ),
            lease_until=None,
            leased_by="",
            status=SQL("CAST(told.column5 AS INTEGER)"),
            line_request_id=told.column(6),
            error=told.column(7),
        )
        .from_(told.source)
        .where((Shipment.id == told.column(1)) & (Shipment.fence == told.column(2)) & flying())
        .returning(Shipment.id)
    )
    return [shipment_id for (shipment_id,) in rows(query)]


def _exhausted(
    results: list[Result], programs: Programs, done: Recorded, now: datetime, wall: datetime
) -> None:
    """LINE's monthly limit: nobody got it, so its friends are queued again."""
    done.queued_again += dissolve(_again(results, wall), programs, now=now, wall=wall)
    _tell_used_up(results, programs, now, wall)


def _tell_used_up(results: list[Result], programs: Programs, now: datetime, wall: datetime) -> None:
    """Where LINE said "monthly limit": nothing new leaves until a reading shows something left.

    That also goes for requests of which an earlier try is unclear, though these stay as they are.
    """
    refused = [result for result in results if isinstance(result.error, LineQuotaExhausted)]
    if not refused:
        return
    if any(result.flight.kind != NARROWCAST for result in refused):
        # LINE wants to hold more for a narrowcast than is left: others may fit all the same.
        quota.exhaust(now, wall)
    for kind, origin_id in {(r.flight.origin_kind, r.flight.origin_id) for r in refused}:
        if kind in PROGRAMS:
            programs.waits(OriginKind(kind), origin_id, reasons.QUOTA, wall)


def _split(result: Result, wall: datetime) -> None:
    """Two halves with keys of their own; their parent's request never reached anybody."""
    parent, tied = _end(result, ShipmentState.SPLIT, wall)
    if parent is None:
        return
    body = json.loads(parent.body)
    by_name = _names_of(tied)
    middle = (len(body["to"]) + 1) // 2
    for names in (body["to"][:middle], body["to"][middle:]):
        alone = len(names) == 1
        child = Shipment.create(
            kind="push" if alone else "multicast",
            origin_kind=parent.origin_kind,
            origin_id=parent.origin_id,
            body=dump_json({**body, "to": names[0] if alone else names}),
            recipients=len(names),
            retry_key=str(uuid4()),
            try_at=parent.try_at,
            parent=parent.id,
            quota_month=parent.quota_month,
            created_at=wall,
        )
        ids = [by_name[name] for name in names if name in by_name]
        Delivery.update(shipment=child.id).where(one_of(Delivery.id, ids) & packed()).execute()


def _refused(
    result: Result, programs: Programs, done: Recorded, now: datetime, wall: datetime
) -> None:
    words = _words(result.error or LineError())
    shipment, tied = _end(result, ShipmentState.REFUSED, wall)
    if shipment is None:
        return
    quota.release(shipment.quota_month, shipment.recipients)
    done.failed += changed(
        Delivery.update(
            state=int(DeliveryState.FAILED), reason=reasons.REFUSED, detail=words, done_at=now
        ).where(one_of(Delivery.id, tied) & packed())
    )
    kind = OriginKind(shipment.origin_kind)
    if shipment.recipients > 1 and kind in PROGRAMS:
        # It would fail for everybody else as well: let staff look first.
        programs.waits(kind, shipment.origin_id, reasons.REFUSED, wall)
    logger.warning("LINE refused shipment %s: %s", shipment.id, words)


def _unknown(result: Result, done: Recorded, now: datetime, wall: datetime) -> None:
    """Refused now, but an earlier try may have been taken: nobody knows."""
    done.unknown += give_up(
        _again([result], wall), now=now, wall=wall, reason=reasons.REFUSED_LATER
    )


def _end(result: Result, state: ShipmentState, wall: datetime) -> tuple[Shipment | None, list[int]]:
    """End a shipment that LINE refused, if its lease is still ours; its open deliveries."""
    error, flight = result.error or LineError(), result.flight
    won = changed(
        Shipment.update(
            state=int(state),
            lease_until=None,
            done_at=wall,
            status=error.status,
            line_request_id=error.request_id or "",
            error=_words(error),
        ).where((Shipment.id == flight.id) & (Shipment.fence == flight.fence) & flying())
    )
    if not won:
        return None, []
    tied = Delivery.select(Delivery.id).where((Delivery.shipment == flight.id) & packed())
    return Shipment.get_by_id(flight.id), [delivery_id for (delivery_id,) in rows(tied)]


def _words(error: LineError) -> str:
    """LINE's explanation as it is kept with the row."""
    lines = [error.message] if error.message else [type(error).__name__]
    lines += [f"{one.place}: {one.message}" if one.place else one.message for one in error.details]
    return " · ".join(lines)[:1000]


def _names_of(delivery_ids: list[int]) -> dict[str, int]:
    query = (
        Delivery.select(Friend.line_user_id, Delivery.id)
        .join(Friend, on=(Friend.id == Delivery.friend_id))
        .where(one_of(Delivery.id, delivery_ids))
    )
    return dict(rows(query))
