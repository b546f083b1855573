"""The reminder of a coupon."""

from __future__ import annotations

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from lineadmin.coupons.models import Coupon
from lineadmin.db import BaseModel, UTCDateTimeField


class CouponReminder(BaseModel):
    """When holders of a coupon are reminded, in which words, and how far that has got.

    `reached_at` and `reached_id` are the end and the id of the last copy that was looked at: copies
    are taken in the order in which they end, so a tick reads nothing but what has become due.
    """

    coupon_id: int
    coupon = ForeignKeyField(Coupon, unique=True, on_delete="RESTRICT")
    enabled = BooleanField(default=True)
    unit = CharField(max_length=5)  # days | hours
    lead = IntegerField()  # so many of them before the end
    at = CharField(max_length=5, default="11:00")  # time of day on the shop's clock, for days
    words = TextField()
    reached_at = UTCDateTimeField()
    reached_id = IntegerField(default=0)
    pause_reason = CharField(default="", max_length=32)
    version = IntegerField(default=1)
