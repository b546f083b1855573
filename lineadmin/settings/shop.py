"""The shop's own settings: its name and zone, quiet hours, cap, plan and undo time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.settings import actions
from lineadmin.staff.models import Staff

KEY = "shop"


@dataclass(frozen=True)
class ShopSettings:
    """What is off until the shop sets it is None: quiet hours, cap, plan."""

    name: str = ""
    timezone: str = "Asia/Taipei"
    quiet_from: str | None = None  # "21:00"
    quiet_until: str | None = None  # "09:00"
    cap_messages: int | None = None  # at most this many …
    cap_days: int | None = None  # … in any window of this many days
    undo_minutes: int = 5
    plan_name: str | None = None
    plan_included: int | None = None  # messages a month
    plan_extra_price: float | None = None  # TWD for each further message; None = not possible
    plan_fee: float | None = None  # TWD a month
    plan_tiers: list[dict[str, Any]] | None = None  # prices by amount, instead of one; see cost.py
    reserve_messages: int = 0  # of each month, kept from broadcasts for steps and coupons
    approval_recipients: int | None = None  # a broadcast to more needs a second person …
    approval_twd: int | None = None  # … and one that costs more than this beyond the plan
    wake_tries: int = 3  # unanswered wake-up messages until a friend is let sleep; 0 = no end
    order_notices: bool = False  # friends are told how far their orders are
    branch_reply: bool = False  # a place a friend sends is answered with the nearest branch
    first_greeting_falls_back: bool = True  # a refused free greeting goes out as a push

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the shop's days and hours are meant."""
        return ZoneInfo(self.timezone)


def shop() -> ShopSettings:
    """The settings as they are now."""
    stored = actions.get(KEY, {})
    known = ShopSettings.__dataclass_fields__
    return ShopSettings(**{key: value for key, value in stored.items() if key in known})


def shop_zone() -> ZoneInfo:
    """The shop's time zone."""
    return shop().zone


def change_shop(
    changes: dict[str, Any],
    *,
    staff: Staff | None,
    wall: datetime,
    version: int | None = None,
) -> ShopSettings:
    """Change the named settings and leave the others alone.

    :raises DomainError: a value is out of range; nothing was saved
    :raises Conflict: somebody else saved meanwhile
    """
    after = replace(shop(), **changes)
    check_shop(after)
    actions.put(
        KEY,
        asdict(after),
        staff=staff,
        wall=wall,
        version=version,
        action="shop.edit",
        label=after.name,
    )
    return after


def check_shop(value: ShopSettings) -> None:
    """:raises DomainError: names the first setting that cannot be right."""
    if value.timezone not in available_timezones():
        raise DomainError(_l("This time zone is not known."), field="timezone")
    if (value.quiet_from is None) != (value.quiet_until is None):
        raise DomainError(_l("Quiet hours need both a start and an end."), field="quiet_from")
    for field in ("quiet_from", "quiet_until"):
        text = getattr(value, field)
        if text is not None and parse_clock(text) is None:
            raise DomainError(_l("A time of day looks like 09:30."), field=field)
    if value.quiet_from is not None and value.quiet_from == value.quiet_until:
        raise DomainError(_l("Quiet hours can't last the whole day."), field="quiet_until")
    if (value.cap_messages is None) != (value.cap_days is None):
        raise DomainError(_l("The cap needs both messages and days."), field="cap_messages")
    for field, low, high in (
        ("cap_messages", 1, 100),
        ("cap_days", 1, 90),
        ("undo_minutes", 0, 60),
        ("plan_included", 0, 10_000_000),
        ("wake_tries", 0, 20),
        ("reserve_messages", 0, 10_000_000),
        ("approval_recipients", 0, 10_000_000),
        ("approval_twd", 0, 10_000_000),
    ):
        number = getattr(value, field)
        if number is not None and not (isinstance(number, int) and low <= number <= high):
            raise DomainError(
                _l("This must be a whole number from %(low)s to %(high)s.", low=low, high=high),
                field=field,
            )
    if value.plan_extra_price is not None and not 0 <= value.plan_extra_price <= 100:
        raise DomainError(_l("The price must be from 0 to 100."), field="plan_extra_price")
    check_plan(value.plan_fee, value.plan_included, value.plan_tiers)


def check_plan(fee: float | None, included: int | None, tiers: list[dict[str, Any]] | None) -> None:
    """:raises DomainError: a fee, a number or a price of a plan that cannot be."""
    if fee is not None and not 0 <= fee <= 1_000_000:
        raise DomainError(_l("The monthly fee must be from 0 to 1,000,000."), field="plan_fee")
    if included is not None and not 0 <= included <= 10_000_000:
        raise DomainError(
            _l("This must be a whole number from %(low)s to %(high)s.", low=0, high=10_000_000),
            field="plan_included",
        )
    before = 0
    for number, tier in enumerate(tiers or [], 1):
        up_to, price = tier.get("up_to"), tier.get("price")
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price <= 100:
            raise DomainError(_l("The price must be from 0 to 100."), field="plan_tiers")
        if up_to is None:
            if number != len(tiers or []):
                raise DomainError(
                    _l("Only the last price of a plan may go without an upper limit."),
                    field="plan_tiers",
                )
        elif isinstance(up_to, bool) or not isinstance(up_to, int) or up_to <= before:
            raise DomainError(
                _l("Each price has to reach further than the one before it."), field="plan_tiers"
            )
        else:
            before = up_to


def parse_clock(text: str) -> time | None:
    """ "09:30" as a time of day; None where it isn't one."""
    hours, _colon, minutes = text.partition(":")
    if not (len(hours) == 2 and len(minutes) == 2 and hours.isdigit() and minutes.isdigit()):
        return None
    if int(hours) > 23 or int(minutes) > 59:
        return None
    return time(int(hours), int(minutes))
