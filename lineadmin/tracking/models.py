"""Tracked links, clicks nobody is credited with, and the names LINE counts under."""

from __future__ import annotations

from peewee import BooleanField, CharField, IntegerField, SmallIntegerField, TextField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class TrackedLink(BaseModel):
    """One address in the messages of one program; `/t/<code>…` leads there and nowhere else.

    `origin_kind` is an outbox.OriginKind, or REPLY (links.py); `place` tells a sequence's steps
    apart. The address never changes, name and tag may.
    """

    code = CharField(max_length=12, unique=True)
    origin_kind = SmallIntegerField()
    origin_id = IntegerField(default=0)
    place = IntegerField(default=0)
    url = TextField()
    url_hash = CharField(max_length=64)
    per_friend = BooleanField()  # each friend's token is her own; otherwise only the sum is known
    name = CharField(default="")
    tag_id = IntegerField(null=True)  # the dynamic tag a click adds
    tag_days = IntegerField(null=True)  # for how long; null = until it is taken off
    created_at = UTCDateTimeField()

    class Meta:
        indexes = ((("origin_kind", "origin_id", "place", "url_hash"), True),)


class LinkClick(BaseModel):
    """A click through a link that is the same for everybody."""

    link_id = IntegerField()
    at = UTCDateTimeField()  # shop time

    class Meta:
        indexes = ((("link_id", "at"), False),)


class EntryVisit(BaseModel):
    """Somebody used an entry link of a source.

    `how`: page (only looked, nobody is known) | liff (LINE says who) | code (she sent its text).
    """

    source_id = IntegerField()
    how = CharField(max_length=4)
    line_user_id = CharField(default="", max_length=64)
    friend_id = IntegerField(null=True)
    campaign = JSONTextField(null=True)  # utm_source, utm_medium, utm_campaign of the link
    at = UTCDateTimeField()  # shop time
    joined_at = UTCDateTimeField(null=True)  # the follow this visit led to

    class Meta:
        indexes = ((("source_id", "at"), False), (("line_user_id", "at"), False))


class AggregationUnit(BaseModel):
    """A name given to LINE's statistics in one month; LINE takes 1,000 of them."""

    month = CharField(max_length=7)  # "2026-11", shop time
    name = CharField(max_length=30)

    class Meta:
        indexes = ((("month", "name"), True),)
