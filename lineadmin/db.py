"""The database: SQLite or PostgreSQL behind the same models, and the two field types of our own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    Database,
    DatabaseProxy,
    Insert,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
)
from playhouse.db_url import connect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

db: Any = DatabaseProxy()

BUSY_MS = 10_000
WRITING = "IMMEDIATE"  # take the write lock at BEGIN: upgrading a reader later fails at once
WRITES = ("INSERT", "UPDATE", "DELETE")

# synchronous=FULL: an event we answered 200 for survives a power cut.
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": BUSY_MS,
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


class TurnTakingSqlite(SqliteDatabase):
    """SQLite whose writers wait for each other fairly: threads of one process take turns, and the
    one whose turn it is asks for the lock every millisecond.

    SQLite itself knows no queue: it lets everybody try again after longer and longer naps, and
    under steady writing an unlucky one (a webhook!) sleeps through its chances until the timeout.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = threading.Lock()
        self._mine = threading.local()

    def begin(self, lock_type: str | None = None) -> None:
        if (lock_type or WRITING) != WRITING:
            super().begin(lock_type)
            return
        self._turn.acquire()
        try:
            self._ask_for_the_lock(lambda: super(TurnTakingSqlite, self).begin(lock_type))
        except BaseException:
            self._turn.release()
            raise
        self._mine.held = True

    def commit(self) -> None:
        super().commit()
        self._give_turn_away()

    def rollback(self) -> None:
        try:
            # On a full disk SQLite has rolled back by itself: a second time is an error, which
            # would hide the one that says why.
            if self.connection().in_transaction:  # type: ignore[no-untyped-call]
                super().rollback()
        finally:
            self._give_turn_away()

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if self.in_transaction() or not sql.lstrip()[:6].upper().startswith(WRITES):
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        with self._turn:
            plain: Any = super()
            return self._ask_for_the_lock(lambda: plain.execute_sql(sql, params))

    def _ask_for_the_lock(self, question: Callable[[], Any]) -> Any:
        connection = self.connection()  # type: ignore[no-untyped-call]
        give_up_at = time.monotonic() + BUSY_MS / 1000
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    return question()
                except OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > give_up_at:
                        raise
                    time.sleep(0.001)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")

    def _give_turn_away(self) -> None:
        if getattr(self._mine, "held", False):
            self._mine.held = False
            self._turn.release()


def open_database(url: str) -> Database:
    """Point every model at the database of `url`, without connecting yet."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        database: Database = TurnTakingSqlite(path, pragmas=SQLITE_PRAGMAS, lock_type=WRITING)
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


def run_sql(sql: str, *values: Any) -> Any:
    """Run a statement written by hand, with `?` for values; its cursor.

    For the few places that run thousands of times a second: Peewee needs longer to put a statement
    together than the database to carry it out. Moments go in as milliseconds (`to_ms`).
    """
    if is_postgres():
        sql = sql.replace("?", "%s")
    return db.execute_sql(sql, values)


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
    cursor = db.execute_sql(sql, values)
    return list(cursor.fetchall()) if returning else []


def one_of(column: Any, numbers: Iterable[int]) -> Any:
    """`column IN (…)` without a parameter per number; they are our own integers."""
    listed = ",".join(str(int(number)) for number in numbers)
    return column.in_(SQL(f"({listed})" if listed else "(NULL)"))
