"""The cells of a friends CSV, read and checked row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lineadmin.errors import DomainError
from lineadmin.friends import attributes, csv_form, fields, tags
from lineadmin.friends.csv_rows import Row
from lineadmin.friends.models import Branch, Field, Source, Tag
from lineadmin.friends.regions import SYSTEMS, region_code
from lineadmin.i18n import _, _l
from lineadmin.line.limits import USER_ID_PATTERN

LONGEST_NAME = 255
_USER_ID = re.compile(USER_ID_PATTERN)


class BadRow(Exception):
    """A row that is left out: in which column it is wrong, and how."""

    def __init__(self, column: str, sentence: object) -> None:
        super().__init__(str(sentence))
        self.column = column


class Lookup:
    """What cells may name: sources, tags and the shop's own fields, read once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.fields: dict[str, Field] = {one.key: one for one in fields.all_fields()}
        self.sources = {one.code: one.id for one in Source.select()}
        self.branches = {one.code: one.id for one in Branch.select()}
        self.tags = {one.name: one for one in Tag.select()}

    def read(self, columns: list[str], cells: list[str]) -> Row:
        """:raises BadRow: names the column and what is wrong in it"""
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise BadRow("", _("This row has more cells than the header."))
        values = {
            column: csv_form.restore(cell.strip())
            for column, cell in zip(columns, cells, strict=False)
            if column  # "": staff left it out
        }
        for column, value in values.items():
            if "\x00" in value or not value.isprintable():
                raise BadRow(column, _("This cell contains characters that are no text."))
        user_id = values.pop(csv_form.KEY_COLUMN, "")
        if not _USER_ID.fullmatch(user_id):
            raise BadRow(
                csv_form.KEY_COLUMN,
                _("A LINE user ID is U and 32 of 0-9 and a-f: %(value)s", value=user_id[:40]),
            )
        row = Row(user_id)
        for column, value in values.items():
            if value:
                try:
                    self._read_cell(row, column, value)
                except DomainError as error:
                    raise BadRow(column, error) from None
        return row

    def _read_cell(self, row: Row, column: str, value: str) -> None:
        if column in self.fields:
            row.own[self.fields[column].id] = fields.parse_value(self.fields[column], value)
        elif column == "tags":
            row.tags = self._read_tags(value)
        elif column == "display_name":
            if len(value) > LONGEST_NAME:
                raise DomainError(_l("This name is too long."))
            row.name = value
        elif column == "source":
            row.source_id = self._read_source(value)
        elif column == csv_form.HOME_BRANCH:
            if value not in self.branches:
                raise DomainError(
                    _("There is no branch with the code “%(code)s”. Add it first.", code=value[:40])
                )
            row.values["branch_id"] = self.branches[value]
        else:
            row.values[column] = self._read_value(column, value)

    def _read_source(self, code: str) -> int:
        if code not in self.sources:
            raise DomainError(
                _("There is no source with the code “%(code)s”. Add it first.", code=code[:40])
            )
        return int(self.sources[code])

    def _read_value(self, column: str, value: str) -> Any:
        if column == "gender":
            return attributes.parse_gender(value)
        if column == "birth_year":
            return attributes.parse_birth_year(value, now=self.now)
        if column == "region":
            code = region_code(value)
            if code is None:
                raise DomainError(_l("A region is tw_01 to tw_22, or a name such as 台北市."))
            return code
        system = value.lower()
        if system not in SYSTEMS:
            raise DomainError(_l("OS is ios, android or other."))
        return system

    def _read_tags(self, value: str) -> list[str]:
        names = [name.strip() for name in value.split(tags.SEPARATOR)]
        names = [tags.check_name(name) for name in names if name]
        for name in names:
            known: Tag | None = self.tags.get(name)
            if known is not None and known.kind != tags.STATIC:
                raise DomainError(
                    _("“%(name)s” is a dynamic tag: only its rule sets it.", name=name)
                )
        return list(dict.fromkeys(names))


def numbered_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """(line of the file on which the row begins, its cells), without blank rows."""
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1
