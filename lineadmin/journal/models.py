"""The fact table."""

from __future__ import annotations

from peewee import SQL, BigIntegerField, CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Fact(BaseModel):
    """Something that happened to or was done by one friend. Append-only.

    `friend_id` is a plain number, so that every room above and below may write facts without
    knowing the friends room.
    """

    friend_id = IntegerField()
    kind = CharField(max_length=40)  # journal/kinds.py
    object_id = IntegerField(default=0)  # the tag, coupon, rule, sequence the fact is about
    value = JSONTextField(null=True)  # details by kind
    amount = BigIntegerField(null=True)  # a number worth summing: money in TWD, a count
    at = UTCDateTimeField()  # shop time
    handled_at = UTCDateTimeField(null=True)  # set at once for kinds that trigger nothing

    class Meta:
        indexes = ((("friend_id", "at"), False), (("kind", "object_id", "at"), False))


Fact.add_index(Fact.index(Fact.id, name="fact_unhandled", where=SQL("handled_at IS NULL")))
