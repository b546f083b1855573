"""Making the links of a message: one row per program, place and address, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from lineadmin.db import insert_ignore
from lineadmin.friends.models import Tag
from lineadmin.outbox.models import OriginKind
from lineadmin.tracking import tokens
from lineadmin.tracking.models import TrackedLink

REPLY = 0  # origin_kind of free replies to what friends do; the others are the outbox's

# The names under which programs ask for messages (messages.prepare.Item.origin).
KINDS: Mapping[str, int] = {
    "broadcast": OriginKind.BROADCAST,
    "step": OriginKind.STEP,
    "greeting": OriginKind.GREETING,
    "staff": OriginKind.STAFF,
    "test": OriginKind.TEST,
    "reminder": OriginKind.REMINDER,
    "thanks": OriginKind.THANKS,
    "points": OriginKind.POINTS,
    "notice": OriginKind.NOTICE,
}
LONGEST_NAME = 60
MOST_DAYS = 366

# LINE's app opens these itself; through a redirect they would end in a browser.
LINES_OWN = ("line.me", "lin.ee", "line.naver.jp")


@dataclass(frozen=True)
class Place:
    """Where a link stands: the program, and the step within a sequence."""

    origin: str  # as messages.prepare.Item.origin; what is none of KINDS is a reply
    origin_id: int = 0
    place: int = 0

    @property
    def kind(self) -> int:
        """What the link keeps as its origin_kind."""
        return int(KINDS.get(self.origin, REPLY))


@dataclass(frozen=True)
class Wanted:
    """A link to be tracked. `url` is whole and percent-encoded."""

    url: str
    name: str = ""
    tag: str = ""  # the name of a dynamic tag
    tag_days: int | None = None


def can_be_tracked(url: str) -> bool:
    """A web address that may go through a redirect of ours."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return False
    return not any(host == own or host.endswith(f".{own}") for own in LINES_OWN)


def make(
    place: Place, wanted: Iterable[Wanted], *, per_friend: bool, now: datetime
) -> dict[str, TrackedLink]:
    """The links of one message by address, made where they are new. Harmless to repeat.

    Called inside the transaction that stores the message.
    """
    by_url = {one.url: one for one in wanted if can_be_tracked(one.url)}
    if not by_url:
        return {}
    tags = _tag_ids(one.tag for one in by_url.values())
    found = _found(place, by_url)
    for url in by_url.keys() - found.keys():
        _insert(place, by_url[url], tags, per_friend, now)
    if len(found) < len(by_url):
        found = _found(place, by_url)
    for url, link in found.items():
        _keep_up(link, by_url[url], tags, per_friend)
    return found


def _tag_ids(names: Iterable[str]) -> dict[str, int]:
    wanted = {name for name in names if name}
    if not wanted:
        return {}
    return {row.name: row.id for row in Tag.select(Tag.id, Tag.name).where(Tag.name.in_(wanted))}


def _found(place: Place, by_url: Iterable[str]) -> dict[str, TrackedLink]:
    rows = TrackedLink.select().where(
        TrackedLink.origin_kind == place.kind,
        TrackedLink.origin_id == place.origin_id,
        TrackedLink.place == place.place,
        TrackedLink.url_hash.in_([_hash(url) for url in by_url]),
    )
    return {row.url: row for row in rows}


def _insert(
    place: Place, one: Wanted, tags: dict[str, int], per_friend: bool, now: datetime
) -> None:
    insert_ignore(
        TrackedLink.insert(
            code=tokens.new_code(),
            origin_kind=place.kind,
            origin_id=place.origin_id,
            place=place.place,
            url=one.url,
            url_hash=_hash(one.url),
            per_friend=per_friend,
            name=one.name,
            tag_id=tags.get(one.tag),
            tag_days=one.tag_days if one.tag in tags else None,
            created_at=now,
        )
    )


def _keep_up(link: TrackedLink, one: Wanted, tags: dict[str, int], per_friend: bool) -> None:
    """What may change when a step is edited: everything but the address."""
    tag_id = tags.get(one.tag)
    wanted = {
        "name": one.name,
        "tag_id": tag_id,
        "tag_days": one.tag_days if tag_id else None,
        "per_friend": per_friend,
    }
    if any(getattr(link, key) != value for key, value in wanted.items()):
        TrackedLink.update(**wanted).where(TrackedLink.id == link.id).execute()


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
