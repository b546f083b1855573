"""What a friend's own phone tells while she uses what we sent her."""

from __future__ import annotations

from datetime import datetime

from lineadmin import journal
from lineadmin.db import run_sql


def observe_os(friend_id: int, system: str, *, at: datetime) -> bool:
    """Her phone's system as her browser named it; False where that is known already.

    The newest observation wins; what she, staff or a file said stays.
    """
    changed = run_sql(
        "UPDATE friend SET os = ?, os_origin = 'observed'"
        " WHERE id = ? AND (os IS NULL OR (os_origin = 'observed' AND os <> ?))",
        system,
        friend_id,
        system,
    ).rowcount
    if changed:
        value = {"by": "observed", "set": {"os": system}}
        journal.record(friend_id, "attribute.set", value=value, at=at)
    return bool(changed)
