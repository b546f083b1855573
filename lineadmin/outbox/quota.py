"""The ledger of the month: what LINE has counted, what is ours and not yet in that, what is left.

Counted in recipients, as LINE bills. The guard is the smaller of LINE's own limit and the shop's
plan (where the plan takes no further messages for money); what is known of neither is no limit.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin import settings
from lineadmin.db import atomic, insert_ignore
from lineadmin.line.errors import LineError
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import OriginKind, QuotaMonth
from lineadmin.settings import ShopSettings
from lineadmin.settings.cost import plan_limit

READ_EVERY = timedelta(minutes=5)
# LINE's usage number is "approximate" (REF#get-consumption): what was accepted so shortly before a
# reading may be missing from it, so such a reading never lowers what we know to be used.
LINE_LAGS = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Meter:
    """The month as screens show it. `limit` and `left` None: no limit is known."""

    month: str
    used: int
    reserved: int
    unknown: int
    sent_by_us: int
    limit: int | None
    left: int | None
    read_at: datetime | None
    exhausted: bool

    @property
    def taken(self) -> int:
        """Everything that is used, on its way or in doubt."""
        return self.used + self.reserved + self.unknown


def month_of(now: datetime, shop: ShopSettings) -> str:
    """The shop's calendar month, "2026-11". (LINE does not say in which zone its month turns.)"""
    return f"{now.astimezone(shop.zone):%Y-%m}"


def ledger(now: datetime) -> QuotaMonth:
    """This month's row, made on first need."""
    return _row(month_of(now, settings.shop()))


def remaining(now: datetime, *, keep: int = 0) -> int | None:
    """Messages that may still be sent this month; None where no limit is known.

    :param keep: how many are to be left for others, see `kept_from`
    """
    shop = settings.shop()
    return _left(_row(month_of(now, shop)), shop, keep)


def kept_from(kind: OriginKind, shop: ShopSettings) -> int:
    """What a program must leave of each month: broadcasts, the reserve for all the others."""
    return shop.reserve_messages if kind == OriginKind.BROADCAST else 0


def meter(now: datetime) -> Meter:
    """The month in numbers."""
    shop = settings.shop()
    row = _row(month_of(now, shop))
    return Meter(
        month=row.month,
        used=row.line_used + row.sent_since,
        reserved=row.reserved,
        unknown=row.unknown,
        sent_by_us=row.sent_total,
        limit=_limit(row, shop),
        left=_left(row, shop),
        read_at=row.read_at,
        exhausted=row.exhausted_at is not None,
    )


def reserve(wanted: int, *, now: datetime, keep: int = 0) -> tuple[str, int]:
    """Take up to `wanted` messages; the month they were taken from, and how many there were.

    However many reserve at once, together they never get more than is left; whoever has to `keep`
    some for others never gets those.
    """
    shop = settings.shop()
    month = month_of(now, shop)
    while wanted > 0:
        row = _row(month)
        left = _left(row, shop, keep)
        granted = wanted if left is None else min(wanted, left)
        if granted <= 0:
            break
        condition = (QuotaMonth.id == row.id) & QuotaMonth.exhausted_at.is_null()
        limit = _limit(row, shop)
        if limit is not None:
            condition &= _taken() + granted <= limit - keep
        if QuotaMonth.update(reserved=QuotaMonth.reserved + granted).where(condition).execute():
            return month, granted
    return month, 0


def release(month: str, count: int) -> None:
    """Give back what was reserved and certainly not sent."""
    _move(month, reserved=-count)


def settle(month: str, count: int, *, wall: datetime) -> None:
    """LINE accepted what was reserved."""
    if count:
        QuotaMonth.update(
            reserved=QuotaMonth.reserved - count,
            sent_since=QuotaMonth.sent_since + count,
            sent_total=QuotaMonth.sent_total + count,
            counted_at=wall,
        ).where(QuotaMonth.month == month).execute()


def doubt(month: str, count: int) -> None:
    """Nobody knows whether LINE counted what was reserved: it stays taken."""
    _move(month, reserved=-count, unknown=count)


def decide(month: str, count: int, *, sent: bool) -> None:
    """Staff decided about doubtful messages; a reading has counted them since, if LINE did."""
    _move(month, unknown=-count, sent_total=count if sent else 0)


def exhaust(now: datetime, wall: datetime) -> None:
    """LINE said "monthly limit": nothing more is reserved until a reading shows something left."""
    QuotaMonth.update(exhausted_at=wall).where(QuotaMonth.id == ledger(now).id).execute()


def is_exhausted(now: datetime) -> bool:
    """LINE said so, and no reading since has shown something left."""
    return ledger(now).exhausted_at is not None


def refresh(
    gateway: Gateway, *, now: datetime, wall: datetime, every: timedelta = READ_EVERY
) -> bool:
    """Ask LINE for limit and usage, unless it was asked within `every`. True when it answered.

    Never within a transaction. A LINE that does not answer leaves the ledger as it is.
    """
    row = ledger(now)
    if row.read_at is not None and wall - row.read_at < every:
        return False
    try:
        limit = gateway.quota().limit
        used = gateway.consumption()
    except LineError as error:
        logger.warning("the quota could not be read: %s", error)
        return False
    note_reading(row, limit=limit, used=used, wall=wall)
    return True


def note_reading(before: QuotaMonth, *, limit: int | None, used: int, wall: datetime) -> None:
    """Write down what LINE answered; `before` is the ledger as it stood when LINE was asked."""
    with atomic():
        current = QuotaMonth.get_by_id(before.id)
        fresh = current.sent_total - before.sent_total  # accepted while we were asking
        counted_at = before.counted_at
        if counted_at is not None and wall - counted_at < LINE_LAGS:
            used = max(used, before.line_used + before.sent_since)
        nothing_left = limit is not None and used + fresh >= limit
        QuotaMonth.update(
            line_limit=limit,
            line_used=used,
            sent_since=QuotaMonth.sent_total - before.sent_total,
            read_at=wall,
            exhausted_at=current.exhausted_at if nothing_left else None,
        ).where(QuotaMonth.id == before.id).execute()


def _row(month: str) -> QuotaMonth:
    row = QuotaMonth.get_or_none(QuotaMonth.month == month)
    if row is None:
        insert_ignore(QuotaMonth.insert(month=month))
        row = QuotaMonth.get(QuotaMonth.month == month)
    return row


def _limit(row: QuotaMonth, shop: ShopSettings) -> int | None:
    known = [limit for limit in (row.line_limit, plan_limit(shop)) if limit is not None]
    return min(known, default=None)


def _left(row: QuotaMonth, shop: ShopSettings, keep: int = 0) -> int | None:
    if row.exhausted_at is not None:
        return 0
    limit = _limit(row, shop)
    if limit is None:
        return None
    return max(0, limit - keep - row.line_used - row.sent_since - row.reserved - row.unknown)


def _taken() -> Any:
    return QuotaMonth.line_used + QuotaMonth.sent_since + QuotaMonth.reserved + QuotaMonth.unknown


def _move(month: str, *, reserved: int = 0, unknown: int = 0, sent_total: int = 0) -> None:
    if reserved or unknown or sent_total:
        QuotaMonth.update(
            reserved=QuotaMonth.reserved + reserved,
            unknown=QuotaMonth.unknown + unknown,
            sent_total=QuotaMonth.sent_total + sent_total,
        ).where(QuotaMonth.month == month).execute()
