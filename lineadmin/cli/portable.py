"""The backup file: one zip, a table per member, the same for both databases.

Each member `tables/NAME.jsonl` has one JSON array per row. `manifest.json`, written last, names the
columns, the number of rows and a SHA-256 of every table: a file that was cut off or damaged is
noticed before anything is changed.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from peewee import Field, Model

from lineadmin import migrate
from lineadmin.config import Config
from lineadmin.friends.models import FriendImport
from lineadmin.models import MODELS
from lineadmin.settings.models import Heartbeat
from lineadmin.staff.models import LinkCode, SignInAttempt, StaffSession

FORMAT = "lineadmin-backup"
VERSION = 1
MANIFEST = "manifest.json"
CHUNK = 2000

# Signs of the moment, not of the shop. Nobody stays signed in across a restore.
TRANSIENT: tuple[type[Model], ...] = (
    StaffSession,
    SignInAttempt,
    LinkCode,
    Heartbeat,
    FriendImport,
)
KEPT: tuple[type[Model], ...] = tuple(model for model in MODELS if model not in TRANSIENT)


@dataclass(frozen=True)
class Column:
    """A column, and how its values go into JSON and come back."""

    name: str
    kind: str  # blob | date | bool | plain

    def to_json(self, value: Any) -> Any:
        """A value of either database as JSON."""
        if value is None:
            return None
        if self.kind == "blob":
            return base64.b64encode(bytes(value)).decode()
        if self.kind == "date":
            return value.isoformat() if isinstance(value, date) else str(value)
        if self.kind == "bool":
            return bool(value)
        return value

    def from_json(self, value: Any) -> Any:
        """The value to store.

        :raises ValueError: not what this column holds
        """
        if value is None:
            return None
        if self.kind == "blob":
            try:
                return base64.b64decode(value, validate=True)
            except (binascii.Error, TypeError):
                raise ValueError(f"{self.name} is not base64") from None
        if self.kind == "date":
            return date.fromisoformat(value).isoformat()
        if isinstance(value, list | dict):
            raise ValueError(f"{self.name} is not one value")
        return value


def table_name(model: type[Model]) -> str:
    """The table's name in the database and in the file."""
    return str(model._meta.table_name)


def columns_of(model: type[Model]) -> list[Column]:
    """The model's columns in their order."""
    return [Column(field.column_name, _kind(field)) for field in model._meta.sorted_fields]


def default_of(model: type[Model], column: str) -> Any:
    """What a column the file does not know yet is filled with.

    :raises LookupError: it may not be empty and has no default
    """
    field: Field = model._meta.columns[column]
    if field.default is not None:
        value = field.default() if callable(field.default) else field.default
        return field.db_value(value)
    if field.null:
        return None
    raise LookupError(column)


@contextmanager
def snapshot(config: Config) -> Iterator[Callable[[str], Iterable[tuple[Any, ...]]]]:
    """A function that streams a query's rows; all of them see the database at one moment.

    On both databases readers and writers do not wait for each other, so the shop stays open.
    """
    if config.database_url.startswith("sqlite"):
        path = Path(config.database_url.removeprefix("sqlite:///")).absolute()
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.execute("BEGIN")
            yield lambda sql: _stream(connection.execute(sql))
        finally:
            connection.close()
        return
    with psycopg.connect(config.database_url) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        server.read_only = True

        def stream(sql: str) -> Iterator[tuple[Any, ...]]:
            with server.cursor(name="backup") as cursor:
                cursor.itersize = CHUNK
                cursor.execute(sql.encode())
                yield from cursor

        yield stream


def write_json(value: Any) -> bytes:
    """One line of a table member."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def known_migrations() -> list[str]:
    """Names of the migrations this program has."""
    return sorted(path.stem for path in migrate.MIGRATIONS.glob("[0-9]*.py"))


def _stream(cursor: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(CHUNK):
        yield from rows


def _kind(field: Field) -> str:
    kinds = {"BLOB": "blob", "DATE": "date", "BOOL": "bool"}
    return kinds.get(field.field_type, "plain")


def parse_moment(text: str) -> datetime:
    """An ISO 8601 moment of the manifest.

    :raises ValueError: it is not one
    """
    return datetime.fromisoformat(text)


def points_at_kept(model: type[Model]) -> bool:
    """True for a transient table whose rows would hang in the air after a restore."""
    return bool(model._meta.refs)
