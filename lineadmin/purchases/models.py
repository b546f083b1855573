"""Purchases, what they are made of, and friends' wishes to change an order."""

from __future__ import annotations

from peewee import SQL, BigIntegerField, CharField, ForeignKeyField, IntegerField, TextField

from lineadmin.db import BaseModel, UTCDateTimeField
from lineadmin.friends.models import Friend


class PurchaseCategory(BaseModel):
    """A kind of goods; made when a purchase first names it."""

    name = CharField(max_length=40, unique=True)
    created_at = UTCDateTimeField()


class Purchase(BaseModel):
    """One receipt or order of a friend, known by its number.

    `uncounted_at` is empty while it counts: voiding sets it, and so does a cancelled order. It
    leads the index that alone answers every question about numbers and sums.
    """

    receipt_no = CharField(max_length=64, unique=True)
    friend = ForeignKeyField(Friend, on_delete="RESTRICT", index=False)
    at = UTCDateTimeField()  # shop time of the purchase
    amount = BigIntegerField()  # TWD
    channel = CharField(max_length=40, default="")  # counter, online shop, telephone, …
    branch = CharField(max_length=60, default="")
    status = CharField(max_length=10)  # placed | preparing | ready | done | cancelled
    origin = CharField(max_length=12)  # staff | csv | redemption
    redemption_id = IntegerField(null=True, unique=True)  # the coupon's use that belongs to it
    staff_id = IntegerField(null=True)  # who entered it
    note = CharField(max_length=200, default="")
    recorded_at = UTCDateTimeField()  # shop time
    voided_at = UTCDateTimeField(null=True)
    voided_by = IntegerField(null=True)
    void_reason = CharField(max_length=200, default="")
    uncounted_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)
    friend_id: int

    class Meta:
        indexes = (
            (("friend", "at"), False),
            (("at", "id"), False),
            (("amount", "id"), False),
            (("status", "at"), False),
            (("branch", "at"), False),
        )


Purchase.add_index(
    Purchase.index(
        Purchase.uncounted_at,
        Purchase.friend,
        Purchase.at,
        Purchase.amount,
        name="purchase_counted",
    )
)


Purchase.add_index(
    Purchase.index(
        Purchase.uncounted_at,
        Purchase.at,
        Purchase.friend,
        Purchase.amount,
        name="purchase_by_day",
    )
)


class PurchaseLine(BaseModel):
    """One thing that was bought. Repeats whose it is, when and whether it counts, so that an index
    alone answers who bought of a category."""

    purchase = ForeignKeyField(Purchase, backref="lines", on_delete="CASCADE")
    category = ForeignKeyField(PurchaseCategory, null=True, on_delete="RESTRICT", index=False)
    name = CharField(max_length=80, default="")
    quantity = IntegerField(default=1)
    amount = BigIntegerField(null=True)  # TWD, of the whole line
    friend_id = IntegerField()
    at = UTCDateTimeField()
    uncounted_at = UTCDateTimeField(null=True)
    category_id: int | None
    purchase_id: int


PurchaseLine.add_index(
    PurchaseLine.index(
        PurchaseLine.uncounted_at,
        PurchaseLine.category,
        PurchaseLine.friend_id,
        PurchaseLine.at,
        name="purchase_line_counted",
    )
)


class ChangeRequest(BaseModel):
    """A friend's wish to change an order: staff's task until it is answered."""

    purchase = ForeignKeyField(Purchase, backref="requests", on_delete="RESTRICT")
    at = UTCDateTimeField()  # shop time
    words = TextField()
    state = CharField(max_length=8, default="open")  # open | done | declined
    answer = CharField(max_length=300, default="")
    answered_by = IntegerField(null=True)
    answered_at = UTCDateTimeField(null=True)
    purchase_id: int


# One open wish per order: a second tap on the phone changes nothing.
ChangeRequest.add_index(
    ChangeRequest.index(
        ChangeRequest.purchase,
        unique=True,
        name="change_request_open",
        where=SQL("answered_at IS NULL"),
    )
)
