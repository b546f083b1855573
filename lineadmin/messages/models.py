"""Uploaded pictures; their bytes live in the database, since a dyno's disk vanishes daily."""

from __future__ import annotations

from peewee import BlobField, CharField, IntegerField

from lineadmin.db import BaseModel, UTCDateTimeField


class Upload(BaseModel):
    """A picture in the two sizes LINE asks for, addressed by an unguessable token."""

    token = CharField(max_length=32, unique=True)
    hash = CharField(max_length=64, unique=True)  # sha256 of the original bytes
    name = CharField(default="")  # file name as staff knew it
    mime = CharField(max_length=20)  # image/jpeg | image/png
    width = IntegerField()
    height = IntegerField()
    original = BlobField()  # <= 10 MB
    preview = BlobField()  # <= 1 MB
    preview_mime = CharField(max_length=20)
    created_at = UTCDateTimeField()
    created_by = IntegerField(null=True)
