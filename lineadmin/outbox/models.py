"""Contents, deliveries, shipments, free replies and the quota ledger."""

from __future__ import annotations

from enum import IntEnum

from peewee import (
    SQL,
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField

NARROWCAST = "narrowcast"  # the kind of a shipment whose recipients LINE chooses


class OriginKind(IntEnum):
    """Which program wanted a message sent."""

    BROADCAST = 1
    STEP = 2  # id = sequence, run = enrolment run * 1000 + step number
    GREETING = 3  # a first greeting whose free reply was clearly not accepted
    STAFF = 4  # a staff member's answer that goes as a push; id = the message's own id
    TEST = 5  # a test send to a staff member's own LINE
    REMINDER = 6  # id = coupon, run = minute of 1970 in which the copy ends
    THANKS = 7  # what follows the redemption of a coupon; id = coupon, run = redemption
    POINTS = 11  # points that end; run = minute of 1970 in which they do
    NOTICE = 12  # how far an order is; id = purchase, run = status, or an answer to her wish


class DeliveryState(IntEnum):
    """QUEUED -> PACKED -> SENT | FAILED | UNKNOWN; QUEUED -> SKIPPED | CANCELED | HELD -> QUEUED.

    PACKED -> QUEUED again only when LINE clearly refused every try of its shipment.
    """

    QUEUED = 0
    PACKED = 1
    SENT = 2
    SKIPPED = 3
    FAILED = 4
    UNKNOWN = 5
    CANCELED = 6
    HELD = 7  # after a restore, until staff release it


class ShipmentState(IntEnum):
    """READY -> FLYING (leased) -> one of the ends below, or READY again after a while."""

    READY = 0
    FLYING = 1
    ACCEPTED = 2
    REFUSED = 3  # LINE said no to this one recipient
    SPLIT = 4  # LINE said no to one of several: the halves travel on as children
    UNKNOWN = 5  # 23 hours without an answer; staff decide
    DISSOLVED = 6  # never accepted for sure: its deliveries are queued again
    HELD = 7  # after a restore, until staff release it


class Content(BaseModel):
    """What is said: 1-5 parts (our own JSON, see messages/parts.py), stored once per hash."""

    hash = CharField(max_length=64, unique=True)  # sha256 of the canonical JSON
    parts = JSONTextField()
    personal = BooleanField()  # differs from friend to friend: a name, a coupon, a link
    summary = CharField(default="")  # a line for lists
    created_at = UTCDateTimeField()


class Shipment(BaseModel):
    """One HTTP request to LINE, frozen before its first try: body, recipients and retry key.

    Times here are real time. `fence` counts claims: only the latest claimant may record a result.
    """

    kind = CharField(max_length=10)  # push | multicast | narrowcast
    origin_kind = SmallIntegerField()
    origin_id = IntegerField()
    body = TextField()  # the exact JSON text that is posted
    recipients = IntegerField()  # of a narrowcast: at most so many
    retry_key = CharField(max_length=36, unique=True)
    state = SmallIntegerField(default=ShipmentState.READY)
    try_at = UTCDateTimeField()  # not before
    lease_until = UTCDateTimeField(null=True)
    leased_by = CharField(default="", max_length=64)
    fence = IntegerField(default=0)
    tries = IntegerField(default=0)
    first_try_at = UTCDateTimeField(null=True)
    first_unclear_at = UTCDateTimeField(null=True)  # set: LINE may have accepted it
    line_request_id = CharField(default="", max_length=64)
    accepted_request_id = CharField(default="", max_length=64)
    status = IntegerField(null=True)  # last HTTP status
    error = TextField(default="")  # last refusal, LINE's words
    parent = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    quota_month = CharField(default="", max_length=7)  # the ledger row that holds its reservation
    created_at = UTCDateTimeField()
    done_at = UTCDateTimeField(null=True)

    class Meta:
        indexes = ((("origin_kind", "origin_id", "id"), False),)


Shipment.add_index(Shipment.index(Shipment.try_at, name="shipment_ready", where=SQL("state = 0")))
Shipment.add_index(
    Shipment.index(Shipment.lease_until, name="shipment_flying", where=SQL("state = 1"))
)
Shipment.add_index(
    Shipment.index(Shipment.id, name="shipment_trouble", where=SQL("state IN (5, 7)"))
)


class Delivery(BaseModel):
    """One message for one friend: the work, the record, and the answer to "why did she get it?".

    Written at most three times: planned, packed into a shipment, and its outcome.
    """

    friend_id = IntegerField()  # plain: five million rows, and a friend's row is never deleted
    origin_kind = SmallIntegerField()
    origin_id = IntegerField()
    origin_run = IntegerField(default=0)
    content = ForeignKeyField(Content, null=True, on_delete="RESTRICT", index=False)
    due_at = UTCDateTimeField()  # shop time
    expires_at = UTCDateTimeField(null=True)  # shop time; later it would only surprise
    priority = SmallIntegerField(default=50)  # small goes first
    counts_for_cap = BooleanField(default=True)
    state = SmallIntegerField(default=DeliveryState.QUEUED)
    reason = CharField(default="", max_length=32)  # outbox/reasons.py
    detail = TextField(default="")  # LINE's words, or which part was dropped
    shipment = ForeignKeyField(Shipment, null=True, on_delete="RESTRICT", index=False)
    planned_at = UTCDateTimeField()  # shop time
    done_at = UTCDateTimeField(null=True)  # shop time of the outcome

    class Meta:
        indexes = (
            (("friend_id", "origin_kind", "origin_id", "origin_run"), True),
            (("friend_id", "due_at"), False),
        )


# What became of a program's deliveries, by version and reason, without reading a row.
Delivery.add_index(
    Delivery.index(
        Delivery.origin_kind,
        Delivery.origin_id,
        Delivery.state,
        Delivery.content,
        Delivery.reason,
        name="delivery_outcomes",
    )
)
# By origin first: a paused broadcast of 100,000 must not stand in the way of anything else.
# The numbers of every step of a sequence, without reading a row.
Delivery.add_index(
    Delivery.index(
        Delivery.origin_id,
        Delivery.state,
        Delivery.origin_run,
        name="delivery_steps",
        where=SQL("origin_kind = 2"),
    )
)
Delivery.add_index(
    Delivery.index(
        Delivery.origin_kind,
        Delivery.origin_id,
        Delivery.due_at,
        Delivery.id,
        name="delivery_queued",
        where=SQL("state = 0"),
    )
)
Delivery.add_index(
    Delivery.index(
        Delivery.shipment, name="delivery_shipment", where=SQL("shipment_id IS NOT NULL")
    )
)
# The list of one program's deliveries, newest first.
Delivery.add_index(
    Delivery.index(Delivery.origin_kind, Delivery.origin_id, Delivery.id, name="delivery_program")
)
Delivery.add_index(
    Delivery.index(Delivery.id, name="delivery_trouble", where=SQL("state IN (4, 5, 7)"))
)


class ReplyState(IntEnum):
    """PENDING is committed before the call; a crash leaves it there and it becomes UNKNOWN."""

    PENDING = 0
    SENT = 1
    UNKNOWN = 2
    DROPPED = 3


class Reply(BaseModel):
    """One use of a reply token: free, at most once, never repeated."""

    friend_id = IntegerField()
    reply_token = CharField(max_length=128, unique=True)
    origin = CharField(max_length=12)  # greeting | keyword | opt_out | link | entry | topic | staff
    origin_id = IntegerField(default=0)  # the rule, or the staff member
    content = ForeignKeyField(Content, null=True, on_delete="RESTRICT", index=False)
    body = TextField()
    state = SmallIntegerField(default=ReplyState.PENDING)
    reason = CharField(default="", max_length=32)
    error = TextField(default="")
    line_request_id = CharField(default="", max_length=64)
    at = UTCDateTimeField()  # shop time
    tried_at = UTCDateTimeField()  # real time

    class Meta:
        indexes = ((("friend_id", "at"), False), (("origin", "origin_id", "at"), False))


Reply.add_index(Reply.index(Reply.tried_at, name="reply_pending", where=SQL("state = 0")))
# The meter of the month: how many were sent free of charge.
Reply.add_index(Reply.index(Reply.at, name="reply_sent", where=SQL("state = 1")))


class QuotaMonth(BaseModel):
    """The ledger of one calendar month: messages counted in recipients.

    used = line_used (as LINE last told it) + sent_since (ours, accepted after that reading);
    what may still be taken = line_limit - used - reserved - unknown.
    """

    month = CharField(max_length=7, unique=True)  # "2026-11", shop time
    line_limit = IntegerField(null=True)  # null: LINE sets no limit, or it was never read
    line_used = IntegerField(default=0)
    read_at = UTCDateTimeField(null=True)  # real time of the last reading
    sent_since = IntegerField(default=0)
    sent_total = IntegerField(default=0)  # ours, whole month
    counted_at = UTCDateTimeField(null=True)  # real time ours last grew; LINE's number lags behind
    reserved = IntegerField(default=0)  # packed, no answer yet
    unknown = IntegerField(default=0)  # may have been counted by LINE
    exhausted_at = UTCDateTimeField(null=True)  # LINE said "monthly limit"; cleared by a reading
