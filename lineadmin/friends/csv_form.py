"""The friends CSV: its columns, and cells that no spreadsheet runs as formulas.

Written and read back, every value is the same again.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import IO

from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l

COLUMNS = (
    "line_user_id",
    "display_name",
    "source",
    "gender",
    "birth_year",
    "region",
    "os",
    "tags",
)
KEY_COLUMN = COLUMNS[0]
HOME_BRANCH = "home_branch"  # only of a shop with branches, whose own field is not called so
PIECE = 1 << 20

# A cell that begins like this is run as a formula by spreadsheets. Apostrophes in front count too,
# so that a name that really begins with '= survives.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")


def neutralise(value: str) -> str:
    """`value` as a cell that stays text in every spreadsheet."""
    return f"'{value}" if _DANGEROUS.match(value) else value


def restore(cell: str) -> str:
    """The value a neutralised cell stands for."""
    if cell.startswith("'") and _DANGEROUS.match(cell[1:]):
        return cell[1:]
    return cell


def open_text(file: IO[bytes]) -> io.TextIOWrapper:
    """The file as text, whether it is UTF-8 (with or without BOM) or Big5, as old Excel saves it.

    :raises DomainError: it is neither
    """
    raw = file if file.seekable() else io.BytesIO(file.read())
    for encoding in ("utf-8-sig", "cp950"):
        raw.seek(0)
        if _decodes(raw, encoding):
            raw.seek(0)
            return io.TextIOWrapper(raw, encoding=encoding, newline="")
    raise DomainError(
        _l("This file is neither UTF-8 nor Big5. Save it as “CSV UTF-8” and try again.")
    )


def check_header(header: list[str], own_keys: list[str]) -> list[str]:
    """The columns of a file, checked.

    :raises DomainError: `line_user_id` is missing, or names the column that is unknown or twice
    """
    columns = [cell.strip() for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    known = tuple(dict.fromkeys((*COLUMNS, HOME_BRANCH, *own_keys)))
    for column in columns:
        if column not in known:
            raise DomainError(
                _(
                    "The column “%(column)s” is not known. Known columns: %(known)s.",
                    column=column[:60],
                    known=", ".join(known),
                ),
                field=column,
            )
        if columns.count(column) > 1:
            raise DomainError(
                _("The column “%(column)s” is there twice.", column=column), field=column
            )
    if KEY_COLUMN not in columns:
        raise DomainError(
            _("The first row has to name the columns, line_user_id among them."), field=KEY_COLUMN
        )
    return columns


def _decodes(raw: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := raw.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
