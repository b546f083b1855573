"""Making and changing sources and the shop's own fields; what friends hold is untouched by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.fields import CHOICE, TYPES, check_key
from lineadmin.friends.models import Field, FriendField, Source
from lineadmin.friends.sources import ensure_source
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LONGEST_NAME = 60
MOST_CHOICES = 100
CHUNK = 5_000


def save_source(
    code: str, name: str | None, *, staff: Staff | None, now: datetime, wall: datetime
) -> tuple[bool, bool]:
    """Make the source of this code or give it another name; (created, changed).

    :param name: None leaves the name alone; a new source is then called by its code
    :raises DomainError: the code or the name is not one
    """
    if name is not None:
        name = _clean_name(name)
    with atomic():
        source = Source.get_or_none(Source.code == code)
        if source is None:
            source = ensure_source(code, name or code, now=now)
            after = {"code": code, "name": source.name}
            audit.record(
                staff, "source.create", "source", source.id, source.name, None, after, wall=wall
            )
            return True, False
        if name is None or name == source.name:
            return False, False
        Source.update(name=name, version=Source.version + 1).where(Source.id == source.id).execute()
        before, after = {"name": source.name}, {"name": name}
        audit.record(staff, "source.edit", "source", source.id, name, before, after, wall=wall)
        return False, True


def save_field(
    key: str, changes: dict[str, Any], *, staff: Staff | None, wall: datetime
) -> tuple[bool, bool]:
    """Make the field of this key or change it; (created, changed).

    :param changes: any of name, type and choices; what is absent stays as it is
    :raises DomainError: a bad key, name, type or list of choices; or friends hold values that the
        new type or list would make meaningless
    """
    check_key(key)
    with atomic():
        row = Field.get_or_none(Field.key == key)
        before = None if row is None else _values(row)
        after = {"name": key, "type": "text", "choices": None, **(before or {}), **changes}
        if after["type"] != CHOICE and "choices" not in changes:
            after["choices"] = None
        _check_field(after)
        if before == after:
            return False, False
        if row is None:
            position = Field.select().count()
            row = Field.create(key=key, position=position, **after)
            audit.record(staff, "field.create", "field", row.id, row.name, None, after, wall=wall)
            return True, False
        _check_values_held(row, before or {}, after)
        Field.update(**after, version=Field.version + 1).where(Field.id == row.id).execute()
        audit.record(staff, "field.edit", "field", row.id, after["name"], before, after, wall=wall)
        return False, True


def delete_field(row: Field, *, staff: Staff | None, wall: datetime) -> int:
    """Forget a field and what friends have of it, in portions; how many values it were."""
    removed = 0
    while True:
        some = FriendField.select(FriendField.id).where(FriendField.field == row.id).limit(CHUNK)
        with atomic():
            gone = int(FriendField.delete().where(FriendField.id.in_(some)).execute())
        removed += gone
        if not gone:
            break
    with atomic():
        if Field.delete().where(Field.id == row.id).execute():
            before = {**_values(row), "key": row.key, "count": removed}
            audit.record(staff, "field.delete", "field", row.id, row.name, before, None, wall=wall)
    return removed


def move_field(row: Field, *, up: bool, staff: Staff | None, wall: datetime) -> bool:
    """Let a field change places with the one before or after it; False at the end of the list."""
    with atomic():
        ids = [one.id for one in Field.select().order_by(Field.position, Field.id)]
        here = ids.index(row.id) if row.id in ids else -1
        there = here - 1 if up else here + 1
        if here < 0 or not 0 <= there < len(ids):
            return False
        ids[here], ids[there] = ids[there], ids[here]
        for position, field_id in enumerate(ids):
            Field.update(position=position).where(Field.id == field_id).execute()
        audit.record(staff, "field.move", "field", row.id, row.name, wall=wall)
    return True


def _values(row: Field) -> dict[str, Any]:
    return {"name": row.name, "type": row.type, "choices": row.choices}


def _check_field(values: dict[str, Any]) -> None:
    values["name"] = _clean_name(values["name"])
    if values["type"] not in TYPES:
        raise DomainError(
            _l("A field holds one of: %(types)s.", types=", ".join(TYPES)), field="type"
        )
    choices = values["choices"]
    if values["type"] != CHOICE:
        if choices is not None:
            raise DomainError(_l("Only a field of the type choice has choices."), field="choices")
        return
    if not choices or len(choices) > MOST_CHOICES:
        raise DomainError(
            _l("A choice needs 1 to %(most)s choices.", most=MOST_CHOICES), field="choices"
        )
    values["choices"] = [_clean_name(str(choice)) for choice in choices]
    if len(set(values["choices"])) != len(choices):
        raise DomainError(_l("Two choices are the same."), field="choices")


def _check_values_held(row: Field, before: dict[str, Any], after: dict[str, Any]) -> None:
    held = FriendField.select().where(FriendField.field == row.id)
    if before["type"] != after["type"] and held.exists():
        raise DomainError(
            _l("Friends have values of this field already, so its type stays."), field="type"
        )
    gone = sorted(set(before["choices"] or []) - set(after["choices"] or []))
    if gone and after["type"] == CHOICE and held.where(FriendField.text.in_(gone)).exists():
        raise DomainError(
            _("Friends have chosen %(choice)s already, so it stays.", choice=gone[0]),
            field="choices",
        )


def _clean_name(name: str) -> str:
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    return clean
