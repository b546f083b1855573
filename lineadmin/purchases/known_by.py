"""How else a till may know a friend: rooms upstairs that number people register here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

# What a column says -> (text, friend id) of those it means.
Finder = Callable[[Collection[str]], Iterable[tuple[str, int]]]

MEMBER_NO = "member_no"

_finders: dict[str, Finder] = {}


def register(column: str, find: Finder) -> None:
    """Let files of purchases name friends in this column."""
    _finders[column] = find


def columns() -> tuple[str, ...]:
    """The columns that tell a friend, beside her LINE user ID and the shop's own fields."""
    return tuple(_finders)


def find(column: str, texts: Collection[str]) -> list[tuple[str, int]]:
    """The friends such a column means."""
    return list(_finders[column](texts))
