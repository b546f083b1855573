"""What became of coupons: by source, day, coupon and member of staff, in sums of the database.

Copies count on the day they were handed out ("of those handed out in May, so many were used"), so
the parts of a row belong together. Uses by day and by staff count on the day of the use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, Case, fn

from lineadmin.coupons.models import Coupon, CouponIssue, Redemption
from lineadmin.coupons.numbers import friend_names, staff_names
from lineadmin.db import from_ms
from lineadmin.outbox.live import one_of, rows

HALF_HOUR = 30 * 60 * 1000  # every zone's midnight falls on one
BATCH = 2_000


@dataclass(frozen=True)
class Span:
    """Some local days, both counted, and one coupon or all."""

    first: date
    last: date
    zone: ZoneInfo
    coupon_id: int | None = None

    @property
    def starts(self) -> datetime:
        """0:00 of the first day."""
        return datetime.combine(self.first, time(), self.zone)

    @property
    def ends(self) -> datetime:
        """24:00 of the last day."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    def days(self) -> list[date]:
        """Every day of it."""
        count = (self.last - self.first).days + 1
        return [self.first + timedelta(days=number) for number in range(count)]


@dataclass(frozen=True)
class Numbers:
    """Copies and what became of them. `expired` ended unused; money is of the uses that stand."""

    issued: int = 0
    opened: int = 0
    redeemed: int = 0
    expired: int = 0
    amount: int = 0  # TWD
    discount: int = 0  # TWD

    @property
    def held(self) -> int:
        """Still waiting to be used."""
        return self.issued - self.redeemed - self.expired

    def percent(self, part: int) -> float | None:
        """A share of the copies handed out; None where there are none."""
        return 100 * part / self.issued if self.issued else None

    def __add__(self, other: Numbers) -> Numbers:
        return Numbers(
            self.issued + other.issued,
            self.opened + other.opened,
            self.redeemed + other.redeemed,
            self.expired + other.expired,
            self.amount + other.amount,
            self.discount + other.discount,
        )


@dataclass(frozen=True)
class Day:
    """One local day: copies handed out, and uses."""

    day: date
    issued: int
    redeemed: int
    amount: int


@dataclass(frozen=True)
class ByStaff:
    """Who redeemed how many; `staff_id` None is the friends themselves."""

    staff_id: int | None
    name: str
    redeemed: int
    undone: int
    amount: int
    discount: int


def by_source(span: Span, *, now: datetime) -> dict[str, Numbers]:
    """The copies handed out in the span by their way to the friend, most first."""
    return _cohorts(span, CouponIssue.origin, now)


def by_coupon(span: Span, *, now: datetime) -> dict[int, Numbers]:
    """The same by coupon id, most first."""
    return _cohorts(span, CouponIssue.coupon, now)


def by_day(span: Span) -> list[Day]:
    """Every day of the span, oldest first; days without anything too."""
    issued: dict[date, int] = defaultdict(int)
    for day, count, _sum in _per_day(CouponIssue, CouponIssue.issued_at, span, SQL("0")):
        issued[day] += count
    redeemed: dict[date, int] = defaultdict(int)
    money: dict[date, int] = defaultdict(int)
    for day, count, amount in _per_day(Redemption, Redemption.at, span, Redemption.amount):
        redeemed[day] += count
        money[day] += amount
    return [Day(day, issued[day], redeemed[day], money[day]) for day in span.days()]


def by_staff(span: Span) -> list[ByStaff]:
    """Uses in the span by who stood at the counter, most first; undone ones apart."""
    stands = Redemption.undone_at.is_null()
    query: Any = (
        Redemption.select(
            Redemption.staff_id,
            fn.SUM(Case(None, [(stands, 1)], 0)),
            fn.SUM(Case(None, [(stands, 0)], 1)),
            fn.SUM(Case(None, [(stands, fn.COALESCE(Redemption.amount, 0))], 0)),
            fn.SUM(Case(None, [(stands, fn.COALESCE(Redemption.discount, 0))], 0)),
        )
        .where(*_within(Redemption, Redemption.at, span))
        .group_by(Redemption.staff_id)
    )
    counted = [(staff_id, *map(int, sums)) for staff_id, *sums in rows(query)]
    names = staff_names(staff_id for staff_id, *_sums in counted)
    found = [ByStaff(row[0], names.get(row[0] or 0, ""), *row[1:]) for row in counted]
    return sorted(found, key=lambda one: (-one.redeemed, one.name))


def copies(span: Span) -> Iterator[tuple[CouponIssue, str, str, str, int | None]]:
    """Every copy handed out in the span: with coupon title, friend, staff and discount."""
    titles = {row.id: row.title for row in Coupon.select(Coupon.id, Coupon.title)}
    after = 0
    while True:
        batch = list(
            CouponIssue.select()
            .where(*_within(CouponIssue, CouponIssue.issued_at, span), CouponIssue.id > after)
            .order_by(CouponIssue.id)
            .limit(BATCH)
        )
        friends = friend_names(row.friend_id for row in batch)
        people = staff_names(row.redeemed_by for row in batch)
        off = _discounts([row.id for row in batch if row.redeemed_at is not None])
        for row in batch:
            yield (
                row,
                titles.get(row.coupon_id, ""),
                friends.get(row.friend_id, ""),
                people.get(row.redeemed_by or 0, ""),
                off.get(row.id),
            )
        if len(batch) < BATCH:
            return
        after = batch[-1].id


def _cohorts(span: Span, key: Any, now: datetime) -> dict[Any, Numbers]:
    used = CouponIssue.redeemed_at.is_null(False)
    ended = CouponIssue.redeemed_at.is_null() & (CouponIssue.expires_at <= now)
    counted: Any = (
        CouponIssue.select(
            key,
            fn.COUNT(CouponIssue.id),
            fn.COUNT(CouponIssue.opened_at),
            fn.SUM(Case(None, [(used, 1)], 0)),
            fn.SUM(Case(None, [(ended, 1)], 0)),
        )
        .where(*_within(CouponIssue, CouponIssue.issued_at, span), CouponIssue.voided_at.is_null())
        .group_by(key)
    )
    money = _money(span, key)
    found = {}
    for name, issued, opened, redeemed, expired in rows(counted):
        amount, discount = money.get(name, (0, 0))
        found[name] = Numbers(issued, opened, int(redeemed), int(expired), amount, discount)
    return dict(sorted(found.items(), key=lambda item: (-item[1].issued, str(item[0]))))


def _money(span: Span, key: Any) -> dict[Any, tuple[int, int]]:
    query: Any = (
        CouponIssue.select(
            key,
            fn.COALESCE(fn.SUM(Redemption.amount), 0),
            fn.COALESCE(fn.SUM(Redemption.discount), 0),
        )
        .join(Redemption, on=(Redemption.issue == CouponIssue.id))
        .where(
            *_within(CouponIssue, CouponIssue.issued_at, span),
            Redemption.undone_at.is_null(),
            Redemption.at >= span.starts,  # none is used before it is handed out
        )
        .group_by(key)
    )
    return {name: (int(amount), int(discount)) for name, amount, discount in rows(query)}


def _per_day(model: Any, at: Any, span: Span, amount: Any) -> Iterator[tuple[date, int, int]]:
    stands = model.voided_at if model is CouponIssue else model.undone_at
    bucket = (at / HALF_HOUR).alias("bucket")
    query: Any = (
        model.select(bucket, fn.COUNT(model.id), fn.COALESCE(fn.SUM(amount), 0))
        .where(*_within(model, at, span), stands.is_null())
        .group_by(SQL("bucket"))
    )
    for number, count, money in rows(query):
        day = from_ms(number * HALF_HOUR).astimezone(span.zone).date()
        yield day, int(count), int(money)


def _within(model: Any, at: Any, span: Span) -> tuple[Any, ...]:
    condition: tuple[Any, ...] = (at >= span.starts, at < span.ends)
    if span.coupon_id is not None:
        condition = (model.coupon == span.coupon_id, *condition)
    return condition


def _discounts(issue_ids: list[int]) -> dict[int, int | None]:
    if not issue_ids:
        return {}
    query = Redemption.select(Redemption.issue, Redemption.discount).where(
        one_of(Redemption.issue, issue_ids), Redemption.undone_at.is_null()
    )
    return dict(rows(query))
