"""Webhook events as they came, and the messages friends wrote."""

from __future__ import annotations

from peewee import SQL, CharField, IntegerField, TextField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class InboundEvent(BaseModel):
    """One webhook event, stored before LINE is answered.

    Waiting while `handled_at` and `set_aside_at` are empty; set aside after five failed tries.
    """

    event_id = CharField(max_length=64, unique=True)  # webhookEventId
    type = CharField(max_length=40)
    line_user_id = CharField(max_length=64, default="", index=True)
    raw = TextField()  # type: ignore[assignment]  # the JSON of the event; scrubbed by an unsend
    at = UTCDateTimeField()  # the event's own timestamp
    received_at = UTCDateTimeField()  # real time
    redelivered = IntegerField(default=0)  # how often it came again
    try_at = UTCDateTimeField()  # real time
    tries = IntegerField(default=0)
    lease_until = UTCDateTimeField(null=True)
    answer = JSONTextField(null=True)  # what is done, but for the reply that is still owed
    handled_at = UTCDateTimeField(null=True)
    set_aside_at = UTCDateTimeField(null=True)
    error = TextField(default="")


InboundEvent.add_index(
    InboundEvent.index(
        InboundEvent.at,
        InboundEvent.id,
        name="inboundevent_waiting",
        where=SQL("handled_at IS NULL AND set_aside_at IS NULL"),
    )
)
InboundEvent.add_index(
    InboundEvent.index(
        InboundEvent.id, name="inboundevent_aside", where=SQL("set_aside_at IS NOT NULL")
    )
)


class InboundMessage(BaseModel):
    """A message a friend wrote: what staff read and answer."""

    friend_id = IntegerField()
    message_id = CharField(max_length=64, unique=True)  # LINE's
    kind = CharField(max_length=20)  # text | image | sticker | …; open set
    text = TextField(default="")
    detail = TextField(default="")  # JSON of what is worth showing of the other kinds
    at = UTCDateTimeField()  # the event's timestamp
    reply_token = CharField(max_length=128, default="")
    token_at = UTCDateTimeField(null=True)  # real time the token was received
    mark_token = CharField(max_length=128, default="")
    answered_by = CharField(max_length=8, default="")  # rule | staff | closed; "" = nobody yet
    answered_at = UTCDateTimeField(null=True)
    unsent_at = UTCDateTimeField(null=True)  # content removed at the friend's wish

    class Meta:
        indexes = ((("friend_id", "at"), False),)


InboundMessage.add_index(
    InboundMessage.index(
        InboundMessage.at, name="inboundmessage_open", where=SQL("answered_by = ''")
    )
)
