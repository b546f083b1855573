"""In which state a copy is, and the sentence each state has for staff."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from peewee import Expression

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.i18n import _l

ACTIVE, PAUSED, CLOSED = "active", "paused", "closed"

COUPON_STATE_LABELS: dict[str, Any] = {
    ACTIVE: _l("In progress"),
    PAUSED: _l("Paused"),
    CLOSED: _l("Closed"),
}


class State(StrEnum):
    """What a copy is at one moment; only VALID ones can be redeemed."""

    VALID = "valid"
    USED = "used"
    VOIDED = "voided"
    EXPIRED = "expired"
    CLOSED = "closed"
    PAUSED = "paused"
    NOT_YET = "not_yet"


STATE_LABELS: dict[State, Any] = {
    State.VALID: _l("Can be used"),
    State.USED: _l("Already used"),
    State.VOIDED: _l("Taken back"),
    State.EXPIRED: _l("Expired"),
    State.CLOSED: _l("Closed by the shop"),
    State.PAUSED: _l("Paused by the shop"),
    State.NOT_YET: _l("Not valid yet"),
}


def state_of(issue: CouponIssue, coupon: Coupon, now: datetime) -> State:
    """The state of a copy at shop time `now`; what can no longer change comes first."""
    if issue.redeemed_at is not None:
        return State.USED
    if issue.voided_at is not None:
        return State.VOIDED
    if issue.expires_at is not None and now >= issue.expires_at:
        return State.EXPIRED
    if coupon.state == CLOSED:
        return State.CLOSED
    if coupon.state == PAUSED:
        return State.PAUSED
    if issue.usable_from is not None and now < issue.usable_from:
        return State.NOT_YET
    return State.VALID


def is_unspent(issue: CouponIssue, now: datetime) -> bool:
    """Whether a friend still holds this copy: not used, taken back or expired."""
    return (
        issue.redeemed_at is None
        and issue.voided_at is None
        and (issue.expires_at is None or now < issue.expires_at)
    )


def redeemable_at(now: datetime) -> Expression:
    """The condition on CouponIssue under which an UPDATE may use a copy: VALID, said in SQL."""
    running = Coupon.select(Coupon.id).where(Coupon.state == ACTIVE)
    return (
        CouponIssue.redeemed_at.is_null()
        & CouponIssue.voided_at.is_null()
        & (CouponIssue.expires_at.is_null() | (CouponIssue.expires_at > now))
        & (CouponIssue.usable_from.is_null() | (CouponIssue.usable_from <= now))
        & CouponIssue.coupon.in_(running)
    )
