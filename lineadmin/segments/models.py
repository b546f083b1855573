"""Saved segments."""

from __future__ import annotations

from peewee import CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Segment(BaseModel):
    """A named condition tree (segments/language.py)."""

    name = CharField(unique=True)
    tree = JSONTextField()
    created_at = UTCDateTimeField()
    archived_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)
