"""Versions of one broadcast, and who gets none: drawn by a stable hash of friend and broadcast.

The same friend always falls into the same group, however often it is asked and on both databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import Case

from lineadmin import segments, settings
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.i18n import _l
from lineadmin.segments.sample import SAMPLE_BUCKETS, sample_bucket
from lineadmin.segments.tree import AnyOf, Leaf

PRIORITY = 60  # steps, at 50, go first
MOST_VARIANTS = 5
LETTERS = "ABCDE"
HOLDOUT_SALT = "holdout:broadcast"
VARIANT_SALT = "variant:broadcast"


def versions_of(row: Broadcast) -> list[Any]:
    """The parts of every version, A first."""
    return [row.parts, *(row.variants or [])]


def require_different(versions: Sequence[Any]) -> None:
    """:raises DomainError: a version is empty, or two of them say the same"""
    for number, parts in enumerate(versions):
        if not parts:
            raise DomainError(
                _l("Version %(letter)s has no message yet.", letter=LETTERS[number]),
                field="variants",
            )
        if parts in versions[:number]:
            raise DomainError(
                _l(
                    "Versions %(one)s and %(other)s say the same.",
                    one=LETTERS[list(versions).index(parts)],
                    other=LETTERS[number],
                ),
                field="variants",
            )


def content_for(row: Broadcast) -> Any:
    """The content a friend gets: one id, or an expression over `Friend` that draws her version."""
    contents = [row.content_id, *(row.variant_contents or [])]
    if len(contents) == 1:
        return row.content_id
    bucket = sample_bucket(Friend.id.cast("BIGINT"), f"{VARIANT_SALT}:{row.id}")
    cases = [
        (bucket < SAMPLE_BUCKETS * (number + 1) // len(contents), content_id)
        for number, content_id in enumerate(contents[:-1])
    ]
    return Case(None, cases, contents[-1])


def held_back(broadcast_id: int, percent: int, now: datetime) -> Any:
    """The friends who get nothing, for comparison; None where there is no such group."""
    if not percent:
        return None
    leaf = Leaf("sample", "is", percent, salt=f"{HOLDOUT_SALT}:{broadcast_id}")
    return segments.where(AnyOf((leaf,)), now=now, zone=settings.shop_zone())
