"""Published definitions, read once: a version never changes, and every tick needs them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from lineadmin.db import dump_json
from lineadmin.sequences.definition import Definition, parse
from lineadmin.sequences.models import SequenceVersion


def definitions(version_ids: Iterable[int]) -> dict[int, Definition]:
    """The definitions of these versions; one that is gone is missing."""
    rows = SequenceVersion.select().where(SequenceVersion.id.in_(list(version_ids)))
    return {row.id: parsed(row.definition) for row in rows}


def parsed(raw: Any) -> Definition:
    """The definition that a stored version describes."""
    return _read(dump_json(raw))


@lru_cache(maxsize=256)
def _read(text: str) -> Definition:
    return parse(json.loads(text))
