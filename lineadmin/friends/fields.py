"""The shop's own attributes of a friend: text, number, date, or one of several choices."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import date, datetime

from lineadmin.errors import DomainError
from lineadmin.friends.models import Field, FriendField
from lineadmin.i18n import _, _l

TEXT, NUMBER, DATE, CHOICE = "text", "number", "date", "choice"
TYPES = (TEXT, NUMBER, DATE, CHOICE)
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST_TEXT = 200
LARGEST_NUMBER = 10**15
HELD_LIMIT = 10_000  # counts are exact up to here

# The columns of the friends CSV: a field of the shop's own can't be called like one of them.
RESERVED = frozenset(
    {
        "line_user_id",
        "display_name",
        "source",
        "gender",
        "birth_year",
        "region",
        "os",
        "tags",
        "home_branch",
    }
)


def all_fields() -> list[Field]:
    """The shop's fields in the order staff gave them."""
    return list(Field.select().order_by(Field.position, Field.id))


def held_counts(field_ids: Collection[int], limit: int = HELD_LIMIT) -> dict[int, int]:
    """How many friends have a value of each field, exact up to `limit`."""
    return {
        field_id: FriendField.select(FriendField.id)
        .where(FriendField.field == field_id)
        .limit(limit + 1)
        .count(clear_limit=False)
        for field_id in field_ids
    }


def check_key(key: str) -> str:
    """The key as it is stored.

    :raises DomainError: it could not be a column of the friends CSV
    """
    if not KEY.fullmatch(key):
        raise DomainError(
            _l("A field's key has small letters, digits and _ only, and starts with a letter."),
            field="key",
        )
    if key in RESERVED:
        raise DomainError(_("“%(key)s” is taken by a column of the friends CSV.", key=key))
    return key


def parse_value(field: Field, written: str) -> tuple[str, float | None]:
    """What a person wrote, as `(text, number)` for storing; ("", None) for nothing.

    :raises DomainError: this is no such value, and what would be one
    """
    written = written.strip()
    if not written:
        return "", None
    if field.type == NUMBER:
        return _number(field, written)
    if field.type == DATE:
        return _date(field, written), None
    if field.type == CHOICE and written not in (field.choices or []):
        raise DomainError(
            _(
                "%(field)s: choose one of %(choices)s.",
                field=field.name,
                choices=_(", ").join(map(str, field.choices or [])),
            ),
            field=field.key,
        )
    if len(written) > LONGEST_TEXT:
        raise DomainError(
            _("%(field)s: at most %(count)s characters.", field=field.name, count=LONGEST_TEXT),
            field=field.key,
        )
    return written, None


def write_value(field: Field, row: FriendField | None) -> str:
    """A stored value as a person would write it; "" where there is none."""
    return "" if row is None else written_value(field.type, row.text, row.number)


def written_value(field_type: str, text: str, number: float | None) -> str:
    """The same for a value read without its row."""
    if field_type != NUMBER:
        return text
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else repr(number)


def save_value(
    friend_id: int, field: Field, value: tuple[str, float | None], *, origin: str, at: datetime
) -> None:
    """Store a parsed value, or forget it where it is nothing. Called inside a transaction."""
    text, number = value
    if not text and number is None:
        FriendField.delete().where(
            (FriendField.friend == friend_id) & (FriendField.field == field.id)
        ).execute()
        return
    FriendField.insert(
        friend=friend_id, field=field.id, text=text, number=number, origin=origin, at=at
    ).on_conflict(
        conflict_target=[FriendField.field, FriendField.friend],
        preserve=[FriendField.text, FriendField.number, FriendField.origin, FriendField.at],
    ).execute()


def _number(field: Field, written: str) -> tuple[str, float]:
    try:
        number = float(written.replace(",", ""))
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST_NUMBER:
        raise DomainError(
            _("%(field)s: write a number, such as 12 or 3.5.", field=field.name), field=field.key
        )
    return "", number


def _date(field: Field, written: str) -> str:
    parts = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", written)
    try:
        if parts is None:
            raise ValueError
        year, month, day = map(int, parts.groups())
        return date(year, month, day).isoformat()
    except ValueError:
        raise DomainError(
            _("%(field)s: write a date, such as 2026-11-23.", field=field.name), field=field.key
        ) from None
