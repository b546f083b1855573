"""What staff do with sources: make, rename, put away, and merge two that are the same place."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Friend, Source
from lineadmin.friends.set_up import LONGEST_NAME
from lineadmin.friends.sources import CODE
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

UNKNOWN_CODE = "unknown"  # what friends without a source count as
CHUNK = 5_000


def create_source(
    name: str, code: str, *, staff: Staff | None, now: datetime, wall: datetime
) -> Source:
    """A new source. Its code is part of what is printed, so it never changes.

    :raises DomainError: a bad name or code, or the code is taken
    """
    name, code = _name(name), code.strip()
    if not CODE.fullmatch(code):
        raise DomainError(
            _l("A source's code has small letters, digits, - and _ only."), field="code"
        )
    if code == UNKNOWN_CODE:
        raise DomainError(_l("“unknown” stands for friends without a source."), field="code")
    try:
        with atomic():
            source: Source = Source.create(code=code, name=name, created_at=now)
            after = {"code": code, "name": name}
            audit.record(staff, "source.create", "source", source.id, name, None, after, wall=wall)
    except IntegrityError:
        raise DomainError(
            _("There is a source “%(code)s” already.", code=code), field="code"
        ) from None
    return source


def rename_source(
    source: Source, name: str, *, version: int, staff: Staff | None, wall: datetime
) -> bool:
    """Give a source another name; False where it has it already.

    :raises DomainError: a bad name
    :raises Conflict: somebody else changed it since the form was opened
    """
    name = _name(name)
    if name == source.name:
        return False
    with atomic():
        _change(source, version, name=name)
        before, after = {"name": source.name}, {"name": name}
        audit.record(staff, "source.edit", "source", source.id, name, before, after, wall=wall)
    return True


def archive_source(
    source: Source, *, archived: bool, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    """Put a source away or take it back; False where it was so already.

    Nobody can choose it any more; what is printed of it goes on working.

    :raises DomainError: it was merged into another
    """
    if Source.get_by_id(source.id).merged_into is not None:
        raise DomainError(_l("This source was merged into another."))
    is_away = Source.archived_at.is_null(not archived)
    with atomic():
        changed = (
            Source.update(archived_at=now if archived else None, version=Source.version + 1)
            .where((Source.id == source.id) & ~is_away)
            .execute()
        )
        if changed:
            verb = "source.archive" if archived else "source.unarchive"
            audit.record(staff, verb, "source", source.id, source.name, wall=wall)
    return bool(changed)


def merge_sources(
    source: Source, into: Source, *, staff: Staff | None, now: datetime, wall: datetime
) -> int:
    """Move every friend of `source` to `into` and put it away; how many friends moved.

    What is printed of it leads to `into` from now on. Works in short transactions; repeating it
    after an interruption does no harm.

    :raises DomainError: into itself, or into one that is out of use
    """
    if into.id == source.id:
        raise DomainError(_l("Choose another source."), field="into")
    into = Source.get_by_id(into.id)
    if into.archived_at is not None or into.merged_into is not None:
        raise DomainError(_l("That source is out of use."), field="into")
    with atomic():
        # First, so that nobody new arrives at the old one while friends are moved.
        Source.update(merged_into=into.id, archived_at=now, version=Source.version + 1).where(
            Source.id == source.id
        ).execute()
        Source.update(merged_into=into.id).where(Source.merged_into == source.id).execute()
    moved = 0
    while done := _move_some(source.id, into.id):
        moved += done
    with atomic():
        after = {"into": into.name, "count": moved}
        label = source.name
        audit.record(staff, "source.merge", "source", source.id, label, None, after, wall=wall)
    return moved


def in_use(code: str) -> Source | None:
    """The source an entry link of this code leads to: itself, or the one it was merged into."""
    source: Source | None = Source.get_or_none(Source.code == code)
    if source is not None and source.merged_into is not None:
        return Source.get_or_none(Source.id == source.merged_into)
    return source


def suggested_code(name: str, taken: set[str], otherwise: str = "source") -> str:
    """A code for a new source or branch, from what of its name can stand in an address."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30]
    base = base if CODE.fullmatch(base) and base != UNKNOWN_CODE else otherwise
    code, number = base, 1
    while code in taken:
        number += 1
        code = f"{base}-{number}"
    return code


def _move_some(source_id: int, into_id: int) -> int:
    with atomic():
        some = Friend.select(Friend.id).where(Friend.source == source_id).limit(CHUNK)
        ids = [row.id for row in some]
        if not ids:
            return 0
        Friend.update(source=into_id).where(
            Friend.id.in_(ids) & (Friend.source == source_id)
        ).execute()
        return len(ids)


def _change(source: Source, version: int, **values: Any) -> None:
    changed = (
        Source.update(**values, version=Source.version + 1)
        .where((Source.id == source.id) & (Source.version == version))
        .execute()
    )
    if not changed:
        raise Conflict(_l("Somebody else changed this source meanwhile. Nothing was saved."))


def _name(name: str) -> str:
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    return clean
