"""Uploaded files and saved messages. The bytes of files live in the database, since a dyno's disk
vanishes daily."""

from __future__ import annotations

from peewee import BlobField, CharField, ForeignKeyField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


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


class PictureSize(BaseModel):
    """An upload at one of the widths LINE asks for where it is a rich message."""

    upload = ForeignKeyField(Upload, backref="sizes", on_delete="CASCADE", index=False)
    width = IntegerField()
    data = BlobField()

    class Meta:
        indexes = ((("upload", "width"), True),)


class Film(BaseModel):
    """An uploaded film (MP4), addressed by an unguessable token."""

    token = CharField(max_length=32, unique=True)
    hash = CharField(max_length=64, unique=True)
    name = CharField(default="")
    size = IntegerField()  # bytes of `data`
    data = BlobField()
    created_at = UTCDateTimeField()
    created_by = IntegerField(null=True)


class MessageTemplate(BaseModel):
    """訊息範本: a message kept for later, known by its name."""

    name = CharField(max_length=60, unique=True)
    parts = JSONTextField()
    summary = CharField(default="")
    created_at = UTCDateTimeField()
    changed_at = UTCDateTimeField()
    version = IntegerField(default=1)
