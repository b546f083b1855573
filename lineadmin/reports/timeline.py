"""What happened with one friend, newest first, merged from every table that knows something.

Each source is asked for one page's worth of rows along its index on (friend, time), so a page costs
the same however long the history is. Sources of the same floor (messages friends wrote) are handed
in by the door as functions.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Expression, Field

from lineadmin.db import from_ms, to_ms
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import Content, Delivery, Reply

PAGE = 30

# At the same moment, what stands later caused nothing of what stands before it.
MESSAGE, FACT, DELIVERY, REPLY = 1, 2, 3, 4

# What the table of messages tells in full; the journal knows only that there was one.
TOLD_ELSEWHERE = ("message", "source.found")


@dataclass(frozen=True)
class Cursor:
    """A place in the timeline: everything before it is older."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{to_ms(self.at)}.{self.rank}.{self.id}"

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """The cursor an address carries; None where it is none."""
        parts = (text or "").split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        milliseconds, rank, number = map(int, parts)
        if milliseconds >= 2**47 or rank > REPLY or number >= 2**31:
            return None
        return cls(from_ms(milliseconds), rank, number)


@dataclass(frozen=True)
class Moment:
    """One thing that happened, as its own table keeps it; `rank` tells which table."""

    at: datetime
    rank: int
    row: Any

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        return Cursor(self.at, self.rank, self.row.id)

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Later ones are larger."""
        return self.at, self.rank, self.row.id


@dataclass(frozen=True)
class Page:
    """Some moments, newest first; `older` None: that was all."""

    moments: list[Moment]
    older: Cursor | None


# Moments of one friend older than the cursor (None: than anything), newest first, at most so many.
Source = Callable[[int, Cursor | None, int], list[Moment]]


def page(
    friend_id: int, *, before: Cursor | None = None, size: int = PAGE, more: Sequence[Source] = ()
) -> Page:
    """One page of a friend's timeline."""
    sources = (facts, deliveries, replies, *more)
    found = [source(friend_id, before, size + 1) for source in sources]
    merged = list(heapq.merge(*found, key=lambda moment: moment.order, reverse=True))
    moments = merged[:size]
    return Page(moments, moments[-1].cursor if len(merged) > size else None)


def facts(friend_id: int, before: Cursor | None, limit: int) -> list[Moment]:
    """What the journal says."""
    query = Fact.select().where(Fact.friend_id == friend_id, Fact.kind.not_in(TOLD_ELSEWHERE))
    rows = newest(query, Fact.at, Fact.id, FACT, before, limit)
    return [Moment(row.at, FACT, row) for row in rows]


def deliveries(friend_id: int, before: Cursor | None, limit: int) -> list[Moment]:
    """Messages planned for her: those she got, those she did not, and those still to come."""
    query = (
        Delivery.select(Delivery, Content.id, Content.summary)
        .left_outer_join(Content)
        .where(Delivery.friend_id == friend_id)
    )
    rows = newest(query, Delivery.due_at, Delivery.id, DELIVERY, before, limit)
    return [Moment(row.due_at, DELIVERY, row) for row in rows]


def replies(friend_id: int, before: Cursor | None, limit: int) -> list[Moment]:
    """Free answers."""
    query = (
        Reply.select(
            Reply.id,
            Reply.origin,
            Reply.origin_id,
            Reply.state,
            Reply.reason,
            Reply.at,
            Reply.content,
            Content.id,
            Content.summary,
        )
        .left_outer_join(Content)
        .where(Reply.friend_id == friend_id)
    )
    rows = newest(query, Reply.at, Reply.id, REPLY, before, limit)
    return [Moment(row.at, REPLY, row) for row in rows]


def newest(
    query: Any, at: Field, key: Field, rank: int, before: Cursor | None, limit: int
) -> list[Any]:
    """The newest rows of a source before a cursor."""
    if before is not None:
        query = query.where(*_older(at, key, rank, before))
    return list(query.order_by(at.desc(), key.desc()).limit(limit))


def _older(at: Any, key: Any, rank: int, before: Cursor) -> tuple[Expression, ...]:
    if rank < before.rank:
        return (at <= before.at,)
    if rank > before.rank:
        return (at < before.at,)
    # The first condition is the index's, the second only breaks ties.
    return (at <= before.at, (at < before.at) | (key < before.id))
