"""The nodes of a condition tree, and the error that says where in the tree something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from lineadmin.errors import DomainError

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One question about a friend. `field` may carry a part after a colon: `coupon:bento20`."""

    field: str
    op: str
    value: Any = None
    within_days: int | None = None
    at_least: int | None = None
    salt: str | int | None = None

    @property
    def kind(self) -> str:
        """The field's name without what stands after the colon."""
        return self.field.partition(":")[0]

    @property
    def about(self) -> str:
        """What stands after the colon; empty where there is none."""
        return self.field.partition(":")[2]

    @property
    def values(self) -> tuple[Any, ...]:
        """The value as a list, whether the op takes one or several."""
        return tuple(self.value) if isinstance(self.value, list | tuple) else (self.value,)


@dataclass(frozen=True)
class AllOf:
    """Every one of the items; without items: everyone."""

    items: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class AnyOf:
    """At least one of the items; without items: nobody."""

    items: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Not:
    """The plain opposite."""

    item: Tree


Tree: TypeAlias = AllOf | AnyOf | Not | Leaf

EVERYONE = AllOf()


class TreeError(DomainError):
    """A condition that cannot be. `path` leads to it: ("all", 0, "value")."""

    def __init__(self, message: object, path: Path = ()) -> None:
        super().__init__(message, field="where")
        self.path = path


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    for leaf, _path in leaves_with_paths(tree):
        yield leaf


def leaves_with_paths(tree: Tree, path: Path = ()) -> Iterator[tuple[Leaf, Path]]:
    """Every leaf with the way to it in the form of the shop file."""
    if isinstance(tree, Leaf):
        yield tree, path
    elif isinstance(tree, Not):
        yield from leaves_with_paths(tree.item, (*path, "not"))
    else:
        key = "all" if isinstance(tree, AllOf) else "any"
        for index, item in enumerate(tree.items):
            yield from leaves_with_paths(item, (*path, key, index))
