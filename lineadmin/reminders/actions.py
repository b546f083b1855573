"""What managers decide about the reminder of a coupon; every change leaves an audit line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from lineadmin.coupons.models import Coupon
from lineadmin.coupons.states import CLOSED
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import DEFAULT_LOCALE, _, _l, use_locale
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import Text
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_program, cancel_waiting
from lineadmin.outbox.models import OriginKind
from lineadmin.reminders.models import CouponReminder
from lineadmin.reminders.timing import DAYS, HOURS
from lineadmin.settings.shop import parse_clock
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

MOST = {DAYS: 60, HOURS: 72}


@dataclass(frozen=True)
class Plan:
    """When and in which words holders are reminded. Empty words stand for the usual ones."""

    lead: int = 2
    unit: str = DAYS  # days | hours
    at: str = "11:00"  # time of day, for days
    words: str = ""
    enabled: bool = True

    @classmethod
    def of(cls, reminder: CouponReminder) -> Plan:
        """The decisions behind a stored reminder."""
        return cls(**{field.name: getattr(reminder, field.name) for field in fields(cls)})


def usual_words() -> str:
    """What a reminder says until somebody writes something better."""
    with use_locale(DEFAULT_LOCALE):  # friends read it, not the member of staff who saves it
        return _("{name}, your coupon ends soon and is still waiting for you. See you!")


def of_coupon(coupon_id: int) -> CouponReminder | None:
    """The reminder of a coupon, switched on or off."""
    found: CouponReminder | None = CouponReminder.get_or_none(CouponReminder.coupon == coupon_id)
    return found


def save(
    coupon: Coupon,
    plan: Plan,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> bool:
    """Set a coupon's reminder; False where it was so already. Switching it off takes back what
    waits.

    :param version: what the form was opened with, 0 for none yet; None skips the check
    :raises DomainError: a value that cannot be right
    :raises Conflict: somebody else saved meanwhile
    """
    plan = _checked(coupon, plan)
    with atomic():
        known = of_coupon(coupon.id)
        if version is not None and version != (known.version if known else 0):
            raise _conflict()
        before = None if known is None else asdict(Plan.of(known))
        after = asdict(plan)
        if before == after or (known is None and not plan.enabled):
            return False
        if coupon.state == CLOSED:
            raise DomainError(_l("A closed coupon can no longer be changed. Duplicate it instead."))
        if known is None:
            CouponReminder.create(coupon=coupon.id, reached_at=now, **after)
        else:
            _change(known, after, now)
        audit.record(
            staff, "reminder.edit", "coupon", coupon.id, coupon.title, before, after, wall=wall
        )
    if known is not None and known.enabled and not plan.enabled:
        _take_back(coupon.id, now, wall)
    return True


def _change(known: CouponReminder, after: dict[str, Any], now: datetime) -> None:
    changes: dict[str, Any] = {**after, "pause_reason": "", "version": CouponReminder.version + 1}
    if after["enabled"] and not known.enabled and known.reached_at < now:
        changes |= {"reached_at": now, "reached_id": 0}  # what ended while it was off is over
    saved = (
        CouponReminder.update(**changes)
        .where(CouponReminder.id == known.id, CouponReminder.version == known.version)
        .execute()
    )
    if not saved:
        raise _conflict()


def _take_back(coupon_id: int, now: datetime, wall: datetime) -> None:
    while cancel_waiting(OriginKind.REMINDER, coupon_id, reason=reasons.CANCELED, now=now):
        pass
    cancel_program(OriginKind.REMINDER, coupon_id, now=now, wall=wall)


def _checked(coupon: Coupon, plan: Plan) -> Plan:
    if plan.unit not in MOST:
        raise DomainError(_l("Choose days or hours."), field="unit")
    most, least = MOST[plan.unit], 0 if plan.unit == DAYS else 1
    whole = isinstance(plan.lead, int) and not isinstance(plan.lead, bool)
    if not whole or not least <= plan.lead <= most:
        raise DomainError(
            _("A whole number from %(low)s to %(high)s.", low=least, high=most), field="lead"
        )
    if parse_clock(plan.at) is None:
        raise DomainError(_l("A time of day looks like 09:30."), field="at")
    words = plan.words.strip().replace("\r\n", "\n") or usual_words()
    problems = check_parts([Text(text=words)])
    if problems:
        raise DomainError(problems[0].sentence, field="words")
    if plan.enabled:
        _check_fits(coupon, plan)
    return Plan(plan.lead, plan.unit, plan.at, words, plan.enabled)


def _check_fits(coupon: Coupon, plan: Plan) -> None:
    """A reminder has to come after the coupon itself."""
    days = plan.lead if plan.unit == DAYS else plan.lead / 24
    if coupon.valid_days is not None:
        if days > coupon.valid_days:
            raise DomainError(
                _(
                    "The coupon is good for %(count)s days only: the reminder would come "
                    "before it.",
                    count=coupon.valid_days,
                ),
                field="lead",
            )
    elif coupon.valid_until is None:
        raise DomainError(
            _l("This coupon has no end, so there is nothing to remind of."), field="lead"
        )


def _conflict() -> Conflict:
    return Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
