"""What a manager decides about a coupon, and the rules every such decision has to meet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin.coupons.benefits import KINDS, MOST_MONEY, PERCENT
from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count

STAFF, SELF, PIN = "staff", "self", "pin"

REDEEM_LABELS: dict[str, Any] = {
    STAFF: _l("Staff scan or type it"),
    SELF: _l("The friend taps “Use”"),
    PIN: _l("The friend enters the shop's PIN"),
}

OWN, LIST, SHARED = "own", "list", "shared"

CODE_LABELS: dict[str, Any] = {
    OWN: _l("One of our own for each friend"),
    LIST: _l("From a partner’s list"),
    SHARED: _l("The same for everybody"),
}

SHORT_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
LONGEST_TITLE = 60
LONGEST_TERMS = 2_000
MOST_DAYS = 366
MOST_STOCK = 10_000_000
MOST_PER_FRIEND = 100
LONGEST_SHARED_CODE = 40
FIRST_YEAR, LAST_YEAR = 1970, 2999


@dataclass(frozen=True)
class Offer:
    """Everything about a coupon that is decided by people. An empty code is made up."""

    title: str
    benefit: str = PERCENT  # a kind of coupons/benefits.py
    benefit_value: float | None = None  # percent off, or TWD
    benefit_text: str = ""  # what the gift is
    minimum_spend: int = 0  # TWD
    valid_days: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None  # exclusive
    stock: int | None = None  # None = unlimited
    per_friend: int = 1
    per_day: int | None = None  # handed out on one day of the shop's
    who: dict[str, Any] | None = None  # a condition on friends; None = everybody
    friends_only: bool = True
    code_kind: str = OWN  # own | list | shared
    shared_code: str = ""
    redeem: str = STAFF  # staff | self | pin
    pin: str = ""
    terms: str = ""
    picture: str = ""  # token of an upload in the card's shape
    picture_from: dict[str, Any] | None = None  # what it was cut from, and where
    after_tags: list[int] = field(default_factory=list)  # set when it is redeemed
    after_messages: list[dict[str, Any]] = field(default_factory=list)  # parts
    after_content_id: int | None = None  # of messages/keep.py, from the same parts
    code: str = ""

    @classmethod
    def of(cls, coupon: Coupon) -> Offer:
        """The decisions behind a coupon."""
        return cls(**{one.name: getattr(coupon, one.name) for one in fields(cls)})

    def columns(self) -> dict[str, Any]:
        """As they are stored."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def tidied(offer: Offer) -> Offer:
    """Without stray spaces, and without values that belong to another kind of benefit.

    :raises DomainError: names the field and what is wrong with it
    """
    values = offer.columns()
    values["title"] = " ".join(offer.title.split())
    values["code"] = offer.code.strip()
    values["terms"] = offer.terms.strip().replace("\r\n", "\n")
    kind = KINDS.get(offer.benefit)
    if kind is not None and not kind.takes_text:
        values["benefit_text"] = ""
    if kind is not None and not kind.takes_value:
        values["benefit_value"] = None
    values["benefit_text"] = " ".join(values["benefit_text"].split())
    values["pin"] = offer.pin.strip() if offer.redeem == PIN else ""
    values["who"] = offer.who or None
    if values["who"] == {"all": []}:
        values["who"] = None
    values["shared_code"] = offer.shared_code.strip() if offer.code_kind == SHARED else ""
    values["after_tags"] = sorted(set(offer.after_tags))
    if offer.valid_days is not None:
        values["valid_from"] = values["valid_until"] = None
    tidy = Offer(**values)
    _check_words(tidy)
    _check_benefit(tidy)
    _check_numbers(tidy)
    _check_code(tidy)
    _check_use(tidy)
    return tidy


def whole_days(
    first: date | None, last: date | None, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """The moments from 0:00 of the first to 24:00 of the last day on the shop's clock.

    :raises DomainError: a day that is none of our time; field "first_day" or "last_day"
    """
    for day, named in ((first, "first_day"), (last, "last_day")):
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise DomainError(
                _("Choose a day from %(first)s to %(last)s.", first=FIRST_YEAR, last=LAST_YEAR),
                field=named,
            )
    starts = None if first is None else datetime.combine(first, time.min, tzinfo=zone)
    ends = None
    if last is not None:
        ends = datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone)
    return (
        None if starts is None else starts.astimezone(UTC),
        None if ends is None else ends.astimezone(UTC),
    )


def _check_words(offer: Offer) -> None:
    if not offer.title:
        raise DomainError(_l("Give the coupon a name."), field="title")
    if len(offer.title) > LONGEST_TITLE:
        raise DomainError(_("At most %(count)s characters.", count=LONGEST_TITLE), field="title")
    if offer.code and not SHORT_NAME.fullmatch(offer.code):
        raise DomainError(
            _l("A short name has up to 40 letters, digits, - and _, such as bento20."),
            field="code",
        )
    if len(offer.terms) > LONGEST_TERMS:
        raise DomainError(
            _("At most %(count)s characters.", count=format_count(LONGEST_TERMS)), field="terms"
        )


def _check_benefit(offer: Offer) -> None:
    kind = KINDS.get(offer.benefit)
    if kind is None:
        raise DomainError(_l("Choose what the coupon gives."), field="benefit")
    kind.check(offer)


def _check_numbers(offer: Offer) -> None:
    _whole(offer.minimum_spend, 0, MOST_MONEY, "minimum_spend")
    _whole(offer.per_friend, 1, MOST_PER_FRIEND, "per_friend")
    if offer.stock is not None:
        _whole(offer.stock, 0, MOST_STOCK, "stock")
    if offer.per_day is not None:
        _whole(offer.per_day, 1, MOST_STOCK, "per_day")
    if offer.valid_days is not None:
        _whole(offer.valid_days, 0, MOST_DAYS, "valid_days")
    starts, ends = offer.valid_from, offer.valid_until
    if starts is not None and ends is not None and starts >= ends:
        raise DomainError(_l("The last day is before the first one."), field="valid_until")


def _whole(value: object, low: int, high: int, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DomainError(
            _(
                "A whole number from %(low)s to %(high)s.",
                low=format_count(low),
                high=format_count(high),
            ),
            field=field,
        )


def _check_code(offer: Offer) -> None:
    if offer.code_kind not in CODE_LABELS:
        raise DomainError(_l("Choose which code friends show."), field="code_kind")
    if offer.code_kind == SHARED and not offer.shared_code:
        raise DomainError(_l("Enter the code everybody gets."), field="shared_code")
    if len(offer.shared_code) > LONGEST_SHARED_CODE or not offer.shared_code.isprintable():
        raise DomainError(
            _("At most %(count)s characters.", count=LONGEST_SHARED_CODE), field="shared_code"
        )


def _check_use(offer: Offer) -> None:
    if offer.redeem not in REDEEM_LABELS:
        raise DomainError(_l("Choose how the coupon is used."), field="redeem")
    if offer.redeem == PIN and not re.fullmatch(r"[0-9]{4,8}", offer.pin):
        raise DomainError(_l("The PIN has 4 to 8 digits."), field="pin")
