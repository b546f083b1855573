"""Where friends came from: LINE tells us nothing about it, so entry links and staff do."""

from __future__ import annotations

import re
from datetime import datetime

from lineadmin import journal
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, Source
from lineadmin.i18n import _l

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def set_source(
    friend_id: int, source_id: int | None, *, origin: str, at: datetime, replace: bool = True
) -> bool:
    """Say where a friend came from; False where that changes nothing.

    :param origin: self | staff | csv | observed
    :param replace: False leaves a source that is known already alone
    """
    changes = Friend.source.is_null() if source_id is not None else Friend.source.is_null(False)
    if source_id is not None and replace:
        changes |= Friend.source != source_id
    with atomic():
        changed = (
            Friend.update(source=source_id, source_origin=origin if source_id else "")
            .where((Friend.id == friend_id) & changes)
            .execute()
        )
        if changed:
            journal.record(
                friend_id,
                "source.set",
                object_id=source_id or 0,
                value={"by": origin},
                at=at,
            )
    return bool(changed)


def ensure_source(code: str, name: str, *, now: datetime) -> Source:
    """The source with this code, made where there was none.

    :raises DomainError: the code is not one (small letters, digits, - and _)
    """
    if not CODE.fullmatch(code):
        raise DomainError(
            _l("A source's code has small letters, digits, - and _ only."), field="code"
        )
    insert_ignore(Source.insert(code=code, name=name or code, created_at=now))
    source: Source = Source.get(Source.code == code)
    return source
