"""Planning reminders: copies are taken in the order in which they end, each looked at once.

Every chunk is one transaction that plans its deliveries and moves the mark on, so ticks may be
lost, repeated, or run twice at once; a friend gets one reminder for all copies that end together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from peewee import Tuple, fn

from lineadmin import settings
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.states import ACTIVE, PAUSED
from lineadmin.db import atomic, from_ms, is_postgres, to_ms
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content, reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import CHUNK, Cap, PlanRow, plan_rows
from lineadmin.reminders.models import CouponReminder
from lineadmin.reminders.timing import Lead, due_at, latest_end
from lineadmin.settings import ShopSettings

PRIORITY = 55  # after steps (50), before broadcasts (60)
MINUTE_MS = 60_000


class Copy(NamedTuple):
    """What has to be known of one copy."""

    id: int
    friend_id: int
    issued_ms: int
    ends_ms: int
    redeemed_ms: int | None


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Plan every reminder that is due; how many copies were looked at."""
    looked_at = 0
    for reminder_id, _coupon_id in _with_due(now):
        while not stopping():
            done = advance_chunk(reminder_id, now)
            looked_at += done
            if not done:
                break
    return looked_at


def is_due(now: datetime) -> bool:
    """Whether any reminder is due; one indexed question per coupon that reminds."""
    return next(_with_due(now), None) is not None


def next_moment(now: datetime) -> datetime | None:
    """When the next reminder after `now` is due; None where no copy waits for one."""
    zone = settings.shop_zone()
    moments = []
    for reminder in CouponReminder.select(CouponReminder, Coupon).join(Coupon).where(_running()):
        ends = _unreminded(reminder).select(fn.MIN(CouponIssue.expires_at)).scalar()
        if ends is not None:
            moments.append(due_at(ends, Lead.of(reminder), zone))
    return min((moment for moment in moments if moment > now), default=None)


def advance_chunk(reminder_id: int, now: datetime, *, limit: int = CHUNK) -> int:
    """Plan for the next copies of one coupon in one transaction; how many were looked at."""
    with atomic():
        query = CouponReminder.select(CouponReminder, Coupon).join(Coupon)
        query = query.where(CouponReminder.id == reminder_id, _running())
        if is_postgres():
            query = query.for_update(of=CouponReminder)
        reminder = query.first()
        if reminder is None:
            return 0
        shop = settings.shop()
        copies = _next_copies(reminder, now, shop, limit)
        if not copies:
            return 0
        plan_rows(_rows(reminder, copies, now, shop), now=now, cap=Cap.of(shop))
        last = copies[-1]
        CouponReminder.update(reached_at=from_ms(last.ends_ms), reached_id=last.id).where(
            CouponReminder.id == reminder_id
        ).execute()
    return len(copies)


def run_of(ends: datetime) -> int:
    """How a delivery names the end of the copies it speaks of."""
    return to_ms(ends) // MINUTE_MS


def may_send(ids: set[int], now: datetime) -> set[int]:
    """Those coupons whose reminders may leave: switched on, not paused, not refused by LINE."""
    found = (
        CouponReminder.select(CouponReminder.coupon)
        .join(Coupon)
        .where(
            one_of(CouponReminder.coupon, ids)
            & (CouponReminder.enabled == True)  # noqa: E712
            & (CouponReminder.pause_reason != reasons.REFUSED)
            & (Coupon.state != PAUSED)
        )
    )
    return {coupon_id for (coupon_id,) in rows(found)}


def is_refused(reminder: CouponReminder) -> bool:
    """Whether LINE refuses what it says; saving other words lets it go on."""
    return bool(reminder.pause_reason == reasons.REFUSED)


def waits(coupon_id: int, reason: str) -> None:
    """The sender can't go on with the reminders of a coupon."""
    CouponReminder.update(pause_reason=reason).where(
        CouponReminder.coupon == coupon_id, CouponReminder.pause_reason != reason
    ).execute()


def goes_on(coupon_id: int) -> None:
    """They are being packed again."""
    CouponReminder.update(pause_reason="").where(
        CouponReminder.coupon == coupon_id, CouponReminder.pause_reason == reasons.QUOTA
    ).execute()


def _running() -> Any:
    """Switched on, and with copies that may still come to their end."""
    return (
        (CouponReminder.enabled == True)  # noqa: E712
        & (Coupon.state == ACTIVE)
        & (Coupon.valid_until.is_null() | (CouponReminder.reached_at <= Coupon.valid_until))
    )


def _with_due(now: datetime) -> Iterator[tuple[int, int]]:
    shop = settings.shop()
    for reminder in CouponReminder.select(CouponReminder, Coupon).join(Coupon).where(_running()):
        if _copies(reminder, now, shop).exists():
            yield reminder.id, reminder.coupon_id


def _copies(reminder: CouponReminder, now: datetime, shop: ShopSettings) -> Any:
    last = latest_end(now, Lead.of(reminder), shop.zone)
    return _unreminded(reminder).where(CouponIssue.expires_at <= last)


def _unreminded(reminder: CouponReminder) -> Any:
    return CouponIssue.select(
        CouponIssue.id,
        CouponIssue.friend_id,
        CouponIssue.issued_at,
        CouponIssue.expires_at,
        CouponIssue.redeemed_at,
    ).where(
        CouponIssue.coupon == reminder.coupon_id,
        CouponIssue.voided_at.is_null(),
        Tuple(CouponIssue.expires_at, CouponIssue.id)
        > Tuple(to_ms(reminder.reached_at), reminder.reached_id),
    )


def _next_copies(
    reminder: CouponReminder, now: datetime, shop: ShopSettings, limit: int
) -> list[Copy]:
    query = _copies(reminder, now, shop).order_by(CouponIssue.expires_at, CouponIssue.id)
    return [Copy(*row) for row in rows(query.limit(limit))]


def _rows(
    reminder: CouponReminder, copies: Sequence[Copy], now: datetime, shop: ShopSettings
) -> list[PlanRow]:
    lead = Lead.of(reminder)
    parts = parts_of(reminder)
    message = content.store(parts, personal=True, summary=summarise(parse_parts(parts)), now=now)
    still_held = _held_beside(reminder.coupon_id, copies)
    planned: dict[tuple[int, int], PlanRow] = {}
    for copy in copies:
        key = (copy.friend_id, copy.ends_ms)
        reason = _reason(copy, now, lead, shop)
        if reason == reasons.COUPON_USED and key in still_held:
            continue
        if key in planned and (reason or not planned[key].skip_reason):
            continue
        ends = from_ms(copy.ends_ms)
        planned[key] = PlanRow(
            friend_id=copy.friend_id,
            origin=Origin(OriginKind.REMINDER, reminder.coupon_id, run_of(ends)),
            content_id=message.id,
            due_at=max(due_at(ends, lead, shop.zone), from_ms(copy.issued_ms)),
            expires_at=ends,
            priority=PRIORITY,
            skip_reason=reason,
        )
    return list(planned.values())


def _reason(copy: Copy, now: datetime, lead: Lead, shop: ShopSettings) -> str:
    ends = from_ms(copy.ends_ms)
    if copy.redeemed_ms is not None:
        return reasons.COUPON_USED
    if ends <= now:
        return reasons.EXPIRED
    if from_ms(copy.issued_ms) > due_at(ends, lead, shop.zone):
        return reasons.COUPON_NEW
    return ""


def _held_beside(coupon_id: int, copies: Sequence[Copy]) -> set[tuple[int, int]]:
    """(friend, end) where a friend who used one copy holds another that ends together with it."""
    used = {copy.friend_id for copy in copies if copy.redeemed_ms is not None}
    if not used:
        return set()
    query = CouponIssue.select(CouponIssue.friend_id, CouponIssue.expires_at).where(
        CouponIssue.coupon == coupon_id,
        one_of(CouponIssue.friend_id, used),
        CouponIssue.redeemed_at.is_null(),
        CouponIssue.voided_at.is_null(),
    )
    return {(friend_id, ends) for friend_id, ends in rows(query)}


def parts_of(reminder: CouponReminder) -> list[dict[str, Any]]:
    """What a reminder says: its words, and the friend's own card."""
    return [{"text": reminder.words}, {"coupon": reminder.coupon.code}]
