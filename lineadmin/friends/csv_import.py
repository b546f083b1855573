"""Friends from a CSV: good rows are kept, each bad one is told by line, column and reason.

Importing the same file twice changes nothing. LINE is asked for no profiles.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends import csv_form, tags
from lineadmin.friends.csv_cells import BadRow, Lookup, numbered_rows
from lineadmin.friends.csv_columns import check_columns
from lineadmin.friends.csv_rows import Row, save_rows
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 500
ERRORS_KEPT = 1000


@dataclass
class ImportResult:
    """What an import did. `errors` holds (line, column, sentence); `failed` counts all bad rows."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    new_tags: list[str] = field(default_factory=list)


@dataclass
class Chunk:
    """Some rows of the file: the good ones read, the bad ones told."""

    rows: int = 0
    good: list[Row] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)


def import_csv(
    file: IO[bytes],
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    *,
    name: str = "",
    columns: Sequence[str] | None = None,
) -> ImportResult:
    """Add and correct friends from a CSV (UTF-8 or Big5, a header row, see csv_form.COLUMNS).

    An empty cell leaves what is known alone; tags are added, never taken off. `name` is the file's,
    for the audit log.

    :param columns: what each column holds, "" for one that is left out; None: its head says it
    :raises DomainError: the file as a whole is no such CSV; then nothing was changed
    """
    lookup = Lookup(now)
    result = ImportResult()
    for chunk in read_chunks(file, lookup, columns):
        save_chunk(chunk, lookup, result, staff=staff, now=now, wall=wall)
    with atomic():
        tell(result, name, staff=staff, wall=wall)
    return result


def read_chunks(
    file: IO[bytes], lookup: Lookup, columns: Sequence[str] | None, *, skip: int = 0
) -> Iterator[Chunk]:
    """The rows of the file after the first `skip`, in pieces.

    :raises DomainError: the file as a whole is no such CSV
    """
    reader = csv.reader(csv_form.open_text(file))
    try:
        header = next(reader, None)
        if header is None:
            raise DomainError(_l("The file is empty."))
        own_keys = list(lookup.fields)
        if columns is None:
            columns = csv_form.check_header(header, own_keys)
        known = check_columns(columns, own_keys)
        chunk = Chunk()
        for line, cells in islice(numbered_rows(reader), skip, None):
            chunk.rows += 1
            try:
                chunk.good.append(lookup.read(known, cells))
            except BadRow as bad:
                chunk.errors.append((line, bad.column, str(bad)))
            if chunk.rows == CHUNK:
                yield chunk
                chunk = Chunk()
        yield chunk
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error


def save_chunk(
    chunk: Chunk,
    lookup: Lookup,
    result: ImportResult,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> None:
    """Write these rows, and count them in `result`."""
    result.rows += chunk.rows
    result.failed += len(chunk.errors)
    result.errors += chunk.errors[: max(0, ERRORS_KEPT - len(result.errors))]
    if not chunk.good:
        return
    wanted = [name for row in chunk.good for name in row.tags]
    missing = [name for name in dict.fromkeys(wanted) if name not in lookup.tags]
    if missing:
        result.new_tags += tags.ensure_tags(missing, staff=staff, now=now, wall=wall)
        lookup.tags = {one.name: one for one in Tag.select()}
    ids = {name: tag.id for name, tag in lookup.tags.items()}
    created, updated = save_rows(chunk.good, ids, now=now)
    result.created += created
    result.updated += updated
    result.unchanged += len(chunk.good) - created - updated


def tell(result: ImportResult, name: str, *, staff: Staff | None, wall: datetime) -> None:
    """The audit line of an import that is through."""
    counts = {
        "rows": result.rows,
        "created": result.created,
        "updated": result.updated,
        "failed": result.failed,
    }
    audit.record(staff, "friend.import", "friend", 0, name, None, counts, wall=wall)
