"""What a friend's own phone tells while she uses what we sent her."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from lineadmin import journal
from lineadmin.db import run_sql
from lineadmin.friends.regions import region_in


def observe_os(friend_id: int, system: str, *, at: datetime) -> bool:
    """Her phone's system as her browser named it; False where that is known already.

    The newest observation wins; what she, staff or a file said stays.
    """
    return _observe(friend_id, "os", system, at)


def observe_place(friend_id: int, address: str, *, at: datetime) -> bool:
    """The region of a place she sent us; False where it names none or it is known already.

    As with her phone, the newest observation wins and what anybody said stays.
    """
    region = region_in(address)
    return region is not None and _observe(friend_id, "region", region, at)


def _observe(friend_id: int, attribute: Literal["os", "region"], seen: str, at: datetime) -> bool:
    changed = run_sql(
        f"UPDATE friend SET {attribute} = ?, {attribute}_origin = 'observed'"  # noqa: S608
        f" WHERE id = ? AND ({attribute} IS NULL"
        f" OR ({attribute}_origin = 'observed' AND {attribute} <> ?))",
        seen,
        friend_id,
        seen,
    ).rowcount
    if changed:
        value = {"by": "observed", "set": {attribute: seen}}
        journal.record(friend_id, "attribute.set", value=value, at=at)
    return bool(changed)
