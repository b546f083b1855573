"""CSV files that spreadsheets open as they are: UTF-8 with BOM, formulas made harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from flask import Response, stream_with_context

from lineadmin import clock, i18n
from lineadmin.i18n import _

BOM = "\ufeff"
# A cell that begins like this is run as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(name: str, rows: Iterable[Iterable[Any]]) -> Response:
    """A download named `name`-20261123-1130.csv whose rows are written while they are read."""
    file = f"{name}-{i18n.local(clock.now()):%Y%m%d-%H%M}.csv"
    return Response(
        stream_with_context(csv_lines(rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file)}"},
    )


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The text of a CSV file, a few hundred rows at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BOM)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(value) for value in row])
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def cell(value: Any) -> Any:
    """One value as a cell: local times, words for yes and no, and no formulas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return f"{i18n.local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
