"""LINE's coupons as far as we know them."""

from __future__ import annotations

from peewee import BooleanField, CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class LineCoupon(BaseModel):
    """A coupon that lives at LINE.

    draft -> asked, once somebody on the staff wants it; asked -> running | unclear;
    unclear -> running, or gone with the next look at LINE's list; running -> closed. A row is
    committed before LINE is asked, so that a crash or a lost answer leaves a trace instead of a
    coupon nobody knows of.
    """

    line_id = CharField(max_length=100, null=True, unique=True)
    title = CharField(max_length=60)
    state = CharField(max_length=8)  # draft | asked | unclear | running | closed
    starts_at = UTCDateTimeField()
    ends_at = UTCDateTimeField()  # real time: LINE ends it
    probability = IntegerField(null=True)  # percent; null = everybody gets it
    definition = JSONTextField()  # as it was sent to LINE, or as LINE tells it
    made_here = BooleanField(default=True)  # False: made in LINE's own manager
    created_at = UTCDateTimeField()  # real time
    checked_at = UTCDateTimeField(null=True)  # real time of the last look at LINE's list
