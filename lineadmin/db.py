"""The database: SQLite or PostgreSQL behind the same models, and the two field types of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    Database,
    DatabaseProxy,
    Insert,
    Model,
    SqliteDatabase,
    TextField,
)
from playhouse.db_url import connect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

db: Database = DatabaseProxy()

# synchronous=FULL: an event we answered 200 for survives a power cut.
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 10_000,
    "cache_size": -32_000,
    "temp_store": "memory",
}


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment.

    :raises ValueError: the moment has no time zone
    """
    if moment.tzinfo is None:
        raise ValueError(f"a naive time reached the database: {moment!r}")
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC moment of a number of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=milliseconds)


class UTCDateTimeField(BigIntegerField):
    """An aware moment in Python, whole milliseconds since 1970 in SQL.

    A number sorts, compares and subtracts the same on both databases and is half the size of text.
    """

    def db_value(self, value: datetime | int | None) -> int | None:
        return to_ms(value) if isinstance(value, datetime) else value

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else from_ms(int(value))


class JSONTextField(TextField):
    """Any JSON value, stored as text (stable key order, so equal values are equal text)."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else dump_json(value)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


def dump_json(value: Any) -> str:
    """JSON text in one canonical form: sorted keys, no spaces, readable Chinese."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class BaseModel(Model):
    """Every table: one integer key, one database."""

    id = AutoField()

    class Meta:
        database = db
        legacy_table_names = False


def open_database(url: str) -> Database:
    """Point every model at the database of `url`, without connecting yet."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        database: Database = SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, lock_type="IMMEDIATE")
    else:
        database = connect(
            url.replace("postgres://", "postgresql://", 1), unquote_user=True, unquote_password=True
        )
    db.initialize(database)
    return database


def is_postgres() -> bool:
    """True on PostgreSQL; the few statements that differ ask this."""
    return not isinstance(db.obj, SqliteDatabase)


@contextmanager
def atomic() -> Iterator[None]:
    """One short transaction. On SQLite it takes the only writer at once: do no slow work inside."""
    with db.atomic():
        yield


def ensure_connection() -> None:
    """Connect this thread, or reconnect it where the server has hung up on us.

    Connections stay open per thread: opening one per request would cost half the webhook's rate.
    """
    if db.is_closed():
        db.connect(reuse_if_open=True)
    elif is_postgres() and getattr(db.connection(), "closed", False):
        db.close()
        db.connect()


def insert_ignore(query: Insert) -> int:
    """Run an insert that skips rows breaking a unique index; the number of rows really written."""
    # Not peewee's on_conflict_ignore: SQLite's INSERT OR IGNORE swallows a missing value as well.
    return int(query.on_conflict(action="nothing").as_rowcount().execute())


def insert_rows(
    columns: Sequence[Any], rows: Sequence[Sequence[Any]], *, returning: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Insert many rows of plain values in one statement, with every column that has no SQL default.

    Several times faster than Peewee's insert_many, which builds an expression for each value.
    Keep rows × columns under 30,000: SQLite takes no more values.
    """
    if not rows:
        return []
    names = ", ".join(f'"{column.column_name}"' for column in columns)
    one = f"({', '.join(['%s' if is_postgres() else '?'] * len(columns))})"
    table = columns[0].model._meta.table_name
    sql = f'INSERT INTO "{table}" ({names}) VALUES {", ".join([one] * len(rows))}'  # noqa: S608
    if returning:
        sql += f" RETURNING {', '.join(column.column_name for column in returning)}"
    convert = [column.db_value for column in columns]
    values = [turn(value) for row in rows for turn, value in zip(convert, row, strict=True)]
    cursor = db.execute_sql(sql, values)  # type: ignore[no-untyped-call]
    return list(cursor.fetchall()) if returning else []
