"""What a coupon gives: in the reader's words, and in money for one purchase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, _n, format_date, format_datetime, format_twd, local, locale

PERCENT, AMOUNT, GIFT, CASHBACK = "percent", "amount", "gift", "cashback"
MOST_MONEY = 1_000_000
LONGEST_GIFT = 60


class Promise(Protocol):
    """What a benefit is judged by: a Coupon, or an Offer that is to become one."""

    @property
    def benefit_value(self) -> Any: ...

    @property
    def benefit_text(self) -> Any: ...


@dataclass(frozen=True)
class Kind:
    """One kind of benefit. `takes_value` and `takes_text`: which of the two columns it uses.

    `check` raises DomainError on a value that cannot be right, with field "benefit_value" or
    "benefit_text"; `discount` answers the TWD taken off a purchase, None where nothing is.
    """

    code: str
    label: Any
    text: Callable[[Promise], str]  # a few words: 8 折, 贈品：紅茶
    check: Callable[[Promise], None]
    headline: Callable[[Promise], str] | None = None  # the largest words, where they differ
    discount: Callable[[Promise, int], int | None] = lambda promise, amount: None
    takes_value: bool = True
    takes_text: bool = False


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind of benefit; editors, cards, pages and shop files know it from then on."""
    KINDS[kind.code] = kind


def labels() -> dict[str, Any]:
    """The kinds by code with their names, in the order they are offered."""
    return {kind.code: kind.label for kind in KINDS.values()}


def benefit_text(coupon: Coupon) -> str:
    """The benefit in a few words: 8 折, NT$50 折抵, 贈品：紅茶, 現金回饋 NT$30."""
    return KINDS[coupon.benefit].text(coupon)


def headline(coupon: Coupon) -> str:
    """The largest words on the card and the page; a gift is named without the word for it."""
    kind = KINDS[coupon.benefit]
    return (kind.headline or kind.text)(coupon)


def discount(coupon: Coupon, amount: int) -> int | None:
    """TWD taken off a purchase of `amount` TWD; None where the benefit takes nothing off."""
    return KINDS[coupon.benefit].discount(coupon, amount)


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


def _is_midnight(moment: datetime) -> bool:
    there = local(moment)
    return (there.hour, there.minute) == (0, 0)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _percent_discount(promise: Promise, amount: int) -> int:
    """What is left to pay is rounded to whole dollars, half a dollar upwards."""
    value = Decimal(str(promise.benefit_value or 0))
    pay = (Decimal(amount) * (100 - value) / 100).quantize(Decimal(1), ROUND_HALF_UP)
    return amount - int(pay)


def _check_percent(promise: Promise) -> None:
    value = promise.benefit_value
    if value is None or not 1 <= value <= 100 or value != int(value):
        raise DomainError(
            _l("A whole number from 1 to 100: 20 means 20% off."), field="benefit_value"
        )


def _check_money(promise: Promise) -> None:
    value = promise.benefit_value
    if value is None or not 1 <= value <= MOST_MONEY or value != int(value):
        raise DomainError(_l("Enter the amount in whole dollars."), field="benefit_value")


def _check_gift(promise: Promise) -> None:
    if not promise.benefit_text:
        raise DomainError(_l("Say what the gift is."), field="benefit_text")
    if len(promise.benefit_text) > LONGEST_GIFT:
        raise DomainError(
            _("At most %(count)s characters.", count=LONGEST_GIFT), field="benefit_text"
        )


register(
    Kind(
        PERCENT,
        _l("Percent off"),
        text=lambda promise: percent_off(promise.benefit_value or 0),
        check=_check_percent,
        discount=_percent_discount,
    )
)
register(
    Kind(
        AMOUNT,
        _l("Amount off"),
        text=lambda promise: _("%(amount)s off", amount=format_twd(promise.benefit_value or 0)),
        check=_check_money,
        discount=lambda promise, amount: min(amount, int(promise.benefit_value or 0)),
    )
)
register(
    Kind(
        GIFT,
        _l("Gift"),
        text=lambda promise: _("Gift: %(gift)s", gift=promise.benefit_text),
        headline=lambda promise: str(promise.benefit_text),
        check=_check_gift,
        takes_value=False,
        takes_text=True,
    )
)
register(
    Kind(
        CASHBACK,
        _l("Cashback"),
        text=lambda promise: _(
            "%(amount)s cashback", amount=format_twd(promise.benefit_value or 0)
        ),
        check=_check_money,
    )
)
