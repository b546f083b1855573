"""Keyword replies. The greeting is a setting (replies/greeting.py)."""

from __future__ import annotations

from peewee import BooleanField, CharField, IntegerField

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class ReplyRule(BaseModel):
    """When a friend writes one of the keywords, answer with these parts, free."""

    title = CharField(default="")
    keywords = JSONTextField(default=list)  # as typed by staff; folded when compared
    match = CharField(default="exact", max_length=8)  # exact | contains | any
    priority = IntegerField(default=10)  # larger wins
    parts = JSONTextField(default=list)
    add_tags = JSONTextField(default=list)  # tag ids
    hours_from = CharField(default="", max_length=5)  # "09:00"; empty = always
    hours_until = CharField(default="", max_length=5)
    enabled = BooleanField(default=True)
    hits = IntegerField(default=0)
    last_hit_at = UTCDateTimeField(null=True)
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)
