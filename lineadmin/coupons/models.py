"""Coupons and the copies friends hold."""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BooleanField,
    CharField,
    DateField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


def _default(value: Any) -> dict[str, Any]:
    """A default in Python and in SQL."""
    literal = repr(value) if isinstance(value, str | list) else str(value).upper()
    if isinstance(value, list):
        literal = f"'{literal}'"
    return {
        "default": list if value == [] else value,
        "constraints": [SQL(f"DEFAULT {literal}")],
    }


class Coupon(BaseModel):
    """An offer friends can hold copies of."""

    code = CharField(unique=True, max_length=40)  # the shop's own short name, used in files
    title = CharField(max_length=60)
    benefit = CharField(max_length=12)  # a kind of coupons/benefits.py
    benefit_value = FloatField(null=True)  # percent off, or TWD
    benefit_text = CharField(default="")  # what the gift is
    minimum_spend = IntegerField(default=0)  # TWD; 0 = none
    valid_days = IntegerField(null=True)  # to 24:00 shop time of that many days after the issue
    valid_from = UTCDateTimeField(null=True)
    valid_until = UTCDateTimeField(null=True)  # exclusive
    stock = IntegerField(null=True)  # null = unlimited
    issued = IntegerField(default=0)  # taken from stock
    per_friend = IntegerField(default=1)
    redeem = CharField(default="staff", max_length=8)  # staff | self | pin
    pin = CharField(default="", max_length=12)
    terms = TextField(default="")
    state = CharField(default="active", max_length=8)  # active | paused | closed
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)
    # Added later: with a default in SQL, so that a table with rows in it could be altered.
    picture = CharField(max_length=32, **_default(""))  # token of the upload, cut to the card
    picture_from = JSONTextField(null=True)  # {source, x, y, zoom}: to cut it anew
    per_day = IntegerField(null=True)  # handed out per day of the shop's; null = no such limit
    who = JSONTextField(null=True)  # a condition of segments/language.py; null = everybody
    friends_only = BooleanField(**_default(True))  # nothing for those who are no friends now
    code_kind = CharField(max_length=8, **_default("own"))  # own | list | shared
    shared_code = CharField(max_length=64, **_default(""))
    claim_token = CharField(max_length=32, **_default(""))  # of its public claim link, if any
    after_tags = JSONTextField(**_default([]))  # ids of tags set when it is redeemed
    after_messages = JSONTextField(**_default([]))  # parts sent after the undo window
    after_content_id = IntegerField(null=True)  # those parts as the outbox knows them
    archived_at = UTCDateTimeField(null=True)


Coupon.add_index(
    Coupon.index(Coupon.claim_token, name="coupon_claimed", where=SQL("claim_token <> ''"))
)


class CouponIssue(BaseModel):
    """One copy in one friend's hand.

    `token` opens her page, `code` is what staff type; both are unguessable (128 and 60 bits).
    `number` counts her copies from 1, so the unique index is the per-friend limit; a voided copy
    gives its number free (it becomes minus its id). What `redeemed_*` say is the state now; the
    history is in Redemption.
    """

    coupon_id: int
    coupon = ForeignKeyField(Coupon, backref="issues", on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    number = IntegerField(default=1)
    token = CharField(max_length=32, unique=True)
    code = CharField(max_length=16, unique=True)  # without dashes
    issued_at = UTCDateTimeField()  # shop time
    usable_from = UTCDateTimeField(null=True)
    expires_at = UTCDateTimeField(null=True)  # exclusive, shop time
    # greeting | step | broadcast | reply | staff | test | claim | thanks | lottery | survey; what a
    # message lets her claim has that message's, "claim" is a link that no message brought
    origin = CharField(default="", max_length=12)
    origin_id = IntegerField(default=0)
    carried = IntegerField(default=1)  # messages it was put into; voided when none of them left
    opened_at = UTCDateTimeField(null=True)
    redeemed_at = UTCDateTimeField(null=True)
    redeemed_by = IntegerField(null=True)  # staff id; empty when the friend did it herself
    redeemed_amount = IntegerField(null=True)  # TWD of the purchase, if entered
    redeemed_how = CharField(default="", max_length=8)  # code | scan | self | pin
    voided_at = UTCDateTimeField(null=True)
    given_code = CharField(max_length=64, **_default(""))  # of a partner's list, or the shared one

    class Meta:
        indexes = (
            (("coupon", "friend_id", "number"), True),
            (("coupon", "id"), False),
            (("friend_id", "id"), False),
        )


# Counted and listed by coupon, the latest first.
for _name, _where in (
    ("couponissue_opened", "opened_at IS NOT NULL"),
    ("couponissue_redeemed", "redeemed_at IS NOT NULL"),
    ("couponissue_voided", "voided_at IS NOT NULL"),
):
    CouponIssue.add_index(
        CouponIssue.index(CouponIssue.coupon, CouponIssue.id, name=_name, where=SQL(_where))
    )
CouponIssue.add_index(
    CouponIssue.index(
        CouponIssue.given_code, name="couponissue_given", where=SQL("given_code <> ''")
    )
)
# Who still holds one, by the end of its time: what has expired, and whom to remind.
CouponIssue.add_index(
    CouponIssue.index(
        CouponIssue.coupon,
        CouponIssue.expires_at,
        name="couponissue_held",
        where=SQL("redeemed_at IS NULL AND voided_at IS NULL"),
    )
)
# Handed out in a span of days, of one coupon or of all: reports.
CouponIssue.add_index(
    CouponIssue.index(
        CouponIssue.coupon, CouponIssue.issued_at, name="couponissue_issued_of_coupon"
    )
)
CouponIssue.add_index(CouponIssue.index(CouponIssue.issued_at, name="couponissue_issued"))
# Copies in the order in which they end, used ones too: a reminder looks at each once.
CouponIssue.add_index(
    CouponIssue.index(
        CouponIssue.coupon,
        CouponIssue.expires_at,
        CouponIssue.id,
        name="couponissue_ends",
        where=SQL("voided_at IS NULL"),
    )
)


class PartnerCode(BaseModel):
    """One of the codes a partner gave us for a coupon; `issue` is the copy that carries it."""

    coupon_id: int
    coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
    code = CharField(max_length=64)
    issue = ForeignKeyField(CouponIssue, null=True, on_delete="SET NULL", index=False)
    imported_at = UTCDateTimeField()

    class Meta:
        indexes = ((("coupon", "code"), True),)


PartnerCode.add_index(
    PartnerCode.index(
        PartnerCode.coupon, PartnerCode.id, name="partnercode_free", where=SQL("issue_id IS NULL")
    )
)
PartnerCode.add_index(
    PartnerCode.index(
        PartnerCode.issue,
        unique=True,
        name="partnercode_taken",
        where=SQL("issue_id IS NOT NULL"),
    )
)


class CouponDay(BaseModel):
    """How many copies of a coupon were handed out on one day of the shop's."""

    coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
    day = DateField()
    issued = IntegerField(default=0)

    class Meta:
        indexes = ((("coupon", "day"), True),)


class Redemption(BaseModel):
    """One use of a copy, kept when it is undone: history shows both. Times are shop time.

    `request_key` is made by the device before its first try, so that a try repeated after a lost
    connection finds this row instead of redeeming again.
    """

    issue_id: int
    issue = ForeignKeyField(CouponIssue, backref="redemptions", on_delete="RESTRICT")
    coupon_id: int
    coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    at = UTCDateTimeField()
    staff_id = IntegerField(null=True)  # empty when the friend did it herself
    how = CharField(max_length=8)  # code | scan | self | pin
    amount = IntegerField(null=True)  # TWD of the purchase, if entered
    discount = IntegerField(null=True)  # TWD taken off it, where that follows from the amount
    request_key = CharField(max_length=36, unique=True)
    undone_at = UTCDateTimeField(null=True)
    undone_by = IntegerField(null=True)  # staff id
    undo_reason = CharField(default="", max_length=200)

    class Meta:
        indexes = ((("coupon", "at"), False), (("at", "id"), False), (("staff_id", "at"), False))


class RedemptionTry(BaseModel):
    """A try with a code that was wrong, used, expired or foreign; staff read them as a list."""

    at = UTCDateTimeField(index=True)  # shop time
    staff_id = IntegerField(null=True)
    code = CharField(max_length=64, default="")  # as it was typed or scanned
    issue = ForeignKeyField(CouponIssue, null=True, on_delete="SET NULL", index=False)
    outcome = CharField(max_length=16)  # states.State and redeem.Outcome
    address = CharField(default="")

    class Meta:
        indexes = ((("outcome", "id"), False), (("staff_id", "id"), False))


class GuessCount(BaseModel):
    """Misses under one key ("staff:…", "address:…", "pin:…") in its window, on real time."""

    key = CharField(max_length=80, unique=True)
    misses = IntegerField(default=0)
    window_started_at = UTCDateTimeField(index=True)
