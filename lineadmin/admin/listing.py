"""Lists that stay fast at any size: keyset pages, counts up to 10,000, plain filters."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import request
from peewee import Field, Model, ModelSelect

from lineadmin import settings
from lineadmin.i18n import _, _n, format_count

COUNT_LIMIT = 10_000
RESERVED = {"search", "sort", "desc", "after", "before", "url", "id", "page"}
FIRST_DAY = date(2000, 1, 1)

Choices = Sequence[tuple[Any, Any]]


@dataclass(frozen=True)
class Filter:
    """A plain <select> over a list.

    `choices` (or a function answering them) are (value, label) pairs; `apply(query, value)` narrows
    the query. A value that is none of the choices is ignored, so addresses can be typed freely.
    """

    name: str
    label: Any
    choices: Choices | Callable[[], Choices]
    apply: Callable[[ModelSelect, str], ModelSelect]
    any_label: Any = None
    kind = "select"

    def options(self) -> list[tuple[str, Any]]:
        """The choices of this moment, values as text."""
        pairs = self.choices() if callable(self.choices) else self.choices
        return [(str(value), label) for value, label in pairs]

    def accepts(self, value: str) -> bool:
        """Whether `value` is one of the choices."""
        return any(value == option for option, _label in self.options())

    def narrow(self, query: ModelSelect, value: str) -> ModelSelect:
        """The query with this filter set to `value`."""
        return self.apply(query, value)


@dataclass(frozen=True)
class DayFilter:
    """A date box: rows from that day on, or with until=True up to its end (shop's clock)."""

    name: str
    label: Any
    column: Field
    until: bool = False
    kind = "date"

    def options(self) -> list[tuple[str, Any]]:
        """None: it is a box, not a list."""
        return []

    def accepts(self, value: str) -> bool:
        """Whether `value` is a day of this century."""
        try:
            return date.fromisoformat(value) >= FIRST_DAY and date.fromisoformat(value).year < 2200
        except ValueError:
            return False

    def narrow(self, query: ModelSelect, value: str) -> ModelSelect:
        """The query from that day on, or up to its end."""
        day = date.fromisoformat(value)
        if self.until:
            return query.where(self.column < start_of_day(day + timedelta(days=1)))
        return query.where(self.column >= start_of_day(day))


AnyFilter = Filter | DayFilter


def start_of_day(day: date) -> datetime:
    """0:00 of a day on the shop's clock, as UTC."""
    return datetime.combine(day, time(), tzinfo=settings.shop_zone()).astimezone(UTC)


def choice_filter(name: str, label: Any, column: Field, choices: Choices) -> Filter:
    """A filter on one column being exactly the chosen value."""
    return Filter(name, label, choices, lambda query, value: query.where(column == value))


@dataclass
class Page:
    """One page of a list: its rows and where the pages around it are (None where there is none)."""

    rows: list[Any]
    previous: str | None = None
    next: str | None = None
    first: str | None = None
    shown: str = ""


@dataclass(frozen=True)
class Column:
    """A list column as the template draws it."""

    name: str
    label: Any
    sort_url: str | None = None
    sorted: str = ""  # "" | ascending | descending
    css: str = ""


@dataclass
class Listing:
    """Everything a list template needs besides its rows."""

    page: Page
    columns: list[Column]
    total_label: str
    searchable: bool = False
    search: str = ""
    filters: list[dict[str, Any]] = field(default_factory=list)
    filtered: bool = False
    clear_url: str = ""
    export_url: str = ""
    kept: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Keyset:
    """An order for pages: a column (nulls last) and the row's id to break ties.

    Rows without a value follow the others, in both directions and on both databases; the two kinds
    are fetched apart so that each query is a plain walk along an index.
    """

    column: Field
    key: Field
    descending: bool = False

    def page(
        self, query: ModelSelect, size: int, *, after: str | None, before: str | None
    ) -> tuple[list[Any], str | None, str | None]:
        """The rows of one page, the cursor for the page before and the one for the page after."""
        backward = before is not None
        cursor = self._decode(before if backward else after)
        rows = self._fetch(query, size + 1, cursor, backward=backward)
        more = len(rows) > size
        rows = rows[:size]
        if backward:
            rows.reverse()
        has_previous = more if backward else cursor is not None
        has_next = (cursor is not None) if backward else more
        return (
            rows,
            self.cursor(rows[0]) if rows and has_previous else None,
            self.cursor(rows[-1]) if rows and has_next else None,
        )

    def walk(self, query: ModelSelect, batch: int = 1_000) -> Iterator[Any]:
        """Every row in this order, fetched in batches; memory stays small, locks short."""
        cursor: str | None = None
        while True:
            rows, _before, cursor = self.page(query, batch, after=cursor, before=None)
            yield from rows
            if cursor is None:
                return

    def cursor(self, row: Model) -> str:
        """Where a row stands in this order, as text for an address."""
        column: Any = self.column
        value = column.db_value(row.__data__.get(self.column.name))
        raw = json.dumps([value, row.__data__[self.key.name]], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def _decode(self, text: str | None) -> tuple[Any, int] | None:
        if not text:
            return None
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            value, key = json.loads(raw)
            if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key < 2**31:
                return None
            if isinstance(value, int) and abs(value) >= 2**62:
                return None
            if isinstance(value, list | dict):
                return None
            column: Any = self.column
            return (None if value is None else column.python_value(value)), key
        except (ValueError, TypeError, OverflowError):
            return None

    def _fetch(
        self, query: ModelSelect, size: int, cursor: tuple[Any, int] | None, *, backward: bool
    ) -> list[Any]:
        descending = self.descending != backward
        if self.column is self.key or not self.column.null:
            return self._segment(query, size, cursor, descending, nulls=False)
        kinds = (True, False) if backward else (False, True)
        rows: list[Any] = []
        reached = cursor is None or (cursor[0] is None) == kinds[0]
        for position, nulls in enumerate(kinds):
            if not reached and position == 0:
                continue
            inside = cursor if cursor is not None and (cursor[0] is None) == nulls else None
            if len(rows) < size:
                rows += self._segment(query, size - len(rows), inside, descending, nulls=nulls)
        return rows

    def _segment(
        self,
        query: ModelSelect,
        size: int,
        cursor: tuple[Any, int] | None,
        descending: bool,
        *,
        nulls: bool,
    ) -> list[Any]:
        column, key = self.column, self.key
        if column is key:
            if cursor is not None:
                query = query.where(key < cursor[1] if descending else key > cursor[1])
            return list(query.order_by(_order(key, descending)).limit(size))
        if nulls:
            query = query.where(column.is_null())
            if cursor is not None:
                query = query.where(key < cursor[1] if descending else key > cursor[1])
            return list(query.order_by(_order(key, descending)).limit(size))
        if column.null:
            query = query.where(column.is_null(False))
        if cursor is not None:
            value, number = cursor
            if descending:
                query = query.where(column <= value, (column < value) | (key < number))
            else:
                query = query.where(column >= value, (column > value) | (key > number))
        order = (_order(column, descending), _order(key, descending))
        return list(query.order_by(*order).limit(size))


def newest_first(query: Any, key: Field, size: int, address: Callable[..., Any]) -> Page:
    """The page that the request asks for of a plain list, the newest row first.

    :param address: answers where the list is, given `after` or `before` as what to go on from
    """
    order, asked = Keyset(key, key, descending=True), request.args
    rows, previous, following = order.page(
        query, size, after=asked.get("after"), before=asked.get("before")
    )
    return Page(
        rows=rows,
        previous=str(address(before=previous)) if previous else None,
        next=str(address(after=following)) if following else None,
        first=str(address()) if asked.get("after") else None,
    )


def _order(column: Field, descending: bool) -> Any:
    return column.desc() if descending else column.asc()


def bounded_count(query: ModelSelect, limit: int = COUNT_LIMIT) -> int:
    """How many rows, exact up to `limit`; limit + 1 stands for more. Never counts further."""
    return int(query.order_by().limit(limit + 1).count(clear_limit=False))


def count_label(count: int, limit: int = COUNT_LIMIT) -> str:
    """1,234 in total, or "over 10,000"."""
    if count > limit:
        return _("over %(count)s in total", count=format_count(limit))
    return _n("%(count)s in total", "%(count)s in total", count)


def chosen_filters(filters: Sequence[AnyFilter], args: Mapping[str, str]) -> dict[str, str]:
    """The filters an address sets, without values that make no sense."""
    chosen: dict[str, str] = {}
    for one in filters:
        value = args.get(one.name, "")
        if value and one.accepts(value):
            chosen[one.name] = value
    return chosen


def drawn_filters(filters: Sequence[AnyFilter], chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    """The filters as the template draws them."""
    return [
        {
            "name": one.name,
            "label": one.label,
            "kind": one.kind,
            "choices": one.options(),
            "value": chosen.get(one.name, ""),
            "any_label": getattr(one, "any_label", None) or _("All"),
        }
        for one in filters
    ]
