"""At the counter: look a code up, use a copy exactly once, take that back within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from peewee import ModelSelect

from lineadmin import journal
from lineadmin.coupons import benefits, codes, partner_codes, throttle
from lineadmin.coupons.follow_up import UNDO_WINDOW, follow, take_back
from lineadmin.coupons.models import Coupon, CouponIssue, Redemption, RedemptionTry
from lineadmin.coupons.offer import SHARED
from lineadmin.coupons.states import STATE_LABELS, State, redeemable_at, state_of
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.learn import seen
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l, format_datetime, format_twd
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LARGEST_AMOUNT = 10_000_000
SCAN, CODE, SELF, PIN = "scan", "code", "self", "pin"

HOW_LABELS: dict[str, Any] = {
    SCAN: _l("Scanned by staff"),
    CODE: _l("Code typed by staff"),
    SELF: _l("By the friend"),
    PIN: _l("By the friend with the shop's PIN"),
}


class Outcome(StrEnum):
    """What else a try can come to, besides the states of a copy."""

    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    MINIMUM = "minimum"
    WRONG_PIN = "wrong_pin"
    LIMITED = "limited"
    UNDONE = "undone"
    SHARED = "shared"
    NOT_HERS = "not_hers"


OUTCOME_LABELS: dict[Outcome, Any] = {
    Outcome.UNKNOWN: _l("Not a coupon of this shop"),
    Outcome.FOREIGN: _l("Not a coupon of this shop"),
    Outcome.UNREADABLE: _l("Not a complete code"),
    Outcome.MINIMUM: _l("Below the minimum spend"),
    Outcome.WRONG_PIN: _l("Wrong PIN"),
    Outcome.LIMITED: _l("Too many wrong tries"),
    Outcome.UNDONE: _l("This redemption was undone"),
    Outcome.SHARED: _l("A code everybody has"),
    Outcome.NOT_HERS: _l("Opened by another person"),
}


@dataclass(frozen=True)
class Finding:
    """What stands behind a code. `issue`, `coupon` and `friend` are None where there is nothing."""

    outcome: State | Outcome
    text: str
    issue: CouponIssue | None = None
    coupon: Coupon | None = None
    friend: Friend | None = None

    @property
    def is_valid(self) -> bool:
        """May be redeemed now."""
        return self.outcome is State.VALID


@dataclass(frozen=True)
class Redeemed:
    """A use that counted. `repeated`: this very request had counted already."""

    redemption: Redemption
    issue: CouponIssue
    repeated: bool = False


class Refused(DomainError):
    """Not redeemed; `outcome` tells why."""

    def __init__(
        self, message: object, outcome: State | Outcome, *, field: str | None = None
    ) -> None:
        super().__init__(message, field=field)
        self.outcome = outcome


def check(
    text: str, *, staff: Staff | None, now: datetime, wall: datetime, address: str = ""
) -> Finding:
    """What a typed or scanned code stands for. Tries that lead nowhere are written down.

    :raises TooManyTries: this member of staff has tried too many codes that do not exist
    """
    entry = codes.read_entry(text)
    counted = throttle.staff_key(staff.id) if staff is not None else throttle.address_key(address)
    try:
        throttle.check(counted, wall=wall)
    except throttle.TooManyTries:
        if staff is not None:
            _write_try(Outcome.LIMITED, entry.text, None, staff, now, address)
        raise
    found = None if entry.foreign else find(code=entry.code, token=entry.token)
    if found is None and not entry.foreign:
        found = find_given(entry.text)
    if found is None and _is_shared(entry.text):
        return Finding(Outcome.SHARED, entry.text)
    if found is None and entry.code is None and entry.token is None and not entry.foreign:
        return Finding(Outcome.UNREADABLE, entry.text)
    if found is None:
        throttle.miss(counted, wall=wall)
        outcome = Outcome.FOREIGN if entry.foreign else Outcome.UNKNOWN
        _write_try(outcome, entry.text, None, staff, now, address)
        return Finding(outcome, entry.text)
    state = state_of(found, found.coupon, now)
    if state is not State.VALID:
        _write_try(state, entry.text, found, staff, now, address)
    friend = Friend.get_or_none(Friend.id == found.friend_id)
    return Finding(state, entry.text, found, found.coupon, friend)


def find(*, code: str | None = None, token: str | None = None) -> CouponIssue | None:
    """A copy with its coupon, by its code or the token of its page."""
    if code is None and token is None:
        return None
    named = CouponIssue.token == token if code is None else CouponIssue.code == code
    issue: CouponIssue | None = _with_coupon().where(named).first()
    return issue


def find_given(text: str) -> CouponIssue | None:
    """A copy with its coupon, by the partner's code it carries; an unused one comes first."""
    code = partner_codes.tidy(text)
    if not code or len(code) > partner_codes.LONGEST:
        return None
    carried = (CouponIssue.given_code == code) & (CouponIssue.given_code != "")
    query = _with_coupon().where(carried, CouponIssue.voided_at.is_null())
    copies = sorted(query, key=lambda copy: copy.redeemed_at is not None)
    return copies[0] if copies else None


def shown_code(issue: CouponIssue) -> str:
    """The code a friend reads out: her own, the partner's, or the one everybody has."""
    if issue.coupon.code_kind == SHARED:
        return str(issue.coupon.shared_code)
    return str(issue.given_code) or codes.shown(issue.code)


def _is_shared(text: str) -> bool:
    code = partner_codes.tidy(text)
    return (
        bool(code)
        and Coupon.select().where(Coupon.code_kind == SHARED, Coupon.shared_code == code).exists()
    )


def redeem(
    issue: CouponIssue,
    *,
    staff: Staff | None,
    how: str,
    request_key: str,
    now: datetime,
    wall: datetime,
    amount: int | None = None,
    address: str = "",
) -> Redeemed:
    """Use a copy. Of any number of tries at the same moment exactly one counts.

    Repeating a request with its key after a lost connection answers the use that counted.

    :param staff: who stands at the counter; None when the friend does it on her page
    :param amount: TWD of the purchase, where it was entered
    :param request_key: made by the device before its first try, at most 36 characters
    :raises Refused: the copy cannot be used, with its reason
    """
    if not 8 <= len(request_key) <= 36:
        raise ValueError("a request key has 8 to 36 characters")
    coupon = Coupon.get_by_id(issue.coupon_id)
    repeated = _earlier(issue, request_key)
    if repeated is not None:
        return repeated
    _check_amount(coupon, amount, issue, staff, now, address)
    with atomic():
        won = (
            CouponIssue.update(
                redeemed_at=now,
                redeemed_by=None if staff is None else staff.id,
                redeemed_amount=amount,
                redeemed_how=how,
            )
            .where(CouponIssue.id == issue.id, redeemable_at(now))
            .execute()
        )
        if won:
            redemption = _write_down(issue, coupon, staff, how, amount, request_key, now, wall)
            return Redeemed(redemption, _fresh(issue))
    # The same request may have won on another connection while this one waited.
    repeated = _earlier(issue, request_key)
    if repeated is not None:
        return repeated
    raise _refusal(issue, staff, now, address)


def undo(
    redemption: Redemption, *, staff: Staff, reason: str, now: datetime, wall: datetime
) -> None:
    """Take a use back: the copy can be used again, stock stays as it is, history shows both.

    :raises DomainError: no reason given, ten minutes have passed, or it was undone before
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise DomainError(_l("Say in a few words why you undo it."), field="reason")
    with atomic():
        undone = (
            Redemption.update(undone_at=now, undone_by=staff.id, undo_reason=reason)
            .where(
                Redemption.id == redemption.id,
                Redemption.undone_at.is_null(),
                Redemption.at > now - UNDO_WINDOW,
            )
            .execute()
        )
        if not undone:
            raise DomainError(_undo_refusal(redemption.id))
        CouponIssue.update(
            redeemed_at=None, redeemed_by=None, redeemed_amount=None, redeemed_how=""
        ).where(CouponIssue.id == redemption.issue_id).execute()
        coupon = Coupon.get_by_id(redemption.coupon_id)
        take_back(redemption, now=now)
        value = {"issue": redemption.issue_id, "reason": reason, "staff": staff.id}
        journal.record(
            redemption.friend_id, "coupon.undone", object_id=coupon.id, value=value, at=now
        )
        before = {"redeemed": True, "amount": redemption.amount}
        after = {"redeemed": False, "amount": None}
        audit.record(
            staff,
            "coupon.undo",
            "coupon",
            coupon.id,
            coupon.title,
            before,
            after,
            wall=wall,
            reason=reason,
        )


def may_undo(redemption: Redemption, now: datetime) -> bool:
    """Whether `undo` would still be accepted at shop time `now`."""
    return redemption.undone_at is None and now < redemption.at + UNDO_WINDOW


def note_try(
    outcome: State | Outcome,
    *,
    issue: CouponIssue | None,
    text: str = "",
    staff: Staff | None = None,
    now: datetime,
    address: str = "",
) -> None:
    """Write down a try that came to nothing, for the list staff read."""
    _write_try(outcome, text, issue, staff, now, address)


def note_unknown_link(token: str, *, now: datetime, address: str) -> None:
    """Write down a link to a page that does not exist."""
    _write_try(Outcome.UNKNOWN, f"/c/{token}", None, None, now, address)


def outcome_label(outcome: State | Outcome | str) -> str:
    """What a try came to, in words."""
    known: dict[str, Any] = {key.value: label for key, label in STATE_LABELS.items()}
    known |= {key.value: label for key, label in OUTCOME_LABELS.items()}
    return str(known.get(str(outcome), outcome))


def _earlier(issue: CouponIssue, request_key: str) -> Redeemed | None:
    row = Redemption.get_or_none(Redemption.request_key == request_key)
    if row is None:
        return None
    if row.issue_id != issue.id:
        raise ValueError("this request key belongs to another copy")
    if row.undone_at is not None:
        raise Refused(OUTCOME_LABELS[Outcome.UNDONE], Outcome.UNDONE)
    return Redeemed(row, _fresh(issue), repeated=True)


def _check_amount(
    coupon: Coupon,
    amount: int | None,
    issue: CouponIssue,
    staff: Staff | None,
    now: datetime,
    address: str,
) -> None:
    if amount is None:
        return
    if not 0 <= amount <= LARGEST_AMOUNT:
        raise Refused(_l("Enter the amount in whole dollars."), Outcome.UNREADABLE, field="amount")
    if amount < coupon.minimum_spend:
        _write_try(Outcome.MINIMUM, str(amount), issue, staff, now, address)
        raise Refused(
            _(
                "The minimum spend is %(minimum)s; %(amount)s is not enough.",
                minimum=format_twd(coupon.minimum_spend),
                amount=format_twd(amount),
            ),
            Outcome.MINIMUM,
            field="amount",
        )


def _write_down(
    issue: CouponIssue,
    coupon: Coupon,
    staff: Staff | None,
    how: str,
    amount: int | None,
    request_key: str,
    now: datetime,
    wall: datetime,
) -> Redemption:
    saved = None if amount is None else benefits.discount(coupon, amount)
    redemption: Redemption = Redemption.create(
        issue=issue.id,
        coupon=coupon.id,
        friend_id=issue.friend_id,
        at=now,
        staff_id=None if staff is None else staff.id,
        how=how,
        amount=amount,
        discount=saved,
        request_key=request_key,
    )
    value = {"issue": issue.id, "how": how, "discount": saved}
    if staff is not None:
        value |= {"staff": staff.id}
    seen(issue.friend_id, at=now)
    journal.record(
        issue.friend_id,
        "coupon.redeemed",
        object_id=coupon.id,
        value=value,
        amount=amount,
        at=now,
    )
    if staff is not None:
        before = {"redeemed": False, "amount": None}
        after = {"redeemed": True, "amount": amount}
        audit.record(
            staff, "coupon.redeem", "coupon", coupon.id, coupon.title, before, after, wall=wall
        )
    follow(redemption, coupon, now=now)
    return redemption


def _refusal(issue: CouponIssue, staff: Staff | None, now: datetime, address: str) -> Refused:
    fresh = _fresh(issue)
    state = state_of(fresh, fresh.coupon, now)
    _write_try(state, codes.shown(fresh.code), fresh, staff, now, address)
    return Refused(refusal_sentence(fresh, state), state)


def _with_coupon() -> ModelSelect[CouponIssue]:
    return CouponIssue.select(CouponIssue, Coupon).join(Coupon)


def _fresh(issue: CouponIssue) -> CouponIssue:
    fresh: CouponIssue = _with_coupon().where(CouponIssue.id == issue.id).get()
    return fresh


def refusal_sentence(issue: CouponIssue, state: State) -> str:
    """Why a copy in `state` cannot be used, as staff would tell the friend."""
    if state is State.USED and issue.redeemed_at is not None:
        by = Staff.get_or_none(Staff.id == issue.redeemed_by)
        if by is not None:
            return _(
                "Already used at %(time)s, by %(staff)s.",
                time=format_datetime(issue.redeemed_at),
                staff=by.name,
            )
        return _("Already used at %(time)s.", time=format_datetime(issue.redeemed_at))
    if state is State.EXPIRED and issue.expires_at is not None:
        return _("Expired: it was valid %(period)s.", period=benefits.end_text(issue.expires_at))
    if state is State.NOT_YET and issue.usable_from is not None:
        return _("Not valid yet: it starts %(time)s.", time=format_datetime(issue.usable_from))
    if state is State.PAUSED:
        return _("The shop has paused this coupon. A manager can resume it.")
    if state is State.CLOSED:
        return _("The shop has closed this coupon.")
    if state is State.VOIDED:
        return _("This copy was taken back before it was sent.")
    return _("Can be used")


def _undo_refusal(redemption_id: int) -> Any:
    row = Redemption.get_by_id(redemption_id)
    if row.undone_at is not None:
        return _l("This redemption was undone before.")
    return _l("Ten minutes have passed; this redemption can no longer be undone.")


def _write_try(
    outcome: State | Outcome,
    text: str,
    issue: CouponIssue | None,
    staff: Staff | None,
    now: datetime,
    address: str,
) -> None:
    RedemptionTry.insert(
        at=now,
        staff_id=None if staff is None else staff.id,
        code="".join(letter for letter in text[:64] if letter.isprintable()),
        issue=None if issue is None else issue.id,
        outcome=outcome.value,
        address=address[:64],
    ).execute()
