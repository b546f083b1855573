"""When a copy's reminder is due. Pure: on the shop's clock, from the reminder's settings.

In days the last day counts as day 0: "2 days before, at 11:00" of a coupon that is good through
Sunday comes on Friday at 11:00.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lineadmin.reminders.models import CouponReminder
from lineadmin.settings.shop import parse_clock

DAYS, HOURS = "days", "hours"


@dataclass(frozen=True)
class Lead:
    """How long before the end, and for days at which time of day."""

    unit: str  # days | hours
    amount: int
    at: time

    @classmethod
    def of(cls, reminder: CouponReminder) -> Lead:
        """The lead of a stored reminder."""
        return cls(reminder.unit, reminder.lead, parse_clock(reminder.at) or time(11))


def due_at(ends: datetime, lead: Lead, zone: ZoneInfo) -> datetime:
    """When the holder of a copy that ends (exclusive) at `ends` is reminded."""
    if lead.unit == HOURS:
        return ends - timedelta(hours=lead.amount)
    last_day = (ends - timedelta(milliseconds=1)).astimezone(zone).date()
    return _moment(last_day - timedelta(days=lead.amount), lead.at, zone)


def latest_end(now: datetime, lead: Lead, zone: ZoneInfo) -> datetime:
    """The latest end of a copy whose reminder is due at `now`; all earlier ones are due as well."""
    if lead.unit == HOURS:
        return now + timedelta(hours=lead.amount)
    today = now.astimezone(zone).date()
    reached = today if now >= _moment(today, lead.at, zone) else today - timedelta(days=1)
    return _moment(reached + timedelta(days=lead.amount + 1), time(), zone)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
