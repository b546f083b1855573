"""Purchases from a till's or shop's CSV: rows of one receipt number are one purchase.

Good receipts are kept, each bad row is told by line, column and reason. The same file twice changes
nothing. Files are read as those of friends are (friends/csv_form.py), and wait as they do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Any

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends import csv_form, csv_job
from lineadmin.friends.csv_cells import BadRow, numbered_rows
from lineadmin.friends.csv_import import CHUNK, ERRORS_KEPT, ImportResult
from lineadmin.friends.models import Field, Friend, FriendField
from lineadmin.i18n import _, _l
from lineadmin.purchases import known_by
from lineadmin.purchases.cells import read_amount, read_moment, read_status
from lineadmin.purchases.csv_columns import OWN, check_columns, tells_friend
from lineadmin.purchases.entry import Entry, Line, checked
from lineadmin.purchases.models import Purchase
from lineadmin.purchases.record import record_all
from lineadmin.purchases.states import CSV, STATUSES
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

PURCHASES = "purchases"
CHECKED_ROWS = 2_000  # in a preview
ERRORS_SHOWN = 20


@dataclass
class Chunk:
    """Some rows of the file: whole receipts with the line each begins on, and bad rows."""

    rows: int = 0
    good: list[tuple[int, Entry]] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Preview:
    """`new` and `known` count receipts, `failed` bad rows, among the first `checked` rows."""

    checked: int = 0
    rows: int = 0
    new: int = 0
    known: int = 0
    failed: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)


class Importer:
    """Files of purchases, for the jobs of friends/csv_job.py."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def check(self, columns: Sequence[str]) -> list[str]:
        """What each column holds, checked."""
        return check_columns(columns)

    def read(self, file: IO[bytes], columns: Sequence[str], *, skip: int) -> Iterator[Chunk]:
        """Pieces of the file after its first rows."""
        return read_chunks(file, columns, now=self._now, skip=skip)

    def save(
        self,
        piece: Chunk,
        result: ImportResult,
        *,
        staff: Staff | None,
        now: datetime,
        wall: datetime,
    ) -> None:
        """Write a piece, and count it."""
        done = record_all([entry for _line, entry in piece.good], origin=CSV, staff=staff, now=now)
        errors = [*piece.errors]
        for line, entry in piece.good:
            if entry.receipt_no in done.refused:
                errors.append((line, "receipt_no", done.refused[entry.receipt_no]))
        result.rows += piece.rows
        result.created += len(done.created)
        result.updated += len(done.updated)
        result.unchanged += len(done.unchanged)
        result.failed += len(errors)
        result.errors += sorted(errors)[: max(0, ERRORS_KEPT - len(result.errors))]

    def tell(self, result: ImportResult, name: str, *, staff: Staff | None, wall: datetime) -> None:
        """The audit line of an import that is through."""
        counts = {
            "rows": result.rows,
            "created": result.created,
            "updated": result.updated,
            "failed": result.failed,
        }
        audit.record(staff, "purchase.import", "purchase", 0, name, None, counts, wall=wall)


csv_job.register(PURCHASES, Importer)


def import_csv(
    file: IO[bytes],
    *,
    columns: Sequence[str],
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> ImportResult:
    """Record every purchase of a file at once.

    :raises DomainError: the file as a whole is no such CSV
    """
    importer, result = Importer(now), ImportResult()
    for piece in importer.read(file, importer.check(columns), skip=0):
        with atomic():
            importer.save(piece, result, staff=staff, now=now, wall=wall)
    return result


def preview_csv(file: IO[bytes], *, now: datetime, columns: Sequence[str]) -> Preview:
    """Read the beginning of the file as an import would, and change nothing.

    :raises DomainError: the file as a whole is no such CSV
    """
    found = Preview()
    for piece in read_chunks(file, check_columns(columns), now=now):
        found.rows += piece.rows
        if found.checked >= CHECKED_ROWS:
            continue
        found.checked = found.rows
        numbers = [entry.receipt_no for _line, entry in piece.good]
        known = Purchase.select().where(Purchase.receipt_no.in_(numbers)).count()
        found.known += known
        found.new += len(numbers) - known
        found.failed += len(piece.errors)
        found.errors += sorted(piece.errors)[: max(0, ERRORS_SHOWN - len(found.errors))]
    return found


def read_chunks(
    file: IO[bytes], columns: Sequence[str], *, now: datetime, skip: int = 0
) -> Iterator[Chunk]:
    """The receipts of the file after the first `skip` rows; rows of one receipt stay together.

    :raises DomainError: the file as a whole is no such CSV
    """
    reader = csv.reader(csv_form.open_text(file))
    place = columns.index("receipt_no")
    try:
        if next(reader, None) is None:
            raise DomainError(_l("The file is empty."))
        rows: list[tuple[int, list[str]]] = []
        last = None
        for line, cells in islice(numbered_rows(reader), skip, None):
            number = _receipt_no(cells, place)
            if len(rows) >= CHUNK and number != last:
                yield _judged(rows, columns, now)
                rows = []
            rows.append((line, cells))
            last = number
        yield _judged(rows, columns, now)
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error


def _judged(rows: Sequence[tuple[int, list[str]]], columns: Sequence[str], now: datetime) -> Chunk:
    chunk = Chunk(rows=len(rows))
    receipts: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    spoiled: set[str] = set()
    for line, cells in rows:
        try:
            values = _read(columns, cells)
        except BadRow as bad:
            chunk.errors.append((line, bad.column, str(bad)))
            spoiled.add(_receipt_no(cells, columns.index("receipt_no")))
            continue
        receipts.setdefault(values["receipt_no"], []).append((line, values))
    friends = _find_friends([values for told in receipts.values() for _line, values in told])
    for number, told in receipts.items():
        if number in spoiled:  # half a receipt would be a wrong one
            continue
        line = told[0][0]
        try:
            chunk.good.append((line, checked(_entry(told, friends), now=now)))
        except BadRow as bad:
            chunk.errors.append((line, bad.column, str(bad)))
        except DomainError as error:
            chunk.errors.append((line, error.field or "", str(error)))
    return chunk


def _receipt_no(cells: Sequence[str], place: int) -> str:
    return csv_form.restore(cells[place].strip()) if place < len(cells) else ""


def _read(columns: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """:raises BadRow: names the column and what is wrong in it"""
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise BadRow("", _("This row has more cells than the header."))
    values: dict[str, Any] = {
        column: csv_form.restore(cell.strip())
        for column, cell in zip(columns, cells, strict=False)
        if column and cell.strip()
    }
    for column, value in values.items():
        if not value.isprintable():
            raise BadRow(column, _("This cell contains characters that are no text."))
    if "receipt_no" not in values:
        raise BadRow("receipt_no", _("Every purchase has a receipt number."))
    for column in ("amount", "item_amount"):
        if column in values:
            values[column] = read_amount(values[column])
            if values[column] in (None, -1):
                raise BadRow(column, _("Enter the amount in whole dollars."))
    if "quantity" in values:
        if not values["quantity"].isdecimal() or len(values["quantity"]) > 6:
            raise BadRow("quantity", _("The quantity is a whole number."))
        values["quantity"] = int(values["quantity"])
    if "at" in values:
        values["at"] = read_moment(values["at"], settings.shop_zone())
        if values["at"] is None:
            raise BadRow("at", _("A day is written like 2026-11-23 or 2026/11/23 18:30."))
    if "status" in values:
        values["status"] = read_status(values["status"])
        if values["status"] is None:
            raise BadRow("status", _("The status is one of: %(words)s.", words=", ".join(STATUSES)))
    return values


def _find_friends(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[int]]:
    """(column, what it says) -> the friends it means, in one query per column."""
    wanted: dict[str, set[str]] = {}
    for values in rows:
        for column, value in values.items():
            if tells_friend(column):
                wanted.setdefault(column, set()).add(value)
    found: dict[tuple[str, str], list[int]] = {}
    for column, texts in wanted.items():
        query: Any
        if column in known_by.columns():
            for text, friend_id in known_by.find(column, texts):
                found.setdefault((column, text), []).append(friend_id)
            continue
        if column == "line_user_id":
            query = Friend.select(Friend.line_user_id, Friend.id)
            query = query.where(Friend.line_user_id.in_(list(texts)))
        else:
            own = Field.get(Field.key == column.removeprefix(OWN))
            query = FriendField.select(FriendField.text, FriendField.friend)
            query = query.where(FriendField.field == own, FriendField.text.in_(list(texts)))
        for text, friend_id in query.tuples():
            found.setdefault((column, text), []).append(int(friend_id))
    return found


def _entry(
    told: Sequence[tuple[int, dict[str, Any]]], friends: dict[tuple[str, str], list[int]]
) -> Entry:
    """:raises BadRow: the rows of this receipt contradict each other, or name nobody"""
    whole: dict[str, Any] = {}
    lines = []
    for _number, values in told:
        for column in ("at", "amount", "channel", "branch", "status", "note"):
            if column not in values:
                continue
            if whole.setdefault(column, values[column]) != values[column]:
                raise BadRow(column, _("The rows of this receipt say different things here."))
        if {"item", "category", "item_amount"} & values.keys():
            lines.append(
                Line(
                    name=values.get("item", ""),
                    category=values.get("category", ""),
                    quantity=values.get("quantity", 1),
                    amount=values.get("item_amount"),
                )
            )
    if "at" not in whole:
        raise BadRow("at", _("A day is written like 2026-11-23 or 2026/11/23 18:30."))
    return Entry(
        receipt_no=told[0][1]["receipt_no"],
        friend_id=_friend_of(told, friends),
        at=whole["at"],
        amount=whole.get("amount"),
        channel=whole.get("channel", ""),
        branch=whole.get("branch", ""),
        status=whole.get("status", ""),
        note=whole.get("note", ""),
        lines=tuple(lines),
    )


def _friend_of(
    told: Sequence[tuple[int, dict[str, Any]]], friends: dict[tuple[str, str], list[int]]
) -> int:
    named: set[int] = set()
    place = "line_user_id"
    for _number, values in told:
        for column, value in values.items():
            if not tells_friend(column):
                continue
            place = column
            ids = friends.get((column, value), [])
            if not ids:
                raise BadRow(column, _("No friend is known by “%(value)s”.", value=value[:40]))
            if len(ids) > 1:
                raise BadRow(column, _("More than one friend has “%(value)s”.", value=value[:40]))
            named.add(ids[0])
    if len(named) != 1:
        raise BadRow(
            place,
            _("This receipt names two different friends.")
            if named
            else _("This row does not tell which friend it is."),
        )
    return named.pop()
