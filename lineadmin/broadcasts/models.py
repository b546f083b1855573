"""Broadcasts."""

from __future__ import annotations

from peewee import SQL, BlobField, BooleanField, CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Broadcast(BaseModel):
    """One message to the friends a condition picks.

    draft -> scheduled -> planning -> sending -> sent; draft -> approval -> scheduled, where a
    second person has to agree; scheduled | approval -> draft (taken back); scheduled -> late (staff
    are asked); planning | sending -> paused -> sending, or -> stopping -> canceled; anything
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
    edited_by = IntegerField(null=True)  # who changed the draft last
    variants = JSONTextField(null=True)  # versions B, C, …: a list of parts; `parts` is version A
    variant_contents = JSONTextField(null=True)  # their content ids, frozen with content_id
    service = BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])  # beyond the cap
    # Why it may leave within the quiet hours; empty = it waits for their end.
    quiet_override = CharField(max_length=200, default="", constraints=[SQL("DEFAULT ''")])
    # Why it may leave sooner after another one of its topic than friends agreed to.
    frequency_override = CharField(max_length=200, default="", constraints=[SQL("DEFAULT ''")])
    # Of everything that was confirmed; set where somebody has to approve, or has.
    frozen_hash = CharField(max_length=64, default="", constraints=[SQL("DEFAULT ''")])
    approved_at = UTCDateTimeField(null=True)
    approved_by = IntegerField(null=True)
    note = CharField(max_length=200, default="", constraints=[SQL("DEFAULT ''")])  # sent back why
    told = JSONTextField(null=True)  # the sum as it was shown when confirmed
    blocks_24 = IntegerField(null=True)  # who blocked within 24 hours, once those are over
    blocks_48 = IntegerField(null=True)
    wake = BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])  # see dormant.py
    estimated = JSONTextField(null=True)  # instead of an audience: whom LINE is to choose


Broadcast.add_index(
    Broadcast.index(
        Broadcast.leaves_at,
        name="broadcast_live",
        where=SQL("state IN ('scheduled', 'planning', 'sending', 'stopping')"),
    )
)


class BroadcastSnapshot(BaseModel):
    """Whom a broadcast was about when it was confirmed, so that the report can name who changed."""

    broadcast_id = IntegerField(unique=True)
    friends = BlobField()  # packed by snapshot.py


class Narrowcast(BaseModel):
    """How far a broadcast is whose recipients LINE chooses: see narrow.py.

    step: list -> hand -> list … until nobody is left to be handed over -> send. Times are real.
    """

    broadcast_id = IntegerField(unique=True)
    step = CharField(max_length=4, default="list")
    shipment_id = IntegerField(null=True)  # the latest request
    request_id = CharField(max_length=64, default="")  # LINE knows it by this, once accepted
    accepted_at = UTCDateTimeField(null=True)
    phase = CharField(max_length=16, default="")  # LINE's word; "" = not told yet
    succeeded = IntegerField(null=True)
    failed = IntegerField(null=True)
    target = IntegerField(null=True)
    error_code = IntegerField(null=True)
    error = CharField(max_length=500, default="")  # a code of ours, or LINE's words
    asked = IntegerField(default=0)  # how often LINE was asked since the step began
    ask_at = UTCDateTimeField(null=True)  # next look; null = nothing to look for


Narrowcast.add_index(
    Narrowcast.index(Narrowcast.ask_at, name="narrowcast_due", where=SQL("ask_at IS NOT NULL"))
)


class LineInsight(BaseModel):
    """What LINE itself says it counted for a broadcast, as it was last read."""

    broadcast_id = IntegerField(unique=True)
    read_at = UTCDateTimeField()  # real time
    first_day = CharField(max_length=10)  # of LINE's calendar (UTC+9), both included
    last_day = CharField(max_length=10)
    answer = JSONTextField(null=True)  # LINE's own words; null = it could not be read
