"""Handing out copies: stock and the limit per friend hold whatever happens at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin import journal, settings
from lineadmin.coupons import codes, partner_codes
from lineadmin.coupons.models import Coupon, CouponDay, CouponIssue
from lineadmin.coupons.offer import LIST
from lineadmin.coupons.states import CLOSED, PAUSED, is_unspent
from lineadmin.db import atomic, insert_rows, is_postgres
from lineadmin.i18n import _l

CHUNK = 500

COLUMNS = (
    CouponIssue.coupon,
    CouponIssue.friend_id,
    CouponIssue.number,
    CouponIssue.token,
    CouponIssue.code,
    CouponIssue.issued_at,
    CouponIssue.usable_from,
    CouponIssue.expires_at,
    CouponIssue.origin,
    CouponIssue.origin_id,
    CouponIssue.carried,
    CouponIssue.redeemed_how,
    CouponIssue.given_code,
)
NAMES = [column.name for column in COLUMNS]
TOKEN = NAMES.index("token")


class Reason(StrEnum):
    """Why a friend gets no copy."""

    PAUSED = "paused"
    CLOSED = "closed"
    ENDED = "ended"  # its last day is over
    STOCK = "stock"  # none left
    LIMIT = "limit"  # she has used hers, or they ran out
    NOT_HELD = "not_held"  # she has none she could use, where none is handed out (held.py)
    DAY = "day"  # as many as may be handed out today
    WHO = "who"  # it is not for her
    NOT_FRIEND = "not_friend"  # she claims it and has not added the account


REASON_LABELS: dict[Reason, Any] = {
    Reason.PAUSED: _l("The coupon is paused"),
    Reason.CLOSED: _l("The coupon is closed"),
    Reason.ENDED: _l("The coupon's last day is over"),
    Reason.STOCK: _l("The coupon's stock is used up"),
    Reason.LIMIT: _l("The friend has had as many of this coupon as allowed"),
    Reason.NOT_HELD: _l("The friend holds no copy she could use"),
    Reason.DAY: _l("Today's share of the coupon is used up"),
    Reason.WHO: _l("The coupon is not for this friend"),
    Reason.NOT_FRIEND: _l("Not a friend at present"),
}


# Which of these friends fit a condition at shop time: segments/among.py, handed down by the doors.
Fitting = Callable[[dict[str, Any], Sequence[int], datetime], set[int]]


@dataclass(frozen=True)
class Refusal:
    """No copy for this friend, and why."""

    reason: Reason


def issue_many(
    coupon: Coupon,
    friend_ids: Iterable[int],
    *,
    origin: str,
    origin_id: int = 0,
    now: datetime,
    fitting: Fitting | None = None,
) -> dict[int, CouponIssue | Refusal]:
    """A copy, or the reason for none, for each friend. Repeating it issues nothing twice.

    A friend who holds an unspent copy from the same origin, or as many copies as allowed, is shown
    the one she has; nothing is taken from stock for her. Where stock does not reach, the first
    friends get theirs.

    :param origin: one of those of CouponIssue, with the id of the program
    :param now: shop time; validity counts from it
    :param fitting: who fits the coupon's condition; without it, nobody does where it has one
    """
    zone = settings.shop_zone()
    wanted = list(dict.fromkeys(friend_ids))
    answers: dict[int, CouponIssue | Refusal] = {}
    for start in range(0, len(wanted), CHUNK):
        with atomic():
            answers |= _issue_chunk(
                coupon.id, wanted[start : start + CHUNK], origin, origin_id, now, zone, fitting
            )
    return answers


def issue_one(
    coupon: Coupon,
    friend_id: int,
    *,
    origin: str,
    origin_id: int = 0,
    now: datetime,
    fitting: Fitting | None = None,
) -> CouponIssue | Refusal:
    """`issue_many` for one friend."""
    answers = issue_many(
        coupon, [friend_id], origin=origin, origin_id=origin_id, now=now, fitting=fitting
    )
    return answers[friend_id]


def void(issues: Iterable[CouponIssue], *, now: datetime) -> int:
    """Take back copies whose message never left, and give them back to stock; how many.

    A copy that another message carries too, that was opened or that was used stays.
    """
    ids = list(dict.fromkeys(issue.id for issue in issues))
    taken = 0
    for start in range(0, len(ids), CHUNK):
        with atomic():
            taken += _void_chunk(ids[start : start + CHUNK], now)
    return taken


def open_issue(issue: CouponIssue, *, now: datetime) -> bool:
    """Note that the friend has seen her copy; True the first time."""
    with atomic():
        first = (
            CouponIssue.update(opened_at=now)
            .where(CouponIssue.id == issue.id, CouponIssue.opened_at.is_null())
            .execute()
        )
        if first:
            journal.record(
                issue.friend_id,
                "coupon.opened",
                object_id=issue.coupon_id,
                value={"issue": issue.id},
                at=now,
            )
    return bool(first)


def expiry(coupon: Coupon, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When a copy issued at `now` ends (exclusive): 24:00 shop time of the last day, or never."""
    ends = [coupon.valid_until] if coupon.valid_until is not None else []
    if coupon.valid_days is not None:
        last_day = now.astimezone(zone).date() + timedelta(days=coupon.valid_days)
        midnight = datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=zone)
        ends.append(midnight.astimezone(UTC))
    return min(ends, default=None)


def closed_reason(coupon: Coupon, now: datetime) -> Reason | None:
    """Why nobody can get this coupon now; None where it is handed out."""
    if coupon.state == CLOSED:
        return Reason.CLOSED
    if coupon.state == PAUSED:
        return Reason.PAUSED
    if coupon.valid_until is not None and now >= coupon.valid_until:
        return Reason.ENDED
    return None


def _issue_chunk(
    coupon_id: int,
    friend_ids: Sequence[int],
    origin: str,
    origin_id: int,
    now: datetime,
    zone: ZoneInfo,
    fitting: Fitting | None,
) -> dict[int, CouponIssue | Refusal]:
    coupon = _locked(coupon_id)
    refused = closed_reason(coupon, now)
    if refused is not None:
        return dict.fromkeys(friend_ids, Refusal(refused))
    answers: dict[int, CouponIssue | Refusal] = {}
    wanting: list[tuple[int, int]] = []
    shown: list[CouponIssue] = []
    held = _copies(coupon, friend_ids)
    for friend_id in friend_ids:
        copies = held.get(friend_id, [])
        unspent = [copy for copy in copies if is_unspent(copy, now)]
        same = [copy for copy in unspent if (copy.origin, copy.origin_id) == (origin, origin_id)]
        if same or (unspent and len(copies) >= coupon.per_friend):
            copy = (same or unspent)[-1]
            answers[friend_id] = copy
            shown.append(copy)
        elif len(copies) >= coupon.per_friend:
            answers[friend_id] = Refusal(Reason.LIMIT)
        else:
            taken = {copy.number for copy in copies}
            free = next(n for n in range(1, len(copies) + 2) if n not in taken)
            wanting.append((friend_id, free))
    wanting, unfit = _fit(coupon, wanting, fitting, now)
    answers |= dict.fromkeys(unfit, Refusal(Reason.WHO))
    today = now.astimezone(zone).date()
    in_time = _left_today(coupon, len(wanting), today)
    answers |= dict.fromkeys((friend for friend, _n in wanting[in_time:]), Refusal(Reason.DAY))
    wanting = wanting[:in_time]
    given = _codes_for(coupon, len(wanting))
    granted = _take_from_stock(coupon, min(len(wanting), len(given)))
    answers |= dict.fromkeys((friend for friend, _n in wanting[granted:]), Refusal(Reason.STOCK))
    _count_day(coupon, today, granted)
    _carry_again(shown)
    answers |= _write(coupon, wanting[:granted], given, origin, origin_id, now, zone)
    return answers


def _fit(
    coupon: Coupon, wanting: list[tuple[int, int]], fitting: Fitting | None, now: datetime
) -> tuple[list[tuple[int, int]], list[int]]:
    """Those the coupon is for, and those it is not for."""
    if coupon.who is None or not wanting:
        return wanting, []
    ids = [friend_id for friend_id, _number in wanting]
    fit = fitting(coupon.who, ids, now) if fitting is not None else set()
    return [one for one in wanting if one[0] in fit], [one for one in ids if one not in fit]


def _left_today(coupon: Coupon, wanted: int, today: date) -> int:
    if coupon.per_day is None or not wanted:
        return wanted
    row = CouponDay.get_or_none(CouponDay.coupon == coupon, CouponDay.day == today)
    return max(0, min(wanted, coupon.per_day - (row.issued if row is not None else 0)))


def _count_day(coupon: Coupon, day: date, more: int) -> None:
    if not more:
        return
    CouponDay.insert(coupon=coupon.id, day=day, issued=more).on_conflict(
        conflict_target=[CouponDay.coupon, CouponDay.day],
        update={CouponDay.issued: CouponDay.issued + more},
    ).execute()


def _codes_for(coupon: Coupon, wanted: int) -> list[tuple[int, str]]:
    """(id, code) of the partner's next free codes; blanks where copies carry none of those."""
    if coupon.code_kind == LIST:
        return partner_codes.next_free(coupon, wanted) if wanted else []
    return [(0, "")] * wanted


def _locked(coupon_id: int) -> Coupon:
    """The coupon as it is now, held until the transaction ends.

    On SQLite the transaction is the only writer already. On PostgreSQL a stronger lock would also
    stop a redemption, which refers to the coupon while it holds the copy: a deadlock.
    """
    query = Coupon.select().where(Coupon.id == coupon_id)
    if is_postgres():
        query = query.for_update(for_update="FOR NO KEY UPDATE")  # type: ignore[arg-type]
    coupon: Coupon = query.get()
    return coupon


def _copies(coupon: Coupon, friend_ids: Sequence[int]) -> dict[int, list[CouponIssue]]:
    found: dict[int, list[CouponIssue]] = {}
    query = CouponIssue.select().where(
        CouponIssue.coupon == coupon,
        CouponIssue.friend_id.in_(friend_ids),
        CouponIssue.voided_at.is_null(),
    )
    for copy in query.order_by(CouponIssue.id):
        copy.coupon = coupon
        found.setdefault(copy.friend_id, []).append(copy)
    return found


def _take_from_stock(coupon: Coupon, wanted: int) -> int:
    granted = wanted
    if coupon.stock is not None:
        granted = max(0, min(wanted, coupon.stock - coupon.issued))
    if not granted:
        return 0
    fits = Coupon.stock.is_null() | (Coupon.issued + granted <= Coupon.stock)
    took = (
        Coupon.update(issued=Coupon.issued + granted).where(Coupon.id == coupon.id, fits).execute()
    )
    return granted if took else 0


def _carry_again(copies: Sequence[CouponIssue]) -> None:
    if copies:
        CouponIssue.update(carried=CouponIssue.carried + 1).where(
            CouponIssue.id.in_([copy.id for copy in copies])
        ).execute()


def _write(
    coupon: Coupon,
    new: Sequence[tuple[int, int]],
    given: Sequence[tuple[int, str]],
    origin: str,
    origin_id: int,
    now: datetime,
    zone: ZoneInfo,
) -> dict[int, CouponIssue | Refusal]:
    if not new:
        return {}
    ends = expiry(coupon, now, zone)
    same = (now, coupon.valid_from, ends, origin, origin_id, 1, "")
    rows = [
        (coupon.id, friend_id, number, codes.new_token(), codes.new_code(), *same, code)
        for (friend_id, number), (_id, code) in zip(new, given, strict=False)
    ]
    ids = dict(insert_rows(COLUMNS, rows, returning=(CouponIssue.token, CouponIssue.id)))
    answers: dict[int, CouponIssue | Refusal] = {}
    for row in rows:
        copy = CouponIssue(**dict(zip(NAMES, row, strict=True)), id=ids[row[TOKEN]])
        copy.coupon = coupon
        answers[copy.friend_id] = copy
    if coupon.code_kind == LIST:
        ties = zip(rows, given, strict=False)
        partner_codes.tie([(code_id, ids[row[TOKEN]]) for row, (code_id, _code) in ties])
    journal.record_many(
        [friend_id for friend_id, _number in new],
        "coupon.issued",
        object_id=coupon.id,
        value={"origin": origin, "origin_id": origin_id},
        at=now,
    )
    return answers


def _void_chunk(ids: Sequence[int], now: datetime) -> int:
    # Coupons before copies, as when issuing: two transactions never wait for each other.
    concerned = CouponIssue.select(CouponIssue.coupon).where(CouponIssue.id.in_(ids)).distinct()
    taken = 0
    for coupon_id in sorted(copy.coupon_id for copy in concerned):
        _locked(coupon_id)
        mine = CouponIssue.id.in_(ids) & (CouponIssue.coupon == coupon_id)
        CouponIssue.update(carried=CouponIssue.carried - 1).where(
            mine, CouponIssue.carried > 0
        ).execute()
        loose = (
            mine
            & (CouponIssue.carried == 0)
            & CouponIssue.voided_at.is_null()
            & CouponIssue.opened_at.is_null()
            & CouponIssue.redeemed_at.is_null()
        )
        copies = list(CouponIssue.select().where(loose))
        friends = [copy.friend_id for copy in copies]
        voided = (
            CouponIssue.update(voided_at=now, number=CouponIssue.id * -1).where(loose).execute()
        )
        if voided:
            Coupon.update(issued=Coupon.issued - voided).where(Coupon.id == coupon_id).execute()
            _give_back(coupon_id, copies)
            journal.record_many(friends, "coupon.voided", object_id=coupon_id, at=now)
        taken += voided
    return taken


def _give_back(coupon_id: int, copies: Sequence[CouponIssue]) -> None:
    """The share of their days, and the partner's codes, of copies that were taken back."""
    zone = settings.shop_zone()
    by_day = Counter(copy.issued_at.astimezone(zone).date() for copy in copies)
    for day, count in by_day.items():
        CouponDay.update(issued=CouponDay.issued - count).where(
            CouponDay.coupon == coupon_id, CouponDay.day == day, CouponDay.issued >= count
        ).execute()
    partner_codes.set_free([copy.id for copy in copies if copy.given_code])
