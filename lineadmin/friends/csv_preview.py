"""What importing a friends CSV would do, told before anything is changed."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from lineadmin.errors import DomainError
from lineadmin.friends import csv_form
from lineadmin.friends.csv_cells import BadRow, Lookup, numbered_rows
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l

CHUNK = 500
SAMPLE_ROWS = 5
ERRORS_SHOWN = 20


@dataclass
class Preview:
    """`new` and `known` count friends, `failed` rows; `errors` are the first of those."""

    columns: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    rows: int = 0
    new: int = 0
    known: int = 0
    failed: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    new_tags: list[str] = field(default_factory=list)


def preview_csv(file: IO[bytes], *, now: datetime) -> Preview:
    """Read the whole file as an import would, and change nothing.

    :raises DomainError: the file as a whole is no such CSV
    """
    reader = csv.reader(csv_form.open_text(file))
    lookup = Lookup(now)
    found = Preview()
    seen: set[str] = set()
    new_tags: dict[str, None] = {}
    try:
        header = next(reader, None)
        if header is None:
            raise DomainError(_l("The file is empty."))
        found.columns = csv_form.check_header(header, list(lookup.fields))
        for line, cells in numbered_rows(reader):
            found.rows += 1
            if len(found.sample) < SAMPLE_ROWS:
                found.sample.append(_padded(cells, len(found.columns)))
            try:
                row = lookup.read(found.columns, cells)
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
