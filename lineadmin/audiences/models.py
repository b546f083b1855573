"""LINE's audiences as far as we know them."""

from __future__ import annotations

from peewee import SQL, BigIntegerField, BooleanField, CharField, IntegerField

from lineadmin.db import BaseModel, UTCDateTimeField


class LineAudience(BaseModel):
    """An audience that lives at LINE, which never tells who is in it.

    waiting -> asked -> waiting (with a line_id, until everybody is handed over) -> there;
    asked | unclear -> waiting, once LINE's list has told whether it was made; waiting -> failed.
    Handing the same friend over twice changes nothing at LINE, so only making one is fenced.
    """

    line_id = BigIntegerField(null=True, unique=True)
    name = CharField(max_length=120)
    name_key = CharField(max_length=240, null=True, unique=True)  # of ours: LINE ignores case
    segment = CharField(default="")  # the name of the segment it is made of
    state = CharField(max_length=8)  # waiting | asked | unclear | there | failed
    problem = CharField(max_length=500, default="")  # a code of ours, or LINE's words
    next_at = UTCDateTimeField(null=True)  # real time of the next try
    cursor = IntegerField(default=0)  # last friend id handed over
    handed = IntegerField(default=0)  # how many friends were, in the last round
    left_out = IntegerField(default=0)  # friends whose id cannot be one of LINE's
    kind = CharField(max_length=40, default="UPLOAD")  # LINE's word; an open set
    status = CharField(max_length=20, default="")  # LINE's word: IN_PROGRESS, READY, …
    failed_kind = CharField(max_length=60, default="")
    members = IntegerField(null=True)  # as LINE counts them
    may_change = BooleanField(default=True)  # False: LINE lets us use it only
    made_here = BooleanField(default=True)
    # What it is for: empty = staff's own; `exclusion` = whom a narrowcast must not reach.
    purpose = CharField(max_length=12, default="", constraints=[SQL("DEFAULT ''")])
    broadcast_id = IntegerField(null=True)  # made for it, or of who saw or tapped it
    request_id = CharField(max_length=64, default="", constraints=[SQL("DEFAULT ''")])
    created_at = UTCDateTimeField()  # real time
    expires_at = UTCDateTimeField(null=True)
    checked_at = UTCDateTimeField(null=True)  # real time of the last look at LINE's list


LineAudience.add_index(
    LineAudience.index(
        LineAudience.next_at,
        name="lineaudience_due",
        where=SQL("state IN ('waiting', 'asked', 'unclear')"),
    )
)
