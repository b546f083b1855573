"""What a friend tells about herself, in a form of the shop's: her own word counts most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lineadmin import journal
from lineadmin.db import atomic
from lineadmin.friends import fields
from lineadmin.friends.models import Field, Friend, FriendField

SELF = "self"
ORIGINS = {"gender": "gender_origin", "birth_year": "birth_origin", "region": "region_origin"}


def tell(
    friend_id: int,
    known: Mapping[str, Any],
    own: Mapping[str, tuple[str, float | None]],
    *,
    at: datetime,
) -> bool:
    """Keep what she said, whoever said something else before; False where it was known as hers.

    :param known: gender, birth_year, region; checked, none of them empty
    :param own: values of the shop's fields by key, as fields.parse_value gives them
    """
    with atomic():
        told = {key: value for key, value in known.items() if _keep_known(friend_id, key, value)}
        by_key = {row.key: row for row in Field.select().where(Field.key.in_(sorted(own)))}
        for key, value in own.items():
            if key in by_key and _keep_own(friend_id, by_key[key], value, at):
                told[key] = fields.written_value(by_key[key].type, *value)
        if told:
            fact = {"by": SELF, "set": told}
            journal.record(friend_id, "attribute.set", value=fact, at=at)
    return bool(told)


def _keep_known(friend_id: int, key: str, value: Any) -> bool:
    column, origin = getattr(Friend, key), ORIGINS[key]
    differs = column.is_null() | (column != value) | (getattr(Friend, origin) != SELF)
    changes = {key: value, origin: SELF, "version": Friend.version + 1}
    return bool(Friend.update(**changes).where(Friend.id == friend_id, differs).execute())


def _keep_own(friend_id: int, field: Field, value: tuple[str, float | None], at: datetime) -> bool:
    same = (FriendField.friend == friend_id) & (FriendField.field == field.id)
    row = FriendField.get_or_none(same)
    if row is not None and (row.text, row.number, row.origin) == (*value, SELF):
        return False
    fields.save_value(friend_id, field, value, origin=SELF, at=at)
    return True
