"""`flask restore`: put a backup in the place of what is here, and hold back all sending."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import click
import psycopg
from peewee import Model

from lineadmin import clock
from lineadmin.cli import holding, portable
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.db import atomic, db, is_postgres
from lineadmin.errors import DomainError
from lineadmin.staff import audit


@dataclass(frozen=True)
class Manifest:
    """What a checked file says of itself."""

    made_at: datetime
    tables: dict[str, dict[str, Any]]

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return int(sum(table["rows"] for table in self.tables.values()))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Replace what this database holds now.")
@plain_errors
def restore(file: Path, yes: bool) -> None:
    """Load FILE, made by `flask backup`, with every unfinished message on hold."""
    with open_shop():
        manifest = check_file(file)
        if not yes and not _is_empty():
            raise DomainError(
                "this database is not empty; repeat with --yes to replace everything in it, "
                "after a backup of its own"
            )
        held = restore_file(file, manifest, now=clock.now(), wall=clock.wall())
    click.echo(f"restored {manifest.rows:,} rows of {manifest.made_at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"on hold until staff release them: {held.line()}")


def check_file(file: Path) -> Manifest:
    """Read the whole file once and change nothing.

    :raises DomainError: not a backup, damaged, or made by a newer version
    """
    with _open(file) as archive:
        manifest = _read_manifest(archive)
        for name, table in manifest.tables.items():
            digest, rows = hashlib.sha256(), 0
            with archive.open(f"tables/{name}.jsonl") as member:
                for line in member:
                    digest.update(line)
                    rows += 1
            if rows != table["rows"] or digest.hexdigest() != table["sha256"]:
                raise DomainError(f"the table {name} of this backup is damaged")
    return manifest


def restore_file(file: Path, manifest: Manifest, *, now: datetime, wall: datetime) -> holding.Held:
    """Replace everything in one transaction; answers what is on hold now.

    :raises DomainError: a row cannot be stored; nothing was changed
    """
    with zipfile.ZipFile(file) as archive, _foreign_keys_checked_at_the_end(), atomic():
        _empty_tables()
        for model in portable.KEPT:
            name = portable.table_name(model)
            if name in manifest.tables:
                _load_table(archive, model, manifest.tables[name]["columns"])
        _check_references()
        held = holding.hold_everything(now=now, wall=wall)
        audit.record(
            None,
            "backup.restore",
            "backup",
            0,
            manifest.made_at.isoformat(),
            None,
            {"rows": manifest.rows, **held.as_dict()},
            wall=wall,
        )
    return held


@contextmanager
def _open(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError):
        raise DomainError(f"{file} is not a whole backup of lineadmin") from None


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        raw = json.loads(archive.read(portable.MANIFEST))
        if raw["format"] != portable.FORMAT:
            raise ValueError
        newer = raw["version"] > portable.VERSION
        newer = newer or bool(set(raw["migrations"]) - set(portable.known_migrations()))
        made_at = portable.parse_moment(raw["made_at"])
        tables = {str(name): table for name, table in raw["tables"].items()}
        for table in tables.values():
            if not (isinstance(table["rows"], int) and isinstance(table["columns"], list)):
                raise ValueError
            table["sha256"]
    except (ValueError, TypeError, AttributeError):
        raise DomainError("this zip is not a backup of lineadmin") from None
    known = {portable.table_name(model) for model in portable.KEPT}
    if newer or set(tables) - known:
        raise DomainError("this backup was made by a newer lineadmin; update this one first")
    return Manifest(made_at, tables)


def _is_empty() -> bool:
    return not any(model.select().exists() for model in portable.KEPT)


@contextmanager
def _foreign_keys_checked_at_the_end() -> Iterator[None]:
    """SQLite: RESTRICT would stop emptying a table that points at itself, deferred or not."""
    if is_postgres():
        yield
        return
    _execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        _execute("PRAGMA foreign_keys = ON")


def _execute(sql: str) -> Any:
    return db.execute_sql(sql)


def _check_references() -> None:
    if is_postgres():
        return
    broken = _execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise DomainError(f"a row of the table {broken[0]} points at one that does not exist")


def _empty_tables() -> None:
    models = [*portable.KEPT, *(m for m in portable.TRANSIENT if portable.points_at_kept(m))]
    names = [f'"{portable.table_name(model)}"' for model in models]
    if is_postgres():
        _execute(f"TRUNCATE {', '.join(names)}")
        return
    for name in reversed(names):
        _execute(f"DELETE FROM {name}")  # noqa: S608


def _load_table(archive: zipfile.ZipFile, model: type[Model], given: list[str]) -> None:
    name = portable.table_name(model)
    known = {column.name: column for column in portable.columns_of(model)}
    if set(given) - set(known):
        raise DomainError("this backup was made by a newer lineadmin; update this one first")
    try:
        added = {
            column: portable.default_of(model, column) for column in known if column not in given
        }
    except LookupError as error:
        raise DomainError(f"this backup is too old: it lacks {name}.{error.args[0]}") from None
    columns = [known[column] for column in given]
    tail = tuple(added.values())
    with archive.open(f"tables/{name}.jsonl") as member:
        rows = (_read_row(line, columns, name) + tail for line in member)
        try:
            _insert(name, [*given, *added], rows)
        except (sqlite3.Error, psycopg.Error, OverflowError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise DomainError(f"the table {name} cannot be stored: {first}") from None


def _read_row(line: bytes, columns: list[portable.Column], name: str) -> tuple[Any, ...]:
    try:
        values = json.loads(line)
        return tuple(column.from_json(value) for column, value in zip(columns, values, strict=True))
    except (ValueError, TypeError) as error:
        _refuse_row(name, error)


def _refuse_row(name: str, error: Exception) -> NoReturn:
    raise DomainError(f"a row of the table {name} cannot be read: {error}") from None


def _insert(name: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    quoted = ", ".join(f'"{column}"' for column in columns)
    connection = db.connection()
    if not is_postgres():
        marks = ", ".join("?" * len(columns))
        sql = f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})'  # noqa: S608
        while chunk := list(islice(rows, portable.CHUNK)):
            connection.executemany(sql, chunk)
        return
    with connection.cursor() as cursor:
        with cursor.copy(f'COPY "{name}" ({quoted}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        # The rows brought their own numbers: let the next one made here come after them.
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), "  # noqa: S608
            f'COALESCE(MAX("id"), 1), MAX("id") IS NOT NULL) FROM "{name}"'
        )
