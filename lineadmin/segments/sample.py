"""A stable random sample of friends: holdouts and splits by arithmetic alone."""

from __future__ import annotations

import hashlib
from typing import Any

from peewee import OP, Expression, fn

from lineadmin.db import is_postgres
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.tree import Leaf, Path, TreeError
from lineadmin.segments.widgets import IN_WORDS, Ask, Widget

SAMPLE_BUCKETS = 10_000  # a percent has two decimals
_PRIME = 2_147_483_647  # products of two residues stay below 2^63 on both databases


def sample_bucket(friend_id: Any, salt: str | int | None) -> Any:
    """0 … 9,999 for a friend, the same for ever and on both databases; works on a number too.

    Plain arithmetic modulo a prime: a line of the salt's own, squared, and another line.
    """
    digest = hashlib.sha256(str(salt if salt is not None else "").encode()).digest()
    a, b, c = (int.from_bytes(digest[i : i + 4], "big") % (_PRIME - 1) + 1 for i in (0, 4, 8))
    first = _remainder(friend_id * a + b, _PRIME)
    second = _remainder(first * first, _PRIME)
    return _remainder(_remainder(second * c + first, _PRIME), SAMPLE_BUCKETS)


def _remainder(number: Any, of: int) -> Any:
    if isinstance(number, int):
        return number % of
    if is_postgres():
        return fn.MOD(number, of)  # psycopg would read "%" as a placeholder
    return Expression(number, OP.MOD, of)  # SQLite's mod() counts in floats


def _sample(leaf: Leaf, context: f.Context) -> Condition:
    bucket = sample_bucket(Friend.id.cast("BIGINT"), leaf.salt)
    inside = bucket < round(leaf.value * SAMPLE_BUCKETS / 100)
    return ~inside if leaf.op in ("is_not", "at_least") else inside


def _check_percent(leaf: Leaf, path: Path) -> Any:
    value = leaf.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise TreeError(_l("This must be a percentage from 0 to 100."), (*path, "value"))
    return value


register(
    FieldSpec(
        "sample",
        _l("random sample"),
        (*f.ONE, *f.AMOUNT),
        _sample,
        lambda leaf: (
            _("not in a random %(percent)s%%", percent=leaf.value)
            if leaf.op in ("is_not", "at_least")
            else _("in a random %(percent)s%%", percent=leaf.value)
        ),
        _check_percent,
        Ask("relation", Widget("number", "%", 0, 100, whole=False), offered=f.ONE, words=IN_WORDS),
        allows=("salt",),
    )
)
