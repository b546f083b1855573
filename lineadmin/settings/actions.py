"""Reading and changing settings; every change leaves an audit line and moves the version."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from lineadmin.db import atomic, insert_ignore, run_sql
from lineadmin.errors import Conflict
from lineadmin.i18n import _l
from lineadmin.settings.models import Setting
from lineadmin.staff import audit
from lineadmin.staff.models import Staff


def get(key: str, default: Any = None) -> Any:
    """The value under `key`, or `default` where the shop never set it."""
    # Asked many times in every request and message: by hand, since Peewee takes longer to ask.
    row = run_sql("SELECT value FROM setting WHERE key = ?", key).fetchone()
    return default if row is None or row[0] is None else json.loads(row[0])


def version_of(key: str) -> int:
    """The version a form shows and sends back; 0 where nothing was ever set."""
    row = Setting.get_or_none(Setting.key == key)
    return 0 if row is None else int(row.version)


def put(
    key: str,
    value: Any,
    *,
    staff: Staff | None,
    wall: datetime,
    version: int | None = None,
    action: str = "settings.change",
    label: str = "",
) -> bool:
    """Set `key`; answers False where it already was exactly that.

    :param version: the version the form was opened with; None skips the check
    :raises Conflict: somebody else changed it since
    """
    with atomic():
        row = Setting.get_or_none(Setting.key == key)
        before = None if row is None else row.value
        if version is not None and version != (0 if row is None else row.version):
            raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        if row is not None and before == value:
            return False
        by = None if staff is None else staff.id
        if row is None:
            insert_ignore(Setting.insert(key=key, value=value, changed_at=wall, changed_by=by))
        else:
            changed = (
                Setting.update(
                    value=value, version=Setting.version + 1, changed_at=wall, changed_by=by
                )
                .where(Setting.id == row.id, Setting.version == row.version)
                .execute()
            )
            if not changed:
                raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        audit.record(staff, action, "setting", 0, label, before, value, wall=wall)
    return True


def mark(key: str, value: Any, *, wall: datetime) -> None:
    """Note something the program itself found out; no audit line, no version check."""
    with atomic():
        changed = (
            Setting.update(value=value, changed_at=wall, version=Setting.version + 1)
            .where(Setting.key == key)
            .execute()
        )
        if not changed:
            insert_ignore(Setting.insert(key=key, value=value, changed_at=wall))


def keep(key: str, value: Any, *, wall: datetime) -> Any:
    """Note `value` unless there is one already; what is noted now, whoever was first."""
    insert_ignore(Setting.insert(key=key, value=value, changed_at=wall))
    return get(key)


def clear(key: str) -> bool:
    """Forget a mark; True when there was one."""
    return bool(Setting.delete().where(Setting.key == key).execute())
