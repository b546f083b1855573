"""From a condition tree to SQL on the friend table, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, Value

from lineadmin.friends.models import Friend
from lineadmin.i18n import _l
from lineadmin.segments.fields import FIELDS, Condition, Context
from lineadmin.segments.language import parse
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import AllOf, Leaf, Not, Tree, TreeError

COUNT_CAP = 10_000


def where(
    tree: Tree | dict[str, Any], *, now: datetime, zone: ZoneInfo, per_friend: bool = False
) -> Condition:
    """The condition on `Friend`, true or false for everyone and never NULL.

    :param per_friend: look each friend up instead of gathering all who match first: right when only
        a slice of friends is asked about (planning), wrong when everyone is counted
    :raises TreeError: the tree is not one, or a segment in it leads back to itself
    """
    parsed = parse(tree) if isinstance(tree, dict) else tree
    return _where(parsed, Context(now, zone, _where, per_friend))


def count(condition: Condition | None, cap: int | None = COUNT_CAP) -> int:
    """How many friends pass; with a cap, counting stops one past it (cap + 1 = "more than")."""
    query = Friend.select(SQL("1"))
    if condition is not None:
        query = query.where(condition)
    if cap is not None:
        query = query.limit(cap + 1)
    return int(query.count(clear_limit=False))


def expand(name: str, context: Context) -> Condition:
    """The condition of a saved segment; nobody where there is none of that name."""
    if name in context.inside:
        raise TreeError(
            _l("The segment “%(name)s” leads back to itself.", name=name), ("segment", name)
        )
    row = Segment.get_or_none(Segment.name == name)
    if row is None:
        return Value(1) == Value(0)
    return _where(parse(row.tree), replace(context, inside=(*context.inside, name)))


def _where(tree: Tree, context: Context) -> Condition:
    if isinstance(tree, Leaf):
        return FIELDS[tree.kind].where(tree, context)
    if isinstance(tree, Not):
        return ~_where(tree.item, context)
    items = [_where(item, context) for item in tree.items]
    if isinstance(tree, AllOf):
        return reduce(and_, items) if items else Value(1) == Value(1)
    return reduce(or_, items) if items else Value(1) == Value(0)
