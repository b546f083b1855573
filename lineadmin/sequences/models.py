"""Sequences, their versions, and friends underway."""

from __future__ import annotations

from peewee import (
    SQL,
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
)

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Sequence(BaseModel):
    """A series of step messages. What friends get is in its versions."""

    name = CharField(unique=True)
    enabled = BooleanField(default=False)
    period_from = DateField(null=True)  # shop days, both inclusive
    period_until = DateField(null=True)
    priority = IntegerField(default=50)  # small goes first
    when_off = CharField(default="pause", max_length=8)  # pause | finish | stop, for those underway
    when_over = CharField(default="finish", max_length=8)  # finish | stop, when the period is over
    live_version = IntegerField(null=True)  # SequenceVersion.id
    draft = JSONTextField(null=True)  # definition being edited, null = same as live
    # "" | quota: waiting for messages | refused: LINE refused a step, staff decide
    pause_reason = CharField(default="", max_length=32)
    created_at = UTCDateTimeField()
    archived_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)
    enabled_at = UTCDateTimeField(null=True)  # shop time; what was due before it stood still
    # Friends' own dates were looked at up to this day, by this version, up to this friend id
    dated_until = DateField(null=True)
    dated_version = IntegerField(null=True)
    dated_after = IntegerField(default=0)
    draft_number = IntegerField(default=0)  # DraftState.number of what the editor shows


class DraftState(BaseModel):
    """A definition as the editor had it once; undo and redo walk along these."""

    sequence = ForeignKeyField(Sequence, backref="draft_states", on_delete="CASCADE", index=False)
    number = IntegerField()
    definition = JSONTextField()
    about = CharField(default="", max_length=16)  # the place that was edited
    staff_id = IntegerField(null=True)
    at = UTCDateTimeField()  # real time

    class Meta:
        indexes = ((("sequence", "number"), True),)


class SequenceVersion(BaseModel):
    """A published definition; immutable. A friend finishes on the version she started.

    definition = {"trigger": …, "branches": [{"name", "where"|"otherwise", "steps": […]}]} in the
    form of the shop file.
    """

    sequence = ForeignKeyField(Sequence, backref="versions", on_delete="CASCADE")
    number = IntegerField()
    definition = JSONTextField()
    published_at = UTCDateTimeField()
    published_by = IntegerField(null=True)

    class Meta:
        indexes = ((("sequence", "number"), True),)


class Enrolment(BaseModel):
    """One friend underway in one sequence."""

    sequence = ForeignKeyField(Sequence, backref="enrolments", on_delete="CASCADE", index=False)
    friend_id = IntegerField()
    run = SmallIntegerField(default=1)
    version_id = IntegerField()
    branch = SmallIntegerField(default=0)  # -1: decided when the first step is due
    branch_reason = JSONTextField(null=True)
    step = SmallIntegerField(default=0)  # steps already planned
    base_day = DateField()  # planned local day of the step before (of the trigger for the first)
    next_at = UTCDateTimeField(null=True)  # shop time of the next step
    state = CharField(default="active", max_length=8)  # active | finished | stopped | held
    reason = CharField(default="", max_length=32)
    entered_at = UTCDateTimeField()
    ended_at = UTCDateTimeField(null=True)
    anchor = DateField(null=True)  # the friend's own date this run follows
    sequence_id: int

    class Meta:
        indexes = (
            (("sequence", "friend_id", "run"), True),
            (("friend_id", "id"), False),
            (("sequence", "state", "id"), False),
        )


# By sequence: what piles up in a disabled one must not be read over on every tick.
Enrolment.add_index(
    Enrolment.index(
        Enrolment.sequence,
        Enrolment.next_at,
        Enrolment.id,
        name="enrolment_due",
        where=SQL("state = 'active'"),
    )
)
# Those who wait for one step, next first: a page of them among a million.
Enrolment.add_index(
    Enrolment.index(
        Enrolment.sequence,
        Enrolment.step,
        Enrolment.next_at,
        Enrolment.id,
        name="enrolment_next",
        where=SQL("state = 'active'"),
    )
)
# How many stand where, without reading a row: what the coming weeks will send.
Enrolment.add_index(
    Enrolment.index(
        Enrolment.sequence,
        Enrolment.version_id,
        Enrolment.branch,
        Enrolment.step,
        Enrolment.base_day,
        name="enrolment_places",
        where=SQL("state = 'active'"),
    )
)


class Enlistment(BaseModel):
    """Friends whom staff start all at once; done chunk by chunk, by friend id."""

    sequence = ForeignKeyField(Sequence, backref="enlistments", on_delete="CASCADE")
    name = CharField(default="")  # of the segment
    where = JSONTextField()  # whom, as it was confirmed
    day = DateField()  # the day their steps count from
    expected = IntegerField()
    after_id = IntegerField(default=0)
    started = IntegerField(default=0)
    state = CharField(default="running", max_length=8)  # running | done | stopped
    created_at = UTCDateTimeField()
    created_by = IntegerField(null=True)
    done_at = UTCDateTimeField(null=True)
    sequence_id: int


Enlistment.add_index(
    Enlistment.index(Enlistment.id, name="enlistment_running", where=SQL("state = 'running'"))
)


class VersionMove(BaseModel):
    """Friends underway on earlier versions who are moved to a newer one; chunk by chunk."""

    sequence = ForeignKeyField(Sequence, backref="moves", on_delete="CASCADE")
    version_id = IntegerField()  # where they are moved to
    expected = IntegerField()  # how many were underway on earlier versions
    after_id = IntegerField(default=0)  # Enrolment.id the walk has come to
    moved = IntegerField(default=0)
    finished = IntegerField(default=0)  # had had as many steps already
    stayed = IntegerField(default=0)  # their branch is gone
    state = CharField(default="running", max_length=8)  # running | done | stopped
    created_at = UTCDateTimeField()
    created_by = IntegerField(null=True)
    done_at = UTCDateTimeField(null=True)
    sequence_id: int


VersionMove.add_index(
    VersionMove.index(
        VersionMove.sequence,
        unique=True,
        name="version_move_running",
        where=SQL("state = 'running'"),
    )
)
