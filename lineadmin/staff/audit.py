"""The record of every change: who, what, before and after. Written once, kept for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from enum import Enum
from typing import Any

from lineadmin.staff.models import Audit, Staff

HIDDEN = "•••"
SECRET_WORDS = ("password", "token", "secret", "hash")
LONGEST_VALUE = 2_000  # characters of one text kept per side

_address: ContextVar[str] = ContextVar("audit_address", default="")


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
    """Write one line, in the transaction of the change itself.

    `action` is "noun.verb" (audit_words.py knows both); `staff` None is the program or the shell.
    A side is a dict of fields, or one bare value. Of two given sides only the fields that differ
    are kept; secrets are written as •••.
    """
    kept_before, kept_after = _differences(before, after)
    Audit.insert(
        at=wall,
        staff=staff,
        staff_name=staff.name if staff is not None else "",
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        object_label=label[:255],
        before=kept_before,
        after=kept_after,
        reason=reason,
        address=_address.get(),
    ).execute()


def set_address(address: str) -> None:
    """Doors tell from which address this request comes; later lines of the request carry it."""
    _address.set(address[:64])


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Within the block lines carry `address`."""
    token = _address.set(address[:64])
    try:
        yield
    finally:
        _address.reset(token)


def last_change(object_kind: str, object_id: int, action: str = "") -> Audit | None:
    """The latest line about one thing (and of one action, where it is given)."""
    query = Audit.select().where(Audit.object_kind == object_kind, Audit.object_id == object_id)
    if action:
        query = query.where(Audit.action == action)
    row: Audit | None = query.order_by(Audit.id.desc()).first()
    return row


def lines_of(object_kind: str, object_id: int, *, limit: int) -> list[Audit]:
    """The latest lines about one thing, the newest first."""
    query = Audit.select().where(Audit.object_kind == object_kind, Audit.object_id == object_id)
    return list(query.order_by(Audit.id.desc()).limit(limit))


def _differences(before: Any, after: Any) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    old, new = _fields(before), _fields(after)
    if before is not None and after is not None:
        same = {key for key in old.keys() & new.keys() if old[key] == new[key]}
        old = {key: value for key, value in old.items() if key not in same}
        new = {key: value for key, value in new.items() if key not in same}
    return (
        {key: _redact(key, value) for key, value in old.items()} if before is not None else None,
        {key: _redact(key, value) for key, value in new.items()} if after is not None else None,
    )


def _fields(side: Any) -> dict[str, Any]:
    if side is None:
        return {}
    if isinstance(side, Mapping):
        return {str(key): plain(value) for key, value in side.items()}
    return {"value": plain(side)}


def plain(value: Any) -> Any:
    """A value as JSON can keep it: moments as ISO text, enums as names, rows as their id."""
    if value is None or isinstance(value, bool | int | float):
        return value.name.lower() if isinstance(value, Enum) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if hasattr(value, "_pk"):
        return value._pk
    return str(value)[:LONGEST_VALUE]


def _redact(key: str, value: Any) -> Any:
    secret = key.lower() == "pin" or any(word in key.lower() for word in SECRET_WORDS)
    if secret and value not in (None, ""):
        return HIDDEN
    if isinstance(value, dict):
        return {inner: _redact(inner, kept) for inner, kept in value.items()}
    if isinstance(value, list):
        return [_redact(key, item) for item in value]
    return value
