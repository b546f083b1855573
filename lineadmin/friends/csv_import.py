"""Friends from a CSV: good rows are kept, each bad one is told by line, column and reason.

Importing the same file twice changes nothing. LINE is asked for no profiles.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends import csv_form, tags
from lineadmin.friends.csv_cells import BadRow, Lookup, numbered_rows
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


def import_csv(
    file: IO[bytes], staff: Staff | None, now: datetime, wall: datetime, *, name: str = ""
) -> ImportResult:
    """Add and correct friends from a CSV (UTF-8 or Big5, a header row, see csv_form.COLUMNS).

    An empty cell leaves what is known alone; tags are added, never taken off. `name` is the file's,
    for the audit log.

    :raises DomainError: the file as a whole is no such CSV; then nothing was changed
    """
    reader = csv.reader(csv_form.open_text(file))
    lookup = Lookup(now)
    try:
        header = next(reader, None)
        if header is None:
            raise DomainError(_l("The file is empty."))
        columns = csv_form.check_header(header, list(lookup.fields))
        result = ImportResult()
        pending: list[Row] = []
        for line, cells in numbered_rows(reader):
            result.rows += 1
            try:
                pending.append(lookup.read(columns, cells))
            except BadRow as bad:
                result.failed += 1
                if len(result.errors) < ERRORS_KEPT:
                    result.errors.append((line, bad.column, str(bad)))
            if len(pending) == CHUNK:
                _save(pending, lookup, result, staff, now, wall)
                pending = []
        _save(pending, lookup, result, staff, now, wall)
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error
    counts = {
        "rows": result.rows,
        "created": result.created,
        "updated": result.updated,
        "failed": result.failed,
    }
    with atomic():
        audit.record(staff, "friend.import", "friend", 0, name, None, counts, wall=wall)
    return result


def _save(
    rows: list[Row],
    lookup: Lookup,
    result: ImportResult,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> None:
    if not rows:
        return
    wanted = [name for row in rows for name in row.tags]
    missing = [name for name in dict.fromkeys(wanted) if name not in lookup.tags]
    if missing:
        result.new_tags += tags.ensure_tags(missing, staff=staff, now=now, wall=wall)
        lookup.tags = {one.name: one for one in Tag.select()}
    ids = {name: tag.id for name, tag in lookup.tags.items()}
    created, updated = save_rows(rows, ids, now=now)
    result.created += created
    result.updated += updated
    result.unchanged += len(rows) - created - updated
