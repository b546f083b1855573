"""Redeeming by the friend herself on her page: alone, or with the PIN the counter tells her."""

from __future__ import annotations

import hmac
from datetime import datetime

from lineadmin.coupons import throttle
from lineadmin.coupons.models import CouponIssue
from lineadmin.coupons.offer import PIN, SELF
from lineadmin.coupons.redeem import Outcome, Redeemed, Refused, note_try, redeem
from lineadmin.i18n import _l


def redeem_by_friend(
    issue: CouponIssue,
    *,
    pin: str,
    request_key: str,
    now: datetime,
    wall: datetime,
    address: str,
) -> Redeemed:
    """Use a copy from its page, where the coupon allows that.

    :raises Refused: staff have to do it, the PIN is wrong, or the copy cannot be used
    :raises TooManyTries: too many wrong PINs for this copy
    """
    how = issue.coupon.redeem
    if how not in (SELF, PIN):
        raise Refused(_l("Please show this page at the counter."), Outcome.UNKNOWN)
    if how == PIN:
        counted = throttle.pin_key(issue.id)
        throttle.admit(counted, wall=wall)
        if not hmac.compare_digest(pin.strip().encode(), issue.coupon.pin.encode()):
            throttle.miss(throttle.address_key(address), wall=wall)
            note_try(Outcome.WRONG_PIN, issue=issue, now=now, address=address)
            raise Refused(_l("This PIN is not right."), Outcome.WRONG_PIN, field="pin")
        throttle.forgive(counted)
    return redeem(
        issue,
        staff=None,
        how=how,
        request_key=request_key,
        now=now,
        wall=wall,
        address=address,
    )
