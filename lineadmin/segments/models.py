"""Saved segments, the rules of dynamic tags, and the tagging of whole lists."""

from __future__ import annotations

from peewee import SQL, CharField, ForeignKeyField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField
from lineadmin.friends.models import Tag


class Segment(BaseModel):
    """A named condition tree (segments/language.py)."""

    name = CharField(unique=True)
    tree = JSONTextField()
    created_at = UTCDateTimeField()
    archived_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)


class TagRule(BaseModel):
    """What sets a dynamic tag (segments/tag_rules.py), and how far it was looked at.

    Two ways lead to a friend: something happened to her (facts behind `facts_seen`, friends behind
    `friends_seen`), or everybody is looked through, `walk_after` the last friend so far.
    """

    tag = ForeignKeyField(Tag, unique=True, on_delete="CASCADE")
    rule = JSONTextField()
    facts_seen = IntegerField(default=0)
    friends_seen = IntegerField(default=0)
    walk_after = IntegerField(null=True)  # null: no walk is underway
    walked_at = UTCDateTimeField(null=True)  # shop time at which the last walk began
    tag_id: int


class TagJob(BaseModel):
    """A tag put on, or taken off, everybody a list shows: done by the worker, in portions.

    `tree` holds the list's filters, as tag_jobs.whom writes them.
    waiting -> done | stopped; done | stopped -> undoing -> undone, while its parts are kept.
    """

    kind = CharField(max_length=8)  # add | remove | merge (its friends get `into`, the tag goes)
    tag = ForeignKeyField(Tag, on_delete="CASCADE", index=False)
    into = IntegerField(null=True)  # Tag.id
    search = CharField(default="")
    tree = JSONTextField()
    words = JSONTextField(default=dict)  # the filters as staff read them
    state = CharField(default="waiting", max_length=8)
    cursor = IntegerField(default=0)  # last friend id looked at
    changed = IntegerField(default=0)
    total = IntegerField(default=0)  # how many matched when it began
    staff_id = IntegerField(null=True)
    created_at = UTCDateTimeField()
    finished_at = UTCDateTimeField(null=True)
    tag_id: int


TagJob.add_index(
    TagJob.index(TagJob.id, name="tagjob_live", where=SQL("state IN ('waiting', 'undoing')"))
)


class TagJobPart(BaseModel):
    """The friends to whom one portion gave the tag, and from whom it took it, for the way back."""

    job = ForeignKeyField(TagJob, backref="parts", on_delete="CASCADE")
    friend_ids = JSONTextField()  # {"gave": […], "took": […]}
