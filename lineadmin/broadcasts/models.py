"""Broadcasts."""

from __future__ import annotations

from peewee import SQL, BooleanField, CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Broadcast(BaseModel):
    """One message to the friends a condition picks.

    draft -> scheduled -> planning -> sending -> sent; scheduled -> draft (taken back) or late
    (staff are asked); planning | sending -> paused -> sending, or -> stopping -> canceled; anything
    unfinished -> held after a restore. Words and limits are in states.py.
    """

    name = CharField(unique=True)
    parts = JSONTextField(default=list)
    audience = JSONTextField(null=True)  # condition tree; null = not chosen yet
    state = CharField(default="draft", max_length=10)
    at = UTCDateTimeField(null=True)  # wanted time; null = as soon as possible
    confirmed_at = UTCDateTimeField(null=True)
    confirmed_by = IntegerField(null=True)
    leaves_at = UTCDateTimeField(null=True)  # the later of `at` and the end of the undo window
    content_id = IntegerField(null=True)  # frozen when confirmed
    cursor = IntegerField(default=0)  # last friend id planned
    plan_whole_at = UTCDateTimeField(null=True)
    expected = IntegerField(null=True)  # recipients shown before confirming
    holdout_percent = IntegerField(default=0)
    pause_reason = CharField(default="", max_length=32)
    from_file = BooleanField(default=False)
    finished_at = UTCDateTimeField(null=True)
    sent_count = IntegerField(null=True)  # how many got it, counted when it ended
    created_at = UTCDateTimeField()
    created_by = IntegerField(null=True)
    version = IntegerField(default=1)


Broadcast.add_index(
    Broadcast.index(
        Broadcast.leaves_at,
        name="broadcast_live",
        where=SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')"),
    )
)
