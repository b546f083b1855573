"""What importing a friends CSV would do, told before anything is changed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO

from lineadmin.errors import DomainError
from lineadmin.friends import csv_form
from lineadmin.friends.csv_cells import BadRow, Lookup, numbered_rows
from lineadmin.friends.csv_columns import check_columns
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l

CHUNK = 500
SAMPLE_ROWS = 5
ERRORS_SHOWN = 20
CHECKED_ROWS = 2000  # so that nobody waits for a large file; the import checks every row


@dataclass
class Preview:
    """`new` and `known` count friends, `failed` rows; `errors` are the first of those. All that is
    counted but `rows` is about the first `checked` rows."""

    checked: int = 0
    rows: int = 0
    new: int = 0
    known: int = 0
    failed: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    new_tags: list[str] = field(default_factory=list)


def read_head(file: IO[bytes]) -> tuple[list[str], list[list[str]]]:
    """The file's own names of its columns, and its first rows.

    :raises DomainError: the file is empty or no CSV
    """
    reader = csv.reader(csv_form.open_text(file))
    try:
        header = next(reader, None)
        if header is None:
            raise DomainError(_l("The file is empty."))
        sample = [cells for _line, cells in islice(numbered_rows(reader), SAMPLE_ROWS)]
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error
    width = len(header)
    while width and not header[width - 1].strip():
        width -= 1
    header = [cell.strip() for cell in header[:width]]
    return header, [_padded(cells, width) for cells in sample]


def preview_csv(file: IO[bytes], *, now: datetime, columns: Sequence[str]) -> Preview:
    """Read the file as an import would, and change nothing.

    :param columns: what each column holds, "" for one that is left out
    :raises DomainError: the file as a whole is no such CSV
    """
    reader = csv.reader(csv_form.open_text(file))
    lookup = Lookup(now)
    found = Preview()
    seen: set[str] = set()
    new_tags: dict[str, None] = {}
    try:
        if next(reader, None) is None:
            raise DomainError(_l("The file is empty."))
        known = check_columns(columns, list(lookup.fields))
        for line, cells in numbered_rows(reader):
            found.rows += 1
            if found.rows > CHECKED_ROWS:
                continue
            found.checked = found.rows
            try:
                row = lookup.read(known, cells)
            except BadRow as bad:
                found.failed += 1
                if len(found.errors) < ERRORS_SHOWN:
                    found.errors.append((line, bad.column, str(bad)))
                continue
            seen.add(row.user_id)
            new_tags |= dict.fromkeys(name for name in row.tags if name not in lookup.tags)
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error
    found.known = _known(sorted(seen))
    found.new = len(seen) - found.known
    found.new_tags = list(new_tags)
    return found


def _padded(cells: list[str], width: int) -> list[str]:
    return (cells + [""] * width)[:width]


def _known(user_ids: list[str]) -> int:
    return sum(
        Friend.select().where(Friend.line_user_id.in_(user_ids[start : start + CHUNK])).count()
        for start in range(0, len(user_ids), CHUNK)
    )
