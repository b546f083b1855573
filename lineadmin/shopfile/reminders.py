"""The reminder of a coupon: `reminder: {days: 2, at: "11:00", text: …}`, `{hours: 6}`, or null."""

from __future__ import annotations

from typing import Any

from lineadmin.coupons.models import Coupon
from lineadmin.reminders import actions
from lineadmin.reminders.actions import Plan
from lineadmin.reminders.timing import DAYS, HOURS
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import CouponPart, ReminderPart


def load_reminder(part: CouponPart, coupon: Coupon, path: Path, context: Context) -> bool:
    """Set or switch off the reminder of a coupon; False where the file says nothing new."""
    if not part.given("reminder"):
        return False
    known = actions.of_coupon(coupon.id)
    before = Plan() if known is None else Plan.of(known)
    given = part.reminder
    place = (*path, "reminder")
    if given is None:
        plan = Plan(before.lead, before.unit, before.at, before.words, enabled=False)
    else:
        plan = _plan(given, before, place, context)
    fields = {"lead": (plan.unit,), "words": ("text",)}
    with context.at(place, fields):
        return actions.save(
            coupon, plan, version=None, staff=context.staff, now=context.now, wall=context.wall
        )


def dump_reminder(coupon: Coupon) -> dict[str, Any]:
    """The key `reminder` of a coupon that reminds; nothing for one that does not."""
    known = actions.of_coupon(coupon.id)
    if known is None or not known.enabled:
        return {}
    item: dict[str, Any] = {known.unit: known.lead}
    if known.unit == DAYS:
        item["at"] = known.at
    item["text"] = known.words
    return {"reminder": item}


def _plan(given: ReminderPart, before: Plan, path: Path, context: Context) -> Plan:
    if (given.days is None) == (given.hours is None):
        raise context.refuse(path, "expected either days or hours before the end")
    in_days = given.days is not None
    return Plan(
        lead=int(given.days if given.days is not None else given.hours or 0),
        unit=DAYS if in_days else HOURS,
        at=given.at or before.at,
        words=before.words if given.text is None else given.text,
        enabled=True,
    )
