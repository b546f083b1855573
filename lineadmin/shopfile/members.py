"""What the shop decided about members; who they are comes by their own files."""

from __future__ import annotations

from typing import Any

from lineadmin.members import setup
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import MembersPart

# Where the file has what the settings call by these names.
PLACES: dict[str, Path] = {
    "remind_days": ("reminder", "days"),
    "remind_at": ("reminder", "at"),
    "remind_words": ("reminder", "words"),
}


def load_members(part: MembersPart, context: Context) -> None:
    """Change what the file names; `reminder: null` switches it off."""
    changes: dict[str, Any] = {
        key: getattr(part, key) for key in ("enabled", "proof") if getattr(part, key) is not None
    }
    if part.levels is not None:
        changes["levels"] = tuple(part.levels)
    if part.given("points_days"):
        changes["points_days"] = part.points_days
    if part.given("reminder"):
        wanted = part.reminder
        changes["remind_days"] = None if wanted is None else wanted.days
        if wanted is not None:
            changes["remind_at"] = wanted.at
            changes["remind_words"] = wanted.words
    with context.at(("members",), PLACES):
        changed = setup.change(changes, staff=context.staff, wall=context.wall)
    if changed:
        context.report.note("members", "settings", created=False, changed=True)
    else:
        context.report.unchanged += 1


def dump_members() -> dict[str, Any]:
    """All of it."""
    kept = setup.setup()
    reminder: dict[str, Any] | None = None
    if kept.remind_days is not None:
        reminder = {"days": kept.remind_days, "at": kept.remind_at}
        if kept.remind_words:
            reminder["words"] = kept.remind_words
    return {
        "enabled": kept.enabled,
        "levels": list(kept.levels),
        "proof": kept.proof,
        "points_days": kept.points_days,
        "reminder": reminder,
    }
