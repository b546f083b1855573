"""How a field is asked on screen: which control takes its value, and the words of its ops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lineadmin.i18n import _l

Choices: TypeAlias = Callable[[], list[tuple[Any, str]]]


@dataclass(frozen=True)
class Widget:
    """A control. `kind`: choice | number | text | date; `unit` stands behind a number."""

    kind: str = "text"
    unit: Any = ""
    low: int | None = None
    high: int | None = None
    whole: bool = True
    suggestions: tuple[tuple[str, Any], ...] = ()  # offered while typing a text


@dataclass(frozen=True)
class Subject:
    """One thing a field can be about (a coupon, a kind of fact, a field of the shop's own)."""

    key: str
    label: str
    ops: tuple[str, ...]
    widget: Widget
    amount: Widget | None = None
    choices: list[tuple[Any, str]] | None = None
    words: dict[str, Any] | None = None  # of its ops, where they differ from the field's


# Groups of the list in which staff choose a field, in this order.
GROUPS: dict[str, Any] = {
    "person": _l("Who she is"),
    "deeds": _l("What she has and did"),
    "relation": _l("Her relation to the shop"),
}

OP_WORDS: dict[str, Any] = {
    "is": _l("is"),
    "is_not": _l("is not"),
    "any_of": _l("is one of"),
    "none_of": _l("is none of"),
    "at_least": _l("is at least"),
    "less_than": _l("is less than"),
    "known": _l("is known"),
    "unknown": _l("is unknown"),
}
DATE_WORDS: dict[str, Any] = {
    **OP_WORDS,
    "at_least": _l("is on or after"),
    "less_than": _l("is before"),
}
HAS_WORDS: dict[str, Any] = {
    "is": _l("has"),
    "is_not": _l("does not have"),
    "any_of": _l("has one of"),
    "none_of": _l("has none of"),
    "known": _l("has any"),
    "unknown": _l("has none at all"),
}
IN_WORDS: dict[str, Any] = {
    "is": _l("is in"),
    "is_not": _l("is not in"),
    "any_of": _l("is in one of"),
    "none_of": _l("is in none of"),
}
HAPPENED_WORDS: dict[str, Any] = {
    "known": _l("happened"),
    "unknown": _l("did not happen"),
    "at_least": _l("happened at least"),
    "less_than": _l("happened less than"),
    "is": _l("happened with"),
    "is_not": _l("did not happen with"),
    "any_of": _l("happened with one of"),
    "none_of": _l("happened with none of"),
}

CHOICE = Widget("choice")
DAYS = Widget("number", _l("days"), 0, 36_600)
TIMES = Widget("number", _l("times"), 0, 100_000)
NUMBER = Widget("number", whole=False)
DATE = Widget("date")
TEXT = Widget("text")


@dataclass(frozen=True)
class Ask:
    """The screen's side of a field: where it stands, its control, and how its ops are worded.

    `amount`: another control for `at_least` and `less_than`. `offered`: the ops in the list, where
    some of those the language knows would only repeat others. `subjects`: what it can be about.
    """

    group: str
    widget: Widget = TEXT
    amount: Widget | None = None
    offered: tuple[str, ...] | None = None
    words: dict[str, Any] = field(default_factory=lambda: OP_WORDS)
    subjects: Callable[[], list[Subject]] | None = None
