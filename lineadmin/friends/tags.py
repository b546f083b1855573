"""Tags: marks on friends, set one by one or on many at once, with their history in the journal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from peewee import Expression, IntegrityError, Value

from lineadmin import journal
from lineadmin.db import atomic, insert_ignore, to_ms
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import queries
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

STATIC, DYNAMIC = "static", "dynamic"
KINDS = (STATIC, DYNAMIC)
DEFAULT_COLOR = "#6d7872"
COLORS = (
    "#067a3e",
    "#1f5fbf",
    "#7a4bb5",
    "#b3261e",
    "#e07a2f",
    "#8a5300",
    "#c2185b",
    "#00838f",
    DEFAULT_COLOR,
)
LONGEST_NAME = 40
SEPARATOR = "|"  # between the tags of a friend in a CSV
CHUNK = 5000

BY_STAFF = "staff"  # who set a tag: staff | csv | reply | rule | coupon | link | survey


def add_tag(
    friend_id: int,
    tag_id: int,
    *,
    at: datetime,
    by_kind: str = BY_STAFF,
    by_id: int = 0,
    until: datetime | None = None,
) -> bool:
    """Tag one friend; False where she has the tag already (then nothing is written)."""
    with atomic():
        row = FriendTag.insert(
            friend=friend_id, tag=tag_id, at=at, by_kind=by_kind, by_id=by_id, until=until
        )
        if not insert_ignore(row):
            return False
        journal.record(friend_id, "tag.added", object_id=tag_id, value={"by": by_kind}, at=at)
    return True


def remove_tag(friend_id: int, tag_id: int, *, at: datetime, by_kind: str = BY_STAFF) -> bool:
    """Take a tag off one friend; False where she did not have it."""
    with atomic():
        gone = (
            FriendTag.delete()
            .where((FriendTag.friend == friend_id) & (FriendTag.tag == tag_id))
            .execute()
        )
        if not gone:
            return False
        journal.record(friend_id, "tag.removed", object_id=tag_id, value={"by": by_kind}, at=at)
    return True


def add_tag_many(
    whom: Expression | Iterable[int],
    tag_id: int,
    *,
    at: datetime,
    by_kind: str = BY_STAFF,
    by_id: int = 0,
) -> int:
    """Tag every friend of a list of ids or of a condition on Friend; how many got it newly.

    Works in transactions of at most 5,000 friends, so that the webhook gets its turns between
    them; repeating it after an interruption does no harm.
    """
    added = 0
    for ids in _chunks(whom):
        rows = Friend.select(
            Friend.id, Value(tag_id), Value(to_ms(at)), Value(by_kind), Value(by_id)
        ).where(Friend.id.in_(ids))
        columns = [
            FriendTag.friend,
            FriendTag.tag,
            FriendTag.at,
            FriendTag.by_kind,
            FriendTag.by_id,
        ]
        with atomic():
            new = (
                FriendTag.insert_from(rows, fields=columns)
                .on_conflict_ignore()
                .returning(FriendTag.friend)
            )
            tagged = [row.friend_id for row in new.execute()]
            journal.record_many(tagged, "tag.added", object_id=tag_id, value={"by": by_kind}, at=at)
        added += len(tagged)
    return added


def remove_tag_many(
    whom: Expression | Iterable[int], tag_id: int, *, at: datetime, by_kind: str = BY_STAFF
) -> int:
    """Take a tag off every friend of a list of ids or of a condition; how many had it."""
    removed = 0
    for ids in _chunks(whom):
        with atomic():
            old = (
                FriendTag.delete()
                .where((FriendTag.tag == tag_id) & FriendTag.friend.in_(ids))
                .returning(FriendTag.friend)
            )
            untagged = [row.friend_id for row in old.execute()]
            journal.record_many(
                untagged, "tag.removed", object_id=tag_id, value={"by": by_kind}, at=at
            )
        removed += len(untagged)
    return removed


def create_tag(
    name: str,
    *,
    color: str = DEFAULT_COLOR,
    kind: str = STATIC,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> Tag:
    """A new tag.

    :raises DomainError: a bad name or colour, or there is a tag of this name
    """
    values = _checked(name, color, kind)
    try:
        with atomic():
            tag: Tag = Tag.create(created_at=now, **values)
            audit.record(staff, "tag.create", "tag", tag.id, tag.name, None, values, wall=wall)
    except IntegrityError:
        raise _taken(values["name"]) from None
    return tag


def edit_tag(
    tag: Tag, *, name: str, color: str, version: int, staff: Staff | None, wall: datetime
) -> bool:
    """Rename or recolour a tag; False where nothing changed.

    :raises DomainError: a bad name or colour, or another tag has this name
    :raises Conflict: somebody else changed it since the form was opened
    """
    values = _checked(name, color, tag.kind)
    before = {"name": tag.name, "color": tag.color, "kind": tag.kind}
    if before == values:
        return False
    try:
        with atomic():
            changed = (
                Tag.update(**values, version=Tag.version + 1)
                .where((Tag.id == tag.id) & (Tag.version == version))
                .execute()
            )
            if not changed:
                raise Conflict(_l("Somebody else changed this tag meanwhile. Nothing was saved."))
            audit.record(staff, "tag.edit", "tag", tag.id, name, before, values, wall=wall)
    except IntegrityError:
        raise _taken(values["name"]) from None
    return True


def delete_tag(tag: Tag, *, staff: Staff | None, at: datetime, wall: datetime) -> int:
    """Take a tag off everybody and delete it; how many friends had it."""
    removed = remove_tag_many(_having(tag.id), tag.id, at=at)
    with atomic():
        if Tag.delete().where(Tag.id == tag.id).execute():
            before = {"name": tag.name, "color": tag.color, "count": removed}
            audit.record(staff, "tag.delete", "tag", tag.id, tag.name, before, None, wall=wall)
    return removed


def ensure_tags(
    names: Sequence[str], *, staff: Staff | None, now: datetime, wall: datetime
) -> list[str]:
    """Create the static tags among `names` that do not exist; answers the created names.

    :raises DomainError: a name cannot be a tag
    """
    known = {tag.name for tag in Tag.select(Tag.name).where(Tag.name.in_(list(names)))}
    missing = [name for name in dict.fromkeys(names) if name not in known]
    for name in missing:
        create_tag(name, staff=staff, now=now, wall=wall)
    return missing


def check_name(name: str) -> str:
    """The name as it is stored.

    :raises DomainError: empty, too long, or with the sign that separates tags in a CSV
    """
    clean = " ".join(name.split())
    if not clean:
        raise DomainError(_l("A tag needs a name."), field="name")
    if len(clean) > LONGEST_NAME:
        raise DomainError(
            _l("A tag's name has at most %(count)s characters.", count=LONGEST_NAME), field="name"
        )
    if SEPARATOR in clean:
        raise DomainError(_l("A tag's name can't contain “|”: it separates tags."), field="name")
    return clean


def _checked(name: str, color: str, kind: str) -> dict[str, str]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise DomainError(_l("A colour looks like #067a3e."), field="color")
    if kind not in KINDS:
        raise DomainError(_l("A tag is static or dynamic."), field="kind")
    return {"name": check_name(name), "color": color.lower(), "kind": kind}


def _taken(name: str) -> DomainError:
    return DomainError(_("There is a tag “%(name)s” already.", name=name), field="name")


def _having(tag_id: int) -> Expression:
    return Friend.id.in_(FriendTag.select(FriendTag.friend).where(FriendTag.tag == tag_id))


def _chunks(whom: Expression | Iterable[int]) -> Iterator[list[int]]:
    """Ids in portions: of a condition by walking along the ids, of a list as it is."""
    if not isinstance(whom, Expression):
        ids = sorted(set(whom))
        for start in range(0, len(ids), CHUNK):
            yield ids[start : start + CHUNK]
        return
    after = 0
    while True:
        page = (
            Friend.select(Friend.id).where(whom, Friend.id > after).order_by(Friend.id).limit(CHUNK)
        )
        ids = queries.ids(page)
        if not ids:
            return
        yield ids
        after = ids[-1]
