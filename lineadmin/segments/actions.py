"""Saving conditions under a name, so that broadcasts, sequences and reports share them.

Trees name a segment by its name. So one that something uses keeps its name and is not deleted;
what uses it, the rooms above know: doors hand the question down as `used_by`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.segments import tag_rules
from lineadmin.segments.language import check_names, dump, parse
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import Tree, TreeError, leaves
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

MAX_NAME = 60

UsedBy: TypeAlias = Callable[[str], Sequence[str]]  # a segment's name -> what uses it, in words


def create_segment(
    name: str, raw: Any, *, staff: Staff | None, now: datetime, wall: datetime
) -> Segment:
    """Save a condition under a new name.

    :raises TreeError: the condition cannot be
    :raises DomainError: the name is empty, too long or taken
    """
    name, tree = _checked(name, raw)
    with atomic():
        if not insert_ignore(Segment.insert(name=name, tree=dump(tree), created_at=now)):
            raise DomainError(_l("There is already a segment of this name."), field="name")
        made: Segment = Segment.get(Segment.name == name)
        after = {"name": name, "tree": made.tree}
        audit.record(staff, "segment.create", "segment", made.id, name, None, after, wall=wall)
    return made


def change_segment(
    segment: Segment, raw: Any, *, version: int | None = None, staff: Staff | None, wall: datetime
) -> bool:
    """Give a segment another condition; everything that uses it asks the new one from now on.

    Answers False where nothing was different.

    :raises TreeError: the condition cannot be, or leads back to this segment
    :raises Conflict: somebody else changed it since `version`
    """
    _name, tree = _checked(segment.name, raw)
    after = dump(tree)
    with atomic():
        before: Segment = Segment.get_by_id(segment.id)
        if version is not None and before.version != version:
            raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        if before.tree == after and before.archived_at is None:
            return False
        changed = (
            Segment.update(tree=after, archived_at=None, version=Segment.version + 1)
            .where(Segment.id == segment.id, Segment.version == before.version)
            .execute()
        )
        if not changed:
            raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        tag_rules.segment_changed(segment.name)
        audit.record(
            staff,
            "segment.edit",
            "segment",
            segment.id,
            segment.name,
            {"tree": before.tree},
            {"tree": after},
            wall=wall,
        )
    return True


def edit_segment(
    segment: Segment,
    name: str,
    raw: Any,
    *,
    version: int,
    used_by: UsedBy,
    staff: Staff | None,
    wall: datetime,
) -> bool:
    """Give a segment another name, another condition, or both. False where nothing was different.

    :raises TreeError: the condition cannot be, or leads back to this segment
    :raises DomainError: the name is no name or taken, or something uses the segment by its name
    :raises Conflict: somebody else changed it since `version`
    """
    with atomic():
        renamed = name.strip() != segment.name and _rename(
            segment, name, raw, version=version, used_by=used_by, staff=staff, wall=wall
        )
        row = Segment.get_by_id(segment.id) if renamed else segment
        since = version + 1 if renamed else version
        return change_segment(row, raw, version=since, staff=staff, wall=wall) or renamed


def _rename(
    segment: Segment,
    name: str,
    raw: Any,
    *,
    version: int,
    used_by: UsedBy,
    staff: Staff | None,
    wall: datetime,
) -> bool:
    name, _tree = _checked(name, raw)
    users = used_by(segment.name)
    if users:
        raise DomainError(
            _("The name stays while this is in use: %(what)s.", what=_(", ").join(users)),
            field="name",
        )
    if Segment.select().where(Segment.name == name, Segment.id != segment.id).exists():
        raise DomainError(_l("There is already a segment of this name."), field="name")
    changed = (
        Segment.update(name=name, version=Segment.version + 1)
        .where(Segment.id == segment.id, Segment.version == version)
        .execute()
    )
    if not changed:
        raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
    before = {"name": segment.name}
    audit.record(
        staff, "segment.edit", "segment", segment.id, name, before, {"name": name}, wall=wall
    )
    return True


def archive_segment(
    segment: Segment, *, now: datetime, staff: Staff | None, wall: datetime
) -> bool:
    """Take a segment out of the lists; what uses it goes on. False where it was out already."""
    with atomic():
        changed = (
            Segment.update(archived_at=now, version=Segment.version + 1)
            .where(Segment.id == segment.id, Segment.archived_at.is_null())
            .execute()
        )
        if changed:
            audit.record(
                staff, "segment.archive", "segment", segment.id, segment.name, None, None, wall=wall
            )
    return bool(changed)


def unarchive_segment(segment: Segment, *, staff: Staff | None, wall: datetime) -> bool:
    """Put a segment back into the lists."""
    with atomic():
        changed = (
            Segment.update(archived_at=None, version=Segment.version + 1)
            .where(Segment.id == segment.id, Segment.archived_at.is_null(False))
            .execute()
        )
        if changed:
            name = segment.name
            audit.record(
                staff, "segment.unarchive", "segment", segment.id, name, None, None, wall=wall
            )
    return bool(changed)


def delete_segment(
    segment: Segment, *, used_by: UsedBy, staff: Staff | None, wall: datetime
) -> None:
    """Delete a segment that nothing uses.

    :raises DomainError: naming what uses it
    """
    with atomic():
        users = used_by(segment.name)
        if users:
            raise DomainError(
                _(
                    "“%(name)s” is used by %(what)s. Change that first.",
                    name=segment.name,
                    what=_(", ").join(users),
                )
            )
        if Segment.delete().where(Segment.id == segment.id).execute():
            before = {"name": segment.name, "tree": segment.tree}
            audit.record(
                staff,
                "segment.delete",
                "segment",
                segment.id,
                segment.name,
                before,
                None,
                wall=wall,
            )


def copy_name(name: str) -> str:
    """A free name for a copy of the segment of this name."""
    number = 2
    while True:
        ending = f" ({number})"
        free = name[: MAX_NAME - len(ending)] + ending
        if not Segment.select().where(Segment.name == free).exists():
            return free
        number += 1


def segments_used_in(tree: Tree) -> set[str]:
    """The names of all segments a tree leads to, through other segments too."""
    found: set[str] = set()
    waiting = [tree]
    while waiting:
        for leaf in leaves(waiting.pop()):
            for name in leaf.values if leaf.kind == "segment" else ():
                if name not in found:
                    found.add(name)
                    row = Segment.get_or_none(Segment.name == name)
                    if row is not None:
                        waiting.append(parse(row.tree))
    return found


def _checked(name: str, raw: Any) -> tuple[str, Tree]:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=MAX_NAME), field="name"
        )
    tree = parse(raw)
    check_names(tree)
    if name in segments_used_in(tree):
        raise TreeError(_l("The segment “%(name)s” leads back to itself.", name=name))
    return name, tree
