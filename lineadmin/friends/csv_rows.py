"""Saving the rows of a friends CSV: a few statements for hundreds of friends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin import journal
from lineadmin.db import atomic, insert_ignore, is_postgres
from lineadmin.friends import queries, tags
from lineadmin.friends.fields import all_fields
from lineadmin.friends.models import Branch, Friend, FriendField, FriendTag

BY_CSV = "csv"
PER_STATEMENT = 100
_ORIGINS = {
    "gender": "gender_origin",
    "birth_year": "birth_origin",
    "region": "region_origin",
    "os": "os_origin",
    "branch_id": "branch_origin",
}


@dataclass
class Row:
    """One friend as a CSV tells of her; only what the row says is set."""

    user_id: str
    name: str = ""
    source_id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)  # keys of _ORIGINS
    own: dict[int, tuple[str, float | None]] = field(default_factory=dict)  # by field id
    tags: list[str] = field(default_factory=list)


def save_rows(rows: list[Row], tag_ids: dict[str, int], *, now: datetime) -> tuple[int, int]:
    """Write these rows in one transaction; how many friends are new and how many changed.

    Of two rows for the same friend the later one has the last word.
    """
    with atomic():
        friends, new = _friends([row.user_id for row in rows], now)
        changed: set[int] = set()
        changed |= _save_values(rows, friends, now)
        changed |= _save_own(rows, friends, now)
        changed |= _save_tags(rows, friends, tag_ids, now)
    return len(new), len(changed - new)


def _friends(user_ids: list[str], now: datetime) -> tuple[dict[str, Friend], set[int]]:
    """Friends by LINE id, the missing ones added, and the ids of the added."""
    wanted = list(dict.fromkeys(user_ids))
    known = {friend.line_user_id for friend in _select(wanted)}
    missing = [user_id for user_id in wanted if user_id not in known]
    if missing:
        insert_ignore(
            Friend.insert_many(
                [{"line_user_id": user_id, "first_seen_at": now} for user_id in missing]
            )
        )
    friends = {friend.line_user_id: friend for friend in _select(wanted, lock=True)}
    return friends, {friends[user_id].id for user_id in missing}


def _select(user_ids: list[str], *, lock: bool = False) -> Any:
    query = Friend.select().where(Friend.line_user_id.in_(user_ids)).order_by(Friend.id)
    return query.for_update() if lock and is_postgres() else query


def _save_values(rows: list[Row], friends: dict[str, Friend], now: datetime) -> set[int]:
    """Names, sources and attributes. A name LINE told us beats one from a file."""
    touched: dict[int, Friend] = {}
    told: dict[int, dict[str, Any]] = defaultdict(dict)
    homes = {row.values["branch_id"] for row in rows if "branch_id" in row.values}
    found = Branch.select().where(Branch.id.in_(sorted(homes))) if homes else ()
    branches = {branch.id: branch.name for branch in found}
    sources: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        friend = friends[row.user_id]
        if row.name and friend.profile_at is None and friend.display_name != row.name:
            friend.display_name = row.name
            touched[friend.id] = friend
        if row.source_id is not None and friend.source_id != row.source_id:
            friend.source_id = row.source_id
            friend.source_origin = BY_CSV
            sources[row.source_id].append(friend.id)
            touched[friend.id] = friend
        for key, value in row.values.items():
            if getattr(friend, key) != value:
                setattr(friend, key, value)
                setattr(friend, _ORIGINS[key], BY_CSV)
                if key == "branch_id":
                    told[friend.id]["branch"] = branches[value]
                else:
                    told[friend.id][key] = value
                touched[friend.id] = friend
    _write(list(touched.values()))
    by = {"by": BY_CSV}
    for source_id, ids in sources.items():
        journal.record_many(ids, "source.set", object_id=source_id, value=by, at=now)
    _tell(told, now)
    return set(touched)


def _write(friends: list[Friend]) -> None:
    """Update many friends at once: as inserts that meet the rows they are about."""
    known = ["branch" if key == "branch_id" else key for key in _ORIGINS]
    kept = ["display_name", "source", "source_origin", *known, *_ORIGINS.values()]
    columns = [Friend._meta.fields[name] for name in kept]
    rows = [
        {
            "line_user_id": friend.line_user_id,
            "first_seen_at": friend.first_seen_at,
            **{name: friend.__data__[name] for name in kept},
        }
        for friend in friends
    ]
    for start in range(0, len(rows), PER_STATEMENT):
        Friend.insert_many(rows[start : start + PER_STATEMENT]).on_conflict(
            conflict_target=[Friend.line_user_id],
            preserve=columns,
            update={Friend.version: Friend.version + 1},
        ).execute()


def _save_own(rows: list[Row], friends: dict[str, Friend], now: datetime) -> set[int]:
    """Values of the shop's own fields."""
    ids = [friend.id for friend in friends.values()]
    if not any(row.own for row in rows):
        return set()
    held = {
        (row.friend_id, row.field_id): (row.text, row.number)
        for row in FriendField.select().where(FriendField.friend.in_(ids))
    }
    new: dict[tuple[int, int], tuple[str, float | None]] = {}
    for row in rows:
        friend_id = friends[row.user_id].id
        for field_id, value in row.own.items():
            if held.get((friend_id, field_id)) != value:
                new[friend_id, field_id] = value
    listed = [
        {
            "friend": friend_id,
            "field": field_id,
            "text": text,
            "number": number,
            "origin": BY_CSV,
            "at": now,
        }
        for (friend_id, field_id), (text, number) in new.items()
    ]
    for start in range(0, len(listed), PER_STATEMENT):
        FriendField.insert_many(listed[start : start + PER_STATEMENT]).on_conflict(
            conflict_target=[FriendField.field, FriendField.friend],
            preserve=[FriendField.text, FriendField.number, FriendField.origin, FriendField.at],
        ).execute()
    keys = {field.id: field.key for field in all_fields()}
    told: dict[int, dict[str, Any]] = defaultdict(dict)
    for (friend_id, field_id), (text, number) in new.items():
        told[friend_id][keys[field_id]] = text if number is None else f"{number:g}"
    _tell(told, now)
    return set(told)


def _tell(told: dict[int, dict[str, Any]], now: datetime) -> None:
    """One fact a friend, with what the file set."""
    facts = [
        (friend_id, 0, {"by": BY_CSV, "set": told[friend_id]}, None, now)
        for friend_id in sorted(told)
    ]
    journal.record_each("attribute.set", facts)


def _save_tags(
    rows: list[Row], friends: dict[str, Friend], tag_ids: dict[str, int], now: datetime
) -> set[int]:
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        for name in row.tags:
            wanted[tag_ids[name]].add(friends[row.user_id].id)
    changed: set[int] = set()
    for tag_id, ids in wanted.items():
        missing = ids - _tagged(tag_id, ids)
        if missing:
            tags.add_tag_many(missing, tag_id, at=now, by_kind=BY_CSV)
            changed |= missing
    return changed


def _tagged(tag_id: int, ids: Collection[int]) -> set[int]:
    rows = FriendTag.select(FriendTag.friend).where(
        (FriendTag.tag == tag_id) & FriendTag.friend.in_(list(ids))
    )
    return set(queries.ids(rows))
