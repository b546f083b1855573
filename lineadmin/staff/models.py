"""Staff, their sessions, failed sign-ins, and the audit log."""

from __future__ import annotations

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Staff(BaseModel):
    """A person who may sign in. Never deleted: the audit log names them."""

    email = CharField(unique=True)  # stored in lower case
    name = CharField()
    password_hash = CharField()
    role = CharField()  # owner | manager | staff | viewer
    locale = CharField(default="zh_Hant_TW")
    active = BooleanField(default=True)
    must_change_password = BooleanField(default=False)
    friend_id = IntegerField(null=True)  # this person's own LINE, bound by code, for test sends
    created_at = UTCDateTimeField()
    last_seen_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)  # moves with every save: two tabs can't overwrite each other


class StaffSession(BaseModel):
    """One browser signed in. The cookie holds the token; the row holds its hash and its end."""

    token_hash = CharField(unique=True)
    staff = ForeignKeyField(Staff, backref="sessions", on_delete="CASCADE")
    created_at = UTCDateTimeField()
    last_seen_at = UTCDateTimeField()
    expires_at = UTCDateTimeField()  # absolute end; idle sessions end earlier
    ended_at = UTCDateTimeField(null=True)
    address = CharField(default="")
    browser = CharField(default="")


class SignInAttempt(BaseModel):
    """Failures under one throttle key ("email:…" or "address:…") in the current window."""

    key = CharField(unique=True)
    failures = IntegerField(default=0)
    window_started_at = UTCDateTimeField()
    blocked_until = UTCDateTimeField(null=True)


class LinkCode(BaseModel):
    """A six-digit code that binds a staff member's own LINE account when typed to the shop."""

    staff = ForeignKeyField(Staff, unique=True, on_delete="CASCADE")
    code = CharField(index=True)
    expires_at = UTCDateTimeField()  # real time


class Audit(BaseModel):
    """One change somebody made. Rows are never updated or deleted."""

    at = UTCDateTimeField(index=True)  # real time
    staff = ForeignKeyField(
        Staff, null=True, on_delete="RESTRICT"
    )  # empty: the program or the shell
    staff_name = CharField(default="")  # as it was then
    action = CharField()  # "tag.add", "broadcast.confirm"; labels in staff/audit.py
    object_kind = CharField(default="")
    object_id = IntegerField(default=0)
    object_label = CharField(default="")  # the name as it was then
    before = JSONTextField(null=True)  # only the fields that changed
    after = JSONTextField(null=True)
    reason = TextField(default="")
    address = CharField(default="")

    class Meta:
        indexes = ((("object_kind", "object_id", "id"), False), (("staff", "id"), False))


__all__ = ["Audit", "LinkCode", "SignInAttempt", "Staff", "StaffSession"]
