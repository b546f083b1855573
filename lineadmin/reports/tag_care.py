"""Which tags have become useless: nobody carries them, nothing sets them, or two say the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from lineadmin.db import one_of
from lineadmin.friends import queries
from lineadmin.friends.models import FriendTag, Tag
from lineadmin.friends.tags import DYNAMIC
from lineadmin.journal.models import Fact

LOOKED_AT = 1_000  # friends of each tag
OVERLAP = 0.8  # both ways
FEWEST = 5  # friends of a tag that is compared at all
QUIET = timedelta(days=90)


@dataclass(frozen=True)
class Pair:
    """Two tags whose friends are nearly the same; shares in percent."""

    one: Tag
    other: Tag
    of_one: int  # so many of the friends of `one` carry `other` too
    of_other: int


@dataclass(frozen=True)
class Care:
    """What to look at."""

    unused: list[Tag]
    quiet: list[tuple[Tag, datetime | None]]  # dynamic tags and when last set
    pairs: list[Pair]

    @property
    def nothing(self) -> bool:
        """All is well."""
        return not (self.unused or self.quiet or self.pairs)


def look(now: datetime) -> Care:
    """Judge every tag in use."""
    tags = queries.all_tags()
    carriers = {tag.id: _carriers(tag.id) for tag in tags}
    unused = [tag for tag in tags if not carriers[tag.id]]
    dynamic = [tag for tag in tags if tag.kind == DYNAMIC and carriers[tag.id]]
    last = {tag.id: _last_set(tag.id) for tag in dynamic}
    quiet = [
        (tag, last[tag.id])
        for tag in dynamic
        if (moment := last[tag.id]) is None or moment < now - QUIET
    ]
    return Care(unused, quiet, _pairs(tags, carriers))


def _carriers(tag_id: int) -> list[int]:
    rows = FriendTag.select(FriendTag.friend).where(FriendTag.tag == tag_id)
    return queries.ids(rows.order_by(FriendTag.friend).limit(LOOKED_AT))


def _last_set(tag_id: int) -> datetime | None:
    set_ = (Fact.kind == "tag.added") & (Fact.object_id == tag_id)
    moment: datetime | None = Fact.select(fn.MAX(Fact.at)).where(set_).scalar()
    return moment


def _pairs(tags: list[Tag], carriers: dict[int, list[int]]) -> list[Pair]:
    compared = [tag for tag in tags if len(carriers[tag.id]) >= FEWEST]
    share: dict[int, dict[int, float]] = defaultdict(dict)
    for tag in compared:
        friends = carriers[tag.id]
        rows: Any = (
            FriendTag.select(FriendTag.tag, fn.COUNT(FriendTag.id))
            .where(one_of(FriendTag.friend, friends))
            .group_by(FriendTag.tag)
            .tuples()
        )
        for other, count in rows:
            share[tag.id][int(other)] = count / len(friends)
    pairs = []
    for index, one in enumerate(compared):
        for other in compared[index + 1 :]:
            there, back = share[one.id].get(other.id, 0), share[other.id].get(one.id, 0)
            if min(there, back) >= OVERLAP:
                pairs.append(Pair(one, other, round(100 * there), round(100 * back)))
    return pairs
