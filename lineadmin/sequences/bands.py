"""Age bands of branches that overlap: a friend on the border would be in two of them.

Bands are half-open, [from, to): "below 25" and "25 or more" touch without overlapping. Two branches
are compared where they ask the same but for the age; otherwise the first that fits takes a friend,
as the editor says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from lineadmin import segments
from lineadmin.segments.tree import AllOf, AnyOf, Leaf, Not, Tree, leaves
from lineadmin.sequences.definition import Branch

AGES = range(0, 131)
Band: TypeAlias = frozenset[int]


def overlaps(branches: tuple[Branch, ...]) -> Iterator[tuple[int, int, str]]:
    """(branch, later branch, "25–29") for every pair that claims the same ages."""
    bands = [None if one.where is None else _split(segments.parse(one.where)) for one in branches]
    for later, two in enumerate(bands):
        for earlier, one in enumerate(bands[:later]):
            if one is None or two is None or one[1] != two[1]:
                continue
            shared = one[0] & two[0]
            if shared:
                yield earlier, later, _written(shared)


def _split(tree: Tree) -> tuple[Band, frozenset[str]] | None:
    """The ages a condition lets in, and everything else it asks; None where it asks no age."""
    asked = list(_conjuncts(tree))
    about_age = [one for one in asked if _only_age(one)]
    if not about_age:
        return None
    band = frozenset(age for age in AGES if all(_fits(one, age) for one in about_age))
    return band, frozenset(_key(one) for one in asked if not _only_age(one))


def _conjuncts(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, AllOf):
        for item in tree.items:
            yield from _conjuncts(item)
    else:
        yield tree


def _only_age(tree: Tree) -> bool:
    asked = list(leaves(tree))
    return bool(asked) and all(leaf.kind == "age" for leaf in asked)


def _fits(tree: Tree, age: int) -> bool:
    """Whether a friend of a known age matches a condition on ages only."""
    if isinstance(tree, AllOf):
        return all(_fits(item, age) for item in tree.items)
    if isinstance(tree, AnyOf):
        return any(_fits(item, age) for item in tree.items)
    if isinstance(tree, Not):
        return not _fits(tree.item, age)
    return _leaf_fits(tree, age)


def _leaf_fits(leaf: Leaf, age: int) -> bool:
    match leaf.op:
        case "at_least":
            return age >= int(leaf.value)
        case "less_than":
            return age < int(leaf.value)
        case "is" | "any_of":
            return age in leaf.values
        case "is_not" | "none_of":
            return age not in leaf.values
        case op:
            return op == "known"


def _key(tree: Tree) -> str:
    written: dict[str, Any] = segments.dump(tree)
    return json.dumps(written, sort_keys=True, ensure_ascii=False)


def _written(ages: Band) -> str:
    low, high = min(ages), max(ages)
    if low == high:
        return str(low)
    return f"{low}+" if high == AGES[-1] else f"{low}–{high}"
