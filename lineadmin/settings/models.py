"""Settings by key, and the heartbeat of workers."""

from __future__ import annotations

from peewee import CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Setting(BaseModel):
    """One thing the shop decided, as JSON; `version` moves with every save."""

    key = CharField(unique=True)
    value = JSONTextField(null=True)
    version = IntegerField(default=1)
    changed_at = UTCDateTimeField()  # real time
    changed_by = IntegerField(null=True)  # staff id


class Heartbeat(BaseModel):
    """The last sign of life of a process by role ("worker"), on real time."""

    role = CharField(unique=True)
    at = UTCDateTimeField()
    host = CharField(default="")
    pid = IntegerField(default=0)
    started_at = UTCDateTimeField(null=True)
    note = JSONTextField(null=True)
