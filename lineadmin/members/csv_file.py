"""Members from and to a CSV: good rows are kept, bad ones told by line, column and reason.

The same file twice changes nothing: an empty cell leaves what is known alone, and points of a row
are given once, known by its `id` or else by the file and the line.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice

from peewee import IntegrityError

from lineadmin import journal, settings
from lineadmin.db import atomic, is_postgres
from lineadmin.errors import DomainError
from lineadmin.friends.csv_cells import numbered_rows
from lineadmin.friends.csv_form import open_text, restore
from lineadmin.i18n import _, _l
from lineadmin.members import points
from lineadmin.members.actions import Details, checked, read_day, taken
from lineadmin.members.models import Member
from lineadmin.members.setup import setup
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

DETAILS = ("number", "name", "phone", "birthday", "level")
POINTS = ("points", "points_until", "reason", "id")
COLUMNS = (*DETAILS, *POINTS)
MOST_ROWS = 20_000
ERRORS_KEPT = 1000


@dataclass
class Result:
    """What an import did. `errors` holds (line, column, sentence); `failed` counts all bad rows."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)

    def refuse(self, line: int, error: DomainError) -> None:
        """A row that was left out."""
        self.failed += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append((line, error.field or "", str(error)))


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]
    key: str  # of its points


def import_csv(
    data: bytes, *, name: str, staff: Staff | None, now: datetime, wall: datetime
) -> Result:
    """Add and correct members, and give or take their points.

    :raises DomainError: the file as a whole is no such CSV; then nothing was changed
    """
    rows = _read(data)
    result = Result(rows=len(rows))
    _save(rows, result, staff=staff, now=now, wall=wall)
    counts = asdict(result)
    del counts["errors"], counts["unchanged"]
    audit.record(staff, "member.import", "member", 0, name, None, counts, wall=wall)
    return result


def _read(data: bytes) -> list[_Row]:
    digest = hashlib.sha256(data).hexdigest()[:32]
    reader = csv.reader(open_text(io.BytesIO(data)))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header)
        rows = [
            _row(line, header, cells, digest)
            for line, cells in islice(numbered_rows(reader), MOST_ROWS + 1)
        ]
    except csv.Error as error:
        raise DomainError(
            _("Line %(line)s cannot be read as CSV.", line=reader.line_num)
        ) from error
    if len(rows) > MOST_ROWS:
        raise DomainError(_("At most %(count)s rows at once.", count=MOST_ROWS))
    return rows


def _row(line: int, header: Sequence[str], cells: Sequence[str], digest: str) -> _Row:
    # PostgreSQL keeps no zero bytes.
    clean = (cell.replace("\0", "") for cell in cells)
    named = {key: restore(cell.strip()) for key, cell in zip(header, clean, strict=False)}
    known = named.get("id", "")
    return _Row(line, named, f"id:{known}" if known else f"csv:{digest}:{line}")


def _check_header(header: Sequence[str]) -> None:
    if "number" not in header:
        raise DomainError(_l("The file needs a column “number” with the member numbers."))
    for name in header:
        if name not in COLUMNS:
            raise DomainError(
                _("The column “%(name)s” is not known. Known: %(known)s.", name=name[:40],
                  known=", ".join(COLUMNS))
            )  # fmt: skip
    if len(set(header)) < len(header):
        raise DomainError(_l("A column is there twice."))


def _save(
    rows: Sequence[_Row], result: Result, *, staff: Staff | None, now: datetime, wall: datetime
) -> None:
    for row in rows:
        try:
            with atomic():
                before = _stored(row.cells["number"])
                member_id, changed = _save_details(before, row, now)
                moved = _save_points(member_id, row, staff=staff, now=now, wall=wall)
        except IntegrityError:
            # Somebody else added her between our look and our insert.
            result.refuse(row.line, taken(row.cells["number"]))
            continue
        except DomainError as error:
            result.refuse(row.line, error)
            continue
        if before is None:
            result.created += 1
        elif changed or moved:
            result.updated += 1
        else:
            result.unchanged += 1


def _stored(number: str) -> Member | None:
    """The member as she is now. A row fills what its file leaves out from it, so nobody else may
    change her until the row is written."""
    query = Member.select().where(Member.number == number)
    found: Member | None = (query.for_update() if is_postgres() else query).first()
    return found


def _save_details(before: Member | None, row: _Row, now: datetime) -> tuple[int, bool]:
    known = asdict(Details.of(before)) if before is not None else {}
    told = {name: row.cells[name] for name in DETAILS if row.cells.get(name)}
    if "number" not in told:
        raise DomainError(_l("The member number is missing."), field="number")
    details = checked(Details(**{**known, **told}), now=now, level_before=known.get("level", ""))
    if before is None:
        return int(Member.insert(**asdict(details), created_at=now).execute()), True
    if asdict(details) == known:
        return before.id, False
    Member.update(**asdict(details), version=Member.version + 1).where(
        Member.id == before.id
    ).execute()
    if details.level != before.level and before.friend_id is not None:
        journal.record(
            before.friend_id, "member.level", object_id=before.id, value=details.level, at=now
        )
    return before.id, True


def _save_points(
    member_id: int, row: _Row, *, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    written = row.cells.get("points", "")
    if not written:
        return False
    try:
        amount = int(written.replace(",", ""))
    except ValueError:
        raise DomainError(_l("Points are a whole number."), field="points") from None
    if amount == 0:
        return False
    asked = points.Change(amount, row.cells.get("reason", ""), _until(row, now), row.key[:80])
    try:
        return points.change(member_id, asked, staff=staff, now=now, wall=wall)
    except DomainError as error:
        field = {"amount": "points", "until": "points_until"}.get(error.field or "", error.field)
        raise DomainError(error.message, field=field) from None


def _until(row: _Row, now: datetime) -> datetime | None:
    zone = settings.shop_zone()
    written = row.cells.get("points_until", "")
    if not written:
        return points.end_of(now, zone, setup().points_days)
    day = read_day(written)
    if day is None:
        raise DomainError(_l("Write a day such as 2026-12-31."), field="points_until")
    return points.end_of_day(day, zone)


def template() -> Iterator[list[str]]:
    """An empty file with the right header and one row to copy."""
    yield list(COLUMNS)
    yield ["A0001", "王小明", "0912345678", "1998-05-20", "", "100", "2027-12-31", "滿額贈點", ""]
