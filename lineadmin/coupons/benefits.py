"""What a coupon gives: in the reader's words, and in money for one purchase."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lineadmin.coupons.models import Coupon
from lineadmin.i18n import _, _l, _n, format_date, format_datetime, format_twd, local, locale

PERCENT, AMOUNT, GIFT, CASHBACK = "percent", "amount", "gift", "cashback"

BENEFIT_LABELS: dict[str, Any] = {
    PERCENT: _l("Percent off"),
    AMOUNT: _l("Amount off"),
    GIFT: _l("Gift"),
    CASHBACK: _l("Cashback"),
}


def benefit_text(coupon: Coupon) -> str:
    """The benefit in a few words: 8 折, NT$50 折抵, 贈品：紅茶, 現金回饋 NT$30."""
    value = coupon.benefit_value or 0
    if coupon.benefit == PERCENT:
        return percent_off(value)
    if coupon.benefit == AMOUNT:
        return _("%(amount)s off", amount=format_twd(value))
    if coupon.benefit == GIFT:
        return _("Gift: %(gift)s", gift=coupon.benefit_text)
    return _("%(amount)s cashback", amount=format_twd(value))


def headline(coupon: Coupon) -> str:
    """The largest words on the card and the page; a gift is named without the word for it."""
    return coupon.benefit_text if coupon.benefit == GIFT else benefit_text(coupon)


def percent_off(percent: float) -> str:
    """20% off. Chinese names what is left to pay, in tenths where that is even: 8 折, 85 折."""
    if percent <= 0:
        return "—"
    if locale() == "zh_Hant_TW":
        pay = Decimal(100) - Decimal(str(percent))
        if pay == 0:
            return _("Free of charge")
        whole = pay == pay.to_integral_value() and pay > 10 and pay % 10
        return f"{_plain(pay if whole else pay / 10)} 折"
    return _("%(percent)s%% off", percent=_plain(Decimal(str(percent))))


def minimum_text(coupon: Coupon) -> str:
    """最低消費 NT$100, or nothing."""
    if not coupon.minimum_spend:
        return ""
    return _("Minimum spend %(amount)s", amount=format_twd(coupon.minimum_spend))


def last_day(ends: datetime) -> date:
    """The last day, on the shop's clock, on which something that ends then (exclusive) counts."""
    return local(ends - timedelta(milliseconds=1)).date()


def end_text(ends: datetime) -> str:
    """The end (exclusive) as a sentence about a coupon: 2026/11/30（一）24:00 前有效."""
    return _("until %(time)s", time=end_moment(ends))


def end_moment(ends: datetime) -> str:
    """The end (exclusive) as it is printed: midnight is 24:00 of the day that counts in full."""
    if not _is_midnight(ends):
        return format_datetime(ends)
    between = " " if locale() == "en" else ""
    return f"{format_date(last_day(ends))}{between}24:00"


def period_text(starts: datetime | None, ends: datetime | None) -> str:
    """When a copy, or a coupon with fixed dates, can be used."""
    if starts is not None and ends is not None:
        if _is_midnight(ends):
            last = format_date(last_day(ends))
            return _("%(first)s to %(last)s", first=format_date(starts), last=last)
        return _("%(first)s to %(last)s", first=format_datetime(starts), last=format_datetime(ends))
    if starts is not None:
        return _("from %(day)s", day=format_date(starts))
    return end_text(ends) if ends is not None else _("no end date")


def validity_text(coupon: Coupon) -> str:
    """When copies can be used, before anybody has one."""
    if coupon.valid_days is not None:
        return _n(
            "valid for %(count)s day after you get it",
            "valid for %(count)s days after you get it",
            coupon.valid_days,
        )
    return period_text(coupon.valid_from, coupon.valid_until)


def discount(coupon: Coupon, amount: int) -> int | None:
    """TWD taken off a purchase of `amount` TWD; None where the benefit takes nothing off.

    What is left to pay is rounded to whole dollars, half a dollar upwards.
    """
    value = Decimal(str(coupon.benefit_value or 0))
    if coupon.benefit == PERCENT:
        pay = (Decimal(amount) * (100 - value) / 100).quantize(Decimal(1), ROUND_HALF_UP)
        return amount - int(pay)
    if coupon.benefit == AMOUNT:
        return min(amount, int(value))
    return None


def _is_midnight(moment: datetime) -> bool:
    there = local(moment)
    return (there.hour, there.minute) == (0, 0)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
