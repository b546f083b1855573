"""Saving conditions under a name, so that broadcasts, sequences and reports share them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _l
from lineadmin.segments.language import check_names, dump, parse
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import Tree, TreeError, leaves
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

MAX_NAME = 60


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
        Segment.update(tree=after, archived_at=None, version=Segment.version + 1).where(
            Segment.id == segment.id
        ).execute()
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
