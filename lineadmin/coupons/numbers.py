"""What became of coupons, in numbers, and the latest uses and tries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import ModelSelect, fn

from lineadmin.coupons.models import Coupon, CouponIssue, Redemption, RedemptionTry
from lineadmin.friends.models import Friend
from lineadmin.staff.models import Staff


@dataclass(frozen=True)
class Numbers:
    """Copies of one coupon and the money they brought; `expired` only where it was asked for."""

    issued: int = 0
    opened: int = 0
    redeemed: int = 0
    expired: int = 0
    amount: int = 0  # TWD of the purchases, where entered
    discount: int = 0  # TWD given away

    @property
    def held(self) -> int:
        """Copies still waiting to be used."""
        return max(0, self.issued - self.redeemed - self.expired)

    def percent(self, part: int) -> float | None:
        """A share of the issued ones; None where there are none."""
        return 100 * part / self.issued if self.issued else None


def numbers_of(coupons: Iterable[Coupon]) -> dict[int, Numbers]:
    """The numbers of several coupons by their id, in three queries."""
    rows = list(coupons)
    ids = [coupon.id for coupon in rows]
    opened = _counts(ids, CouponIssue.opened_at.is_null(False))
    redeemed = _counts(ids, CouponIssue.redeemed_at.is_null(False))
    sums: Any = (
        Redemption.select(Redemption.coupon, fn.SUM(Redemption.amount), fn.SUM(Redemption.discount))
        .where(Redemption.coupon.in_(ids), Redemption.undone_at.is_null())
        .group_by(Redemption.coupon)
        .tuples()
    )
    money = {coupon_id: (int(amount or 0), int(off or 0)) for coupon_id, amount, off in sums}
    return {
        coupon.id: Numbers(
            issued=coupon.issued,
            opened=opened.get(coupon.id, 0),
            redeemed=redeemed.get(coupon.id, 0),
            amount=money.get(coupon.id, (0, 0))[0],
            discount=money.get(coupon.id, (0, 0))[1],
        )
        for coupon in rows
    }


def numbers_at(coupon: Coupon, now: datetime) -> Numbers:
    """The numbers of one coupon at shop time `now`, expired copies among them."""
    known = numbers_of([coupon])[coupon.id]
    expired = (
        CouponIssue.select()
        .where(
            CouponIssue.coupon == coupon,
            CouponIssue.redeemed_at.is_null(),
            CouponIssue.voided_at.is_null(),
            CouponIssue.expires_at <= now,
        )
        .count()
    )
    return Numbers(
        known.issued, known.opened, known.redeemed, expired, known.amount, known.discount
    )


@dataclass(frozen=True)
class Use:
    """A redemption with the names that belong to it."""

    redemption: Redemption
    coupon: Coupon
    friend_name: str
    staff_name: str
    undone_by: str


def latest_uses(*, limit: int, coupon: Coupon | None = None) -> list[Use]:
    """The latest redemptions, undone ones included."""
    query = Redemption.select().order_by(Redemption.at.desc(), Redemption.id.desc()).limit(limit)
    if coupon is not None:
        query = query.where(Redemption.coupon == coupon)
    return uses(list(query))


def use_of(redemption_id: int) -> Use | None:
    """One redemption."""
    row = Redemption.get_or_none(Redemption.id == redemption_id)
    return uses([row])[0] if row is not None else None


def uses(rows: list[Redemption]) -> list[Use]:
    """Redemptions with their names, in three queries."""
    coupons = {
        coupon.id: coupon
        for coupon in Coupon.select().where(Coupon.id.in_({row.coupon_id for row in rows}))
    }
    friends = friend_names(row.friend_id for row in rows)
    people = staff_names([row.staff_id for row in rows] + [row.undone_by for row in rows])
    return [
        Use(
            row,
            coupons[row.coupon_id],
            friends.get(row.friend_id, ""),
            people.get(row.staff_id or 0, ""),
            people.get(row.undone_by or 0, ""),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Tried:
    """A try that came to nothing, with names."""

    row: RedemptionTry
    coupon_title: str
    friend_name: str
    staff_name: str


def with_names(rows: list[RedemptionTry]) -> list[Tried]:
    """Tries with the names that belong to them; fetch the rows with `tries_query`."""
    friends = friend_names(row.issue.friend_id for row in rows if row.issue is not None)
    people = staff_names([row.staff_id for row in rows])
    return [
        Tried(
            row,
            row.issue.coupon.title if row.issue is not None else "",
            friends.get(row.issue.friend_id, "") if row.issue is not None else "",
            people.get(row.staff_id or 0, ""),
        )
        for row in rows
    ]


def tries_query() -> ModelSelect[RedemptionTry]:
    """Every try with its copy and coupon, where there is one."""
    return (
        RedemptionTry.select(RedemptionTry, CouponIssue, Coupon)
        .left_outer_join(CouponIssue)
        .left_outer_join(Coupon)
    )


def friend_names(ids: Iterable[int]) -> dict[int, str]:
    """Display names by friend id."""
    wanted = Friend.select(Friend.id, Friend.display_name).where(Friend.id.in_(set(ids)))
    return {friend.id: friend.display_name for friend in wanted}


def staff_names(ids: Iterable[int | None]) -> dict[int, str]:
    """Names by staff id."""
    wanted = Staff.select(Staff.id, Staff.name).where(Staff.id.in_(set(ids) - {None}))
    return {person.id: person.name for person in wanted}


def _counts(ids: list[int], condition: object) -> dict[int, int]:
    query: Any = (
        CouponIssue.select(CouponIssue.coupon, fn.COUNT(CouponIssue.id))
        .where(CouponIssue.coupon.in_(ids), condition)
        .group_by(CouponIssue.coupon)
        .tuples()
    )
    return {int(coupon_id): int(count) for coupon_id, count in query}
