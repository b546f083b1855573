"""All friends, or some, as the CSV an import takes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from peewee import Expression

from lineadmin.friends import fields
from lineadmin.friends.csv_form import COLUMNS, HOME_BRANCH, neutralise
from lineadmin.friends.models import Branch, Friend, FriendField, FriendTag, Source, Tag
from lineadmin.friends.tags import SEPARATOR

BATCH = 1000
BOM = "\ufeff"  # Excel reads a file without it as the local code page


def export_csv(where: Expression | None = None) -> Iterator[str]:
    """The file in pieces of a thousand friends; memory and locks stay small at any size."""
    own = fields.all_fields()
    sources = {row.id: row.code for row in Source.select()}
    names = {row.id: row.name for row in Tag.select()}
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BOM)
    branches = {row.id: row.code for row in Branch.select()}
    if any(field.key == HOME_BRANCH for field in own):
        branches = {}
    more = [HOME_BRANCH] if branches else []
    writer.writerow([*COLUMNS, *more, *(field.key for field in own)])
    after = 0
    while True:
        page = Friend.select().where(Friend.id > after)
        if where is not None:
            page = page.where(where)
        friends = list(page.order_by(Friend.id).limit(BATCH))
        tags = _tags([friend.id for friend in friends], names)
        values = _values([friend.id for friend in friends])
        for friend in friends:
            mine = values.get(friend.id, {})
            row = _cells(friend, sources, tags.get(friend.id, []))
            if branches:
                row.append(branches.get(friend.branch_id or 0, ""))
            row += [fields.write_value(field, mine.get(field.id)) for field in own]
            writer.writerow([neutralise(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        if len(friends) < BATCH:
            return
        after = friends[-1].id


def _cells(friend: Friend, sources: dict[int, str], tags: list[str]) -> list[str]:
    return [
        friend.line_user_id,
        friend.display_name,
        sources.get(friend.source_id, "") if friend.source_id else "",
        friend.gender or "",
        "" if friend.birth_year is None else str(friend.birth_year),
        friend.region or "",
        friend.os or "",
        SEPARATOR.join(tags),
    ]


def _tags(ids: list[int], names: dict[int, str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in FriendTag.select().where(FriendTag.friend.in_(ids)):
        if row.tag_id in names:
            found.setdefault(row.friend_id, []).append(names[row.tag_id])
    return {friend_id: sorted(listed) for friend_id, listed in found.items()}


def _values(ids: list[int]) -> dict[int, dict[int, Any]]:
    found: dict[int, dict[int, Any]] = {}
    for row in FriendField.select().where(FriendField.friend.in_(ids)):
        found.setdefault(row.friend_id, {})[row.field_id] = row
    return found
