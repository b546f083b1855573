"""The shop's branches."""

from __future__ import annotations

from typing import Any

from lineadmin.branches.actions import save_branch
from lineadmin.friends.models import Branch
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import BranchPlacePart

PARTS = ("name", "address", "latitude", "longitude", "active")


def load_branches(parts: list[BranchPlacePart], context: Context) -> None:
    """Make or change branches; one that is not in the file stays."""
    for index, part in enumerate(parts):
        changes: dict[str, Any] = {key: getattr(part, key) for key in PARTS}
        changes = {key: value for key, value in changes.items() if value is not None}
        with context.at(("branches", index)):
            created, changed = save_branch(
                part.code, changes, staff=context.staff, now=context.now, wall=context.wall
            )
        context.report.note("branch", part.code, created=created, changed=changed)


def dump_branches() -> list[dict[str, Any]]:
    """Every branch."""
    rows = sorted(Branch.select(), key=lambda row: row.code)
    return [
        {
            "code": row.code,
            "name": row.name,
            "address": row.address,
            "latitude": row.latitude,
            "longitude": row.longitude,
            **({} if row.active else {"active": False}),
        }
        for row in rows
    ]
