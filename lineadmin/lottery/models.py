"""Lotteries, their prizes, and every draw with the number that decided it."""

from __future__ import annotations

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from lineadmin.coupons.models import Coupon
from lineadmin.db import BaseModel, UTCDateTimeField


class Lottery(BaseModel):
    """A lottery friends can draw in.

    `seed` decides every draw (chance.py). Its hash is shown from the first day, the seed itself
    only when the lottery is closed: then anyone can compute each number again.
    """

    code = CharField(unique=True, max_length=40)  # the shop's own short name, used in files
    title = CharField(max_length=60)
    rule = CharField(default="once", max_length=8)  # once | daily, for each friend
    way = CharField(default="page", max_length=8)  # page | chat: where the card's button leads
    starts_at = UTCDateTimeField(null=True)
    ends_at = UTCDateTimeField(null=True)  # exclusive
    terms = TextField(default="")
    state = CharField(default="active", max_length=8)  # active | paused | closed
    seed = CharField(max_length=64)
    seed_hash = CharField(max_length=64)
    link_key = CharField(max_length=64)  # signs the links of its friends
    draws = IntegerField(default=0)
    closed_at = UTCDateTimeField(null=True)
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)


class LotteryPrize(BaseModel):
    """What can be drawn. What the odds of all prizes leave over wins nothing."""

    lottery_id: int
    lottery = ForeignKeyField(Lottery, backref="prizes", on_delete="RESTRICT", index=False)
    position = IntegerField()  # from 1
    name = CharField(max_length=40)
    coupon_id: int
    coupon = ForeignKeyField(Coupon, on_delete="RESTRICT")
    odds = IntegerField()  # in millionths
    stock = IntegerField(null=True)  # null = unlimited
    given = IntegerField(default=0)
    consolation = BooleanField(default=False)  # what winners get of a prize that has run out

    class Meta:
        indexes = ((("lottery", "position"), True),)


class LotteryDraw(BaseModel):
    """One draw of one friend. Written once and never changed: the log anyone can recheck.

    `period` is 0, or for a daily lottery the day on the shop's clock (date.toordinal), so that the
    unique index is the rule. `picked` is what the number stands for, `prize` what she got.
    """

    lottery_id: int
    lottery = ForeignKeyField(Lottery, backref="drawn", on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    period = IntegerField(default=0)
    number = IntegerField()  # 0 to 999,999
    picked_id: int | None
    picked = ForeignKeyField(LotteryPrize, null=True, on_delete="RESTRICT", index=False)
    prize_id: int | None
    prize = ForeignKeyField(LotteryPrize, null=True, on_delete="RESTRICT", index=False)
    reason = CharField(default="", max_length=16)  # why she did not get what was picked
    issue_id = IntegerField(null=True)  # her copy of the prize's coupon
    how = CharField(default="page", max_length=8)  # page | chat
    at = UTCDateTimeField()  # shop time

    class Meta:
        indexes = (
            (("lottery", "friend_id", "period"), True),
            (("lottery", "id"), False),
            (("lottery", "prize", "id"), False),
        )
