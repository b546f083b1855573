"""Coupons."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin import settings
from lineadmin.coupons import actions
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import OWN, Offer, whole_days
from lineadmin.coupons.states import ACTIVE, CLOSED, PAUSED
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.coupon_rules import dump_coupon_rules
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.reminders import dump_reminder, load_reminder
from lineadmin.shopfile.schema import CouponPart, Valid

PLACES: dict[str, Path] = {
    "benefit": ("benefit", "type"),
    "benefit_value": ("benefit", "value"),
    "benefit_text": ("benefit", "text"),
    "valid_days": ("valid", "days"),
    "valid_from": ("valid", "from"),
    "valid_until": ("valid", "until"),
    "code_kind": ("codes",),
}
PLAIN = (
    "title",
    "minimum_spend",
    "stock",
    "per_friend",
    "per_day",
    "friends_only",
    "shared_code",
    "picture",
    "redeem",
    "pin",
    "terms",
)
MAY_BE_NULL = ("stock", "per_day")


def load_coupons(parts: list[CouponPart], context: Context) -> None:
    """Make or change coupons; what the file does not say stays as it is."""
    zone = settings.shop_zone()
    for index, part in enumerate(parts):
        path = ("coupons", index)
        known = Coupon.get_or_none(Coupon.code == part.code)
        if known is None and part.title is None:
            raise context.refuse(path, "a new coupon needs a title")
        if known is None and part.benefit is None:
            raise context.refuse(path, "a new coupon needs a benefit")
        values = {"title": "", "code": part.code} if known is None else Offer.of(known).columns()
        values.update(_given(part, zone, path, context))
        with context.at(path, PLACES):
            changed = actions.load(
                Offer(**values), staff=context.staff, now=context.now, wall=context.wall
            )
            reminded = load_reminder(part, Coupon.get(Coupon.code == part.code), path, context)
            changed = _load_state(part, path, context) or reminded or changed
        context.report.note("coupon", part.code, created=known is None, changed=changed)


def dump_coupons() -> list[dict[str, Any]]:
    """Every coupon, the ended ones too."""
    zone = settings.shop_zone()
    return [_dumped(coupon, zone) for coupon in sorted(Coupon.select(), key=lambda c: c.code)]


def _given(part: CouponPart, zone: ZoneInfo, path: Path, context: Context) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key in PLAIN:
        value = getattr(part, key)
        if part.given(key) and (value is not None or key in MAY_BE_NULL):
            values[key] = value
    if part.codes is not None:
        values["code_kind"] = part.codes
    if part.given("picture"):
        values["picture"] = part.picture or ""
        values["picture_from"] = None
    if part.benefit is not None:
        values["benefit"] = part.benefit.type
        values["benefit_value"] = part.benefit.value
        values["benefit_text"] = part.benefit.text or ""
    if part.given("valid"):
        values.update(_valid(part.valid or Valid(), zone, (*path, "valid"), context))
    return values


def _valid(valid: Valid, zone: ZoneInfo, path: Path, context: Context) -> dict[str, Any]:
    if valid.days is not None and (valid.from_ is not None or valid.until is not None):
        raise context.refuse(path, "expected either days, or from and until")
    return {
        "valid_days": valid.days,
        "valid_from": start_of(valid.from_, zone),
        "valid_until": end_of(valid.until, zone),
    }


def start_of(value: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment, or 0:00 of a day."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return whole_days(value, None, zone)[0]


def end_of(value: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment, or 24:00 of a day."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return whole_days(None, value, zone)[1]


def _load_state(part: CouponPart, path: Path, context: Context) -> bool:
    coupon: Coupon = Coupon.get(Coupon.code == part.code)
    if part.state is None or part.state == coupon.state:
        return False
    if coupon.state == CLOSED:
        raise context.refuse((*path, "state"), "this coupon was closed for good")
    change = {ACTIVE: actions.resume, PAUSED: actions.pause, CLOSED: actions.close}[part.state]
    change(coupon.id, staff=context.staff, wall=context.wall)  # type: ignore[arg-type]
    return True


def _dumped(coupon: Coupon, zone: ZoneInfo) -> dict[str, Any]:
    benefit: dict[str, Any] = {"type": coupon.benefit}
    if coupon.benefit_value is not None:
        value = coupon.benefit_value
        benefit["value"] = int(value) if value == int(value) else value
    if coupon.benefit_text:
        benefit["text"] = coupon.benefit_text
    item: dict[str, Any] = {
        "code": coupon.code,
        "title": coupon.title,
        "benefit": benefit,
        "minimum_spend": coupon.minimum_spend,
        "valid": _dumped_valid(coupon, zone),
        "stock": coupon.stock,
        "per_friend": coupon.per_friend,
        "redeem": coupon.redeem,
    }
    if coupon.pin:
        item["pin"] = coupon.pin
    if coupon.per_day is not None:
        item["per_day"] = coupon.per_day
    if not coupon.friends_only:
        item["friends_only"] = False
    if coupon.code_kind != OWN:
        item["codes"] = coupon.code_kind
    if coupon.shared_code:
        item["shared_code"] = coupon.shared_code
    if coupon.picture:
        item["picture"] = coupon.picture
    if coupon.terms:
        item["terms"] = coupon.terms
    if coupon.state != ACTIVE:
        item["state"] = coupon.state
    return item | dump_coupon_rules(coupon) | dump_reminder(coupon)


def _dumped_valid(coupon: Coupon, zone: ZoneInfo) -> dict[str, Any] | None:
    if coupon.valid_days is not None:
        return {"days": coupon.valid_days}
    valid: dict[str, Any] = {}
    if coupon.valid_from is not None:
        valid["from"] = day_or_moment(coupon.valid_from.astimezone(zone), timedelta())
    if coupon.valid_until is not None:
        valid["until"] = day_or_moment(coupon.valid_until.astimezone(zone), timedelta(days=1))
    return valid or None


def day_or_moment(there: datetime, back: timedelta) -> str:
    """A moment as the file has it: as a day where it is midnight."""
    if there.time() == time.min:
        return (there.date() - back).isoformat()
    return there.isoformat()
