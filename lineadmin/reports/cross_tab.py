"""Two attributes against each other: how many friends in each cell, what nobody knows included.

Each cell carries the condition that picks exactly its friends, so that it can become a segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from peewee import JOIN, SQL, Case, fn

from lineadmin import segments
from lineadmin.friends.models import Field, Friend, FriendField, Source
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _
from lineadmin.segments.about_friend import STATUS_WORDS, UNKNOWN_SOURCE

AGES = (0, 18, 25, 35, 45, 55, 65)
OLDEST = 150


@dataclass(frozen=True)
class Cell:
    """One value of an attribute; `where` picks its friends. `key` "" stands for unknown."""

    key: str
    label: str
    where: dict[str, Any]


@dataclass(frozen=True)
class Attribute:
    """Something friends can be counted by."""

    key: str
    label: str
    cells: tuple[Cell, ...]
    column: Any
    place: Callable[[Any], str]  # a value of the column -> the key of its cell
    field: Field | None = None  # of the shop's own, to be joined


@dataclass(frozen=True)
class CrossTab:
    """The counts: `counts[(row key, column key)]`."""

    rows: Attribute
    columns: Attribute
    counts: dict[tuple[str, str], int]

    @property
    def total(self) -> int:
        """Everybody who was counted."""
        return sum(self.counts.values())

    def row_total(self, key: str) -> int:
        """Everybody in a row."""
        return sum(count for (row, _column), count in self.counts.items() if row == key)

    def column_total(self, key: str) -> int:
        """Everybody in a column."""
        return sum(count for (_row, column), count in self.counts.items() if column == key)


def attributes(*, now: datetime, zone: ZoneInfo) -> list[Attribute]:
    """What friends can be counted by, in the order it is offered."""
    found = [
        _words("gender", _("Gender"), Friend.gender, GENDERS),
        _age(now, zone),
        _words("region", _("Region"), Friend.region, REGIONS),
        _words("os", _("OS"), Friend.os, SYSTEMS),
        _source(),
        _words("status", _("Status"), Friend.status, STATUS_WORDS, unknown=False),
    ]
    own = Field.select().where(Field.type == "choice").order_by(Field.position, Field.id)
    return [*found, *(_own(row) for row in own)]


def cross(rows: Attribute, columns: Attribute, condition: Any) -> CrossTab:
    """Count the friends a condition picks by two attributes, in one query."""
    query: Any = Friend.select()
    values = []
    for attribute in (rows, columns):
        if attribute.field is None:
            values.append(attribute.column)
            continue
        held = FriendField.alias()
        on = (held.friend == Friend.id) & (held.field == attribute.field)
        query = query.join(held, JOIN.LEFT_OUTER, on=on).switch(Friend)
        values.append(held.text)
    # Grouped by their names in the result: PostgreSQL takes two equal expressions with parameters
    # for different ones.
    named = [value.alias(name) for value, name in zip(values, ("row_", "column_"), strict=True)]
    query = query.where(condition).group_by(SQL("row_"), SQL("column_"))
    counts: dict[tuple[str, str], int] = {}
    for row, column, count in query.select(*named, fn.COUNT(Friend.id)).tuples():
        place = (rows.place(row), columns.place(column))
        counts[place] = counts.get(place, 0) + int(count)
    return CrossTab(rows, columns, counts)


def _leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    leaf = {"field": field, "op": op}
    return leaf if value is None else {**leaf, "value": value}


def _words(
    name: str, label: str, column: Any, words: dict[str, Any], *, unknown: bool = True
) -> Attribute:
    cells = [Cell(key, str(word), _leaf(name, "is", key)) for key, word in words.items()]
    if unknown:
        cells.append(Cell("", _("Unknown"), _leaf(name, "unknown")))
    return Attribute(name, label, tuple(cells), column, lambda value: value or "")


def _age(now: datetime, zone: ZoneInfo) -> Attribute:
    today = now.astimezone(zone).date()
    # The same age as the condition's: one less before the birthday, where that is known.
    early = Friend.birthday.is_null(False) & (Friend.birthday > f"{today:%m-%d}")
    born = Friend.birth_year + Case(None, [(early, 1)], 0)
    cells = []
    for low, high in zip(AGES, (*AGES[1:], OLDEST + 1), strict=True):
        if high > OLDEST:
            label, where = _("%(age)s and older", age=low), _leaf("age", "at_least", low)
        elif low == 0:
            label, where = _("under %(age)s", age=high), _leaf("age", "less_than", high)
        else:
            label = f"{low}–{high - 1}"
            where = {"all": [_leaf("age", "at_least", low), _leaf("age", "less_than", high)]}
        cells.append(Cell(str(low), label, where))
    cells.append(Cell("", _("Unknown"), _leaf("age", "unknown")))

    def place(year: int | None) -> str:
        if year is None:
            return ""
        age = today.year - int(year)
        return str(max((low for low in AGES if low <= age), default=0))

    return Attribute("age", _("Age"), tuple(cells), born, place)


def _source() -> Attribute:
    rows = list(Source.select().order_by(Source.name))
    codes = {row.id: "" if row.code == UNKNOWN_SOURCE else row.code for row in rows}
    cells = [
        Cell(row.code, row.name, _leaf("source", "is", row.code))
        for row in rows
        if row.code != UNKNOWN_SOURCE
    ]
    cells.append(Cell("", _("Unknown"), _leaf("source", "unknown")))
    return Attribute(
        "source",
        _("Gained-through path"),
        tuple(cells),
        Friend.source,
        lambda value: codes.get(value, "") if value else "",
    )


def _own(field: Field) -> Attribute:
    name = f"attr:{field.key}"
    choices = [str(choice) for choice in field.choices or []]
    cells = [Cell(choice, choice, _leaf(name, "is", choice)) for choice in choices]
    cells.append(Cell("", _("Unknown"), _leaf(name, "unknown")))
    return Attribute(
        name,
        field.name,
        tuple(cells),
        None,
        lambda value: value if value in choices else "",
        field,
    )


def where_of(segment: str, row: Cell, column: Cell) -> dict[str, Any]:
    """The condition of one cell within a segment ("" = among all friends)."""
    inside = [{"field": "segment", "op": "is", "value": segment}] if segment else []
    items: list[Any] = list(inside)
    for cell in (row, column):
        items += cell.where.get("all", [cell.where])
    return segments.dump(segments.parse({"all": items}))
