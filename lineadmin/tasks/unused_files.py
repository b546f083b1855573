"""Pictures and films nothing has used for a month: found by their tokens, and thrown away.

A token cannot be guessed and never stands anywhere by chance, so whatever names a picture is found
by reading every text there is: live things, drafts, versions, templates, what was ever sent, and
the audit log, which remembers a coupon's earlier picture that still stands in chats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from peewee import CharField, TextField

from lineadmin.db import atomic
from lineadmin.messages.models import Film, PictureSize, Upload
from lineadmin.models import MODELS
from lineadmin.outbox.live import one_of, rows

UNUSED_FOR = timedelta(days=30)
AT_ONCE = 200
# 16 random bytes, as the rooms write them; looked for at every place, also within a longer word.
TOKEN = re.compile(r"(?=([A-Za-z0-9_-]{22}))")
# Tables with a row per friend or message. What they say of a picture stands in a content as well.
PER_FRIEND = {
    "friend",
    "friend_tag",
    "friend_field",
    "fact",
    "delivery",
    "shipment",
    "reply",
    "enrolment",
    "inbound_event",
    "inbound_message",
    "coupon_issue",
    "link_click",
    "entry_visit",
}
FILES: tuple[Any, ...] = (Upload, Film)  # peewee types no `id` on models in general


def throw_away(now: datetime) -> int:
    """Delete files older than a month that nothing names; how many that were."""
    old = [
        (model, row_id, token)
        for model in FILES
        for row_id, token in rows(
            model.select(model.id, model.token).where(model.created_at < now - UNUSED_FOR)
        )
    ]
    unused = {token for _model, _id, token in old}
    if not unused:
        return 0
    for text in _texts():
        unused.difference_update(TOKEN.findall(text))
        if not unused:
            return 0
    gone = 0
    for model in FILES:
        ids = [row_id for of, row_id, token in old if of is model and token in unused][:AT_ONCE]
        if ids:
            with atomic():
                if model is Upload:
                    PictureSize.delete().where(one_of(PictureSize.upload, ids)).execute()
                gone += model.delete().where(one_of(model.id, ids)).execute()
    return gone


def _texts() -> Iterator[str]:
    """Everything that is written anywhere but in the files themselves."""
    for model in MODELS:
        if model in FILES or model._meta.table_name in PER_FRIEND:
            continue
        columns = [
            field for field in model._meta.sorted_fields if isinstance(field, CharField | TextField)
        ]
        if columns:
            for row in rows(model.select(*columns)):
                yield from (text for text in row if _may_name(text))


def _may_name(text: Any) -> bool:
    return isinstance(text, str) and len(text) >= 22
