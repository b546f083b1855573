"""The registry of fields: each brings its ops, its check, its SQL, its sentence and its control.

SQL here is two-valued: an expression is true or false for every friend, never NULL, so that `not`
is plain negation. On a value nobody knows only `unknown`, `is_not` and `none_of` are true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from lineadmin.i18n import _, _l
from lineadmin.segments.tree import Leaf, Path, Tree, TreeError
from lineadmin.segments.widgets import Ask

Condition: TypeAlias = Any  # a peewee expression; its operators carry no types

ONE = ("is", "is_not")
SEVERAL = ("any_of", "none_of")
AMOUNT = ("at_least", "less_than")
KNOWN = ("known", "unknown")
OPS = (*ONE, *SEVERAL, *AMOUNT, *KNOWN)
# The opposite of each op: true for exactly the friends for whom the op is false.
OPPOSITE = {"is_not": "is", "none_of": "any_of", "unknown": "known"}


@dataclass(frozen=True)
class Context:
    """What a condition is judged against: shop time, the shop's zone, and the way into segments."""

    now: datetime
    zone: ZoneInfo
    where: Callable[[Tree, Context], Condition]
    # True: the SQL looks each friend up (right for a slice of friends in id order); False: it
    # gathers the friends who match first (right for counting everyone).
    per_friend: bool = False
    inside: tuple[str, ...] = field(default=())  # names of the segments being expanded

    @property
    def today(self) -> date:
        """The day it is in the shop."""
        return self.now.astimezone(self.zone).date()

    def start_of(self, days_ago: int) -> datetime:
        """The moment the shop's day began that many days ago (negative: ahead)."""
        day = self.today - timedelta(days=days_ago)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


@dataclass(frozen=True)
class FieldSpec:
    """One kind of question. `check` returns the value as it is kept, or raises TreeError."""

    name: str
    label: Any
    ops: tuple[str, ...]
    where: Callable[[Leaf, Context], Condition]
    sentence: Callable[[Leaf], str]
    check: Callable[[Leaf, Path], Any]
    ask: Ask
    about: bool = False  # needs something after a colon
    allows: tuple[str, ...] = ()  # of within_days, at_least, salt
    # Names a thing of the shop that must exist: (leaf) -> sentence about what is missing, or None.
    missing: Callable[[Leaf], str | None] | None = None
    # What its ops mean is positive ("is", "any_of", …); the rest is derived by OPPOSITE.
    choices: Callable[[], list[tuple[Any, str]]] | None = None


FIELDS: dict[str, FieldSpec] = {}


def register(spec: FieldSpec) -> FieldSpec:
    """Add a kind of question to the language."""
    FIELDS[spec.name] = spec
    return spec


# -- checks shared by fields -------------------------------------------------------------------


def check_text(leaf: Leaf, path: Path) -> Any:
    """Any text that is not empty."""
    return _each(leaf, path, _text)


def check_choice(*allowed: str) -> Callable[[Leaf, Path], Any]:
    """One of a fixed set of words."""

    def one(value: Any, path: Path) -> str:
        if value not in allowed:
            raise TreeError(
                _l("This must be one of: %(words)s.", words=", ".join(allowed)), (*path, "value")
            )
        return str(value)

    return lambda leaf, path: _each(leaf, path, one)


def check_whole(low: int, high: int) -> Callable[[Leaf, Path], Any]:
    """A whole number between two others, both included."""

    def one(value: Any, path: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise TreeError(
                _l("This must be a whole number from %(low)s to %(high)s.", low=low, high=high),
                (*path, "value"),
            )
        return value

    return lambda leaf, path: _each(leaf, path, one)


def check_truth(leaf: Leaf, path: Path) -> Any:
    """true or false."""
    if not isinstance(leaf.value, bool):
        raise TreeError(_l("This must be true or false."), (*path, "value"))
    return leaf.value


def _text(value: Any, path: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TreeError(_l("This must be a text that is not empty."), (*path, "value"))
    return value


def _each(leaf: Leaf, path: Path, one: Callable[[Any, Path], Any]) -> Any:
    if leaf.op in KNOWN:
        return None
    if leaf.op in SEVERAL:
        return [one(value, path) for value in leaf.value]
    return one(leaf.value, path)


# -- sentences shared by fields ----------------------------------------------------------------


def listed(words: list[str]) -> str:
    """「a、b」 as this language lists alternatives."""
    return _(", ").join(words)


def quoted(values: tuple[Any, ...]) -> str:
    """Names in this language's quotation marks, as alternatives."""
    return listed([_("“%(name)s”", name=value) for value in values])


def amount_sentence(label: str, leaf: Leaf, unit: str = "") -> str:
    """ "age 25 or more", "age below 25", "age is 25" and so on."""
    values = [f"{value}{unit}" for value in leaf.values]
    value = listed(values)
    match leaf.op:
        case "at_least":
            return _("%(label)s %(value)s or more", label=label, value=value)
        case "less_than":
            return _("%(label)s below %(value)s", label=label, value=value)
        case _:
            return word_sentence(label, leaf, values)


def word_sentence(label: str, leaf: Leaf, words: list[str]) -> str:
    """ "gender is female", "region is not one of …", "age is unknown"."""
    value = listed(words)
    match leaf.op:
        case "is":
            return _("%(label)s is %(value)s", label=label, value=value)
        case "is_not":
            return _("%(label)s is not %(value)s", label=label, value=value)
        case "any_of":
            return _("%(label)s is one of %(value)s", label=label, value=value)
        case "none_of":
            return _("%(label)s is none of %(value)s", label=label, value=value)
        case "known":
            return _("%(label)s is known", label=label)
        case _:
            return _("%(label)s is unknown", label=label)
