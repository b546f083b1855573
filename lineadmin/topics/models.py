"""Topics, the wordings friends agreed to, the ledger of consent, and the state it amounts to."""

from __future__ import annotations

from peewee import SQL, CharField, ForeignKeyField, IntegerField, TextField

from lineadmin.db import BaseModel, UTCDateTimeField
from lineadmin.friends.models import Tag


class Topic(BaseModel):
    """Something friends can subscribe to, such as the week's menu."""

    code = CharField(unique=True, max_length=40)  # the shop's own short name, used in files
    name = CharField(unique=True, max_length=20)
    description = CharField(max_length=120, default="")
    frequency = CharField(max_length=8)  # daily | weekly | monthly: the most often it may send
    wording_version = IntegerField(default=1)  # what is asked now; the texts are TopicWording
    life_months = IntegerField(null=True)  # a consent runs out so long after it; null = never
    tag_id: int | None
    # Kept in step with the subscription; a topic goes on where its tag is deleted.
    tag = ForeignKeyField(Tag, null=True, on_delete="SET NULL", index=False)
    archived_at = UTCDateTimeField(null=True)
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)


class TopicWording(BaseModel):
    """What friends are asked to agree to. Never changed: a new text is a new version."""

    topic_id: int
    topic = ForeignKeyField(Topic, backref="wordings", on_delete="RESTRICT", index=False)
    version = IntegerField()
    text = TextField()
    at = UTCDateTimeField()

    class Meta:
        indexes = ((("topic", "version"), True),)


class Consent(BaseModel):
    """One line of the ledger, never changed and never deleted.

    `place` is how it was told; for a card, `origin`, `origin_id` and `origin_place` are the message
    it was in, as a coupon's copy remembers them.
    """

    topic_id: int
    topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    change = CharField(max_length=10)  # subscribed | renewed | stopped | expired
    wording_version = IntegerField()
    place = CharField(max_length=8)  # card | page | keyword | staff | csv | time
    origin = CharField(max_length=12, default="")
    origin_id = IntegerField(default=0)
    origin_place = IntegerField(default=0)
    at = UTCDateTimeField()  # shop time
    until = UTCDateTimeField(null=True)  # shop time, exclusive
    staff_id = IntegerField(null=True)
    reason = CharField(max_length=200, default="")  # why staff changed it for her

    class Meta:
        indexes = (
            (("friend_id", "topic", "id"), False),
            (("topic", "at"), False),
            (("topic", "place", "origin", "origin_id", "origin_place"), False),
        )


class Subscription(BaseModel):
    """What a friend's lines of the ledger amount to now: written with each of them."""

    topic_id: int
    topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    state = CharField(max_length=10)  # subscribed | stopped
    wording_version = IntegerField()
    since = UTCDateTimeField()  # of the last change
    until = UTCDateTimeField(null=True)
    wished_at = UTCDateTimeField(default=0)  # real time of the wish that set it

    class Meta:
        indexes = (
            (("friend_id", "topic"), True),
            (("topic", "state", "friend_id"), False),
        )


Subscription.add_index(
    Subscription.index(
        Subscription.until,
        name="subscription_runs_out",
        where=SQL("state = 'subscribed' AND until IS NOT NULL"),
    )
)


class TopicAsk(BaseModel):
    """A place whose messages carry the card of a topic, so that its answers can be compared."""

    topic_id: int
    topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
    origin = CharField(max_length=12)
    origin_id = IntegerField(default=0)
    origin_place = IntegerField(default=0)
    since = UTCDateTimeField()

    class Meta:
        indexes = ((("topic", "origin", "origin_id", "origin_place"), True),)
