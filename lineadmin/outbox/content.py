"""What is said, stored once however many friends it goes to."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from lineadmin.db import dump_json, insert_ignore
from lineadmin.outbox.models import Content


def store(parts_json: Any, *, personal: bool, summary: str, now: datetime) -> Content:
    """The content row of these parts, made on first use.

    :param personal: the rendered messages differ from friend to friend. The sender renders what is
        not personal once for everybody, so this must be right.
    """
    digest = hashlib.sha256(dump_json(parts_json).encode()).hexdigest()
    found = Content.get_or_none(Content.hash == digest)
    if found is None:
        insert_ignore(
            Content.insert(
                hash=digest,
                parts=parts_json,
                personal=personal,
                summary=summary[:255],
                created_at=now,
            )
        )
        found = Content.get(Content.hash == digest)
    return found
