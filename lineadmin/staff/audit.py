"""The audit log: who changed what, before and after. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.staff.models import Audit, Staff


def record(
    staff: Staff | None,
    action: str,
    object_kind: str,
    object_id: int,
    label: str,
    before: Any = None,
    after: Any = None,
    *,
    wall: datetime,
    reason: str = "",
) -> None:
    """Write one line. Of two dicts only the fields that differ are kept. `staff` None = the program."""
    if isinstance(before, dict) and isinstance(after, dict):
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        before = {key: value for key, value in before.items() if key in changed}
        after = {key: value for key, value in after.items() if key in changed}
    Audit.insert(
        at=wall,
        staff=staff,
        staff_name="" if staff is None else staff.name,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        object_label=label[:255],
        before=before,
        after=after,
        reason=reason,
    ).execute()
