"""Numbered migrations: applied under a lock, and refusal to run on a database that lacks one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from lineadmin import spread
from lineadmin.db import db, ensure_connection, is_postgres
from lineadmin.errors import ConfigError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
ADVISORY_LOCK = 726_100
NAMED = 3


def migrate() -> list[str]:
    """Apply what is pending and answer the names. Safe to run twice, or from two dynos at once."""
    with _one_at_a_time():
        applied = list(Runner(db.obj, str(MIGRATIONS)).up())
        spread.tell()
        return applied


def pending() -> list[str]:
    """Names of migrations this database still lacks."""
    ensure_connection()
    return [m.name for m in Runner(db.obj, str(MIGRATIONS)).status() if not m.applied]


def refuse_if_pending() -> None:
    """Stop start-up where the tables are older than the code.

    :raises ConfigError: a migration is pending
    """
    missing = pending()
    if missing:
        raise ConfigError(
            "DATABASE_URL",
            f"the database lacks {in_short(missing)}; run `flask migrate` first",
        )


def in_short(names: list[str]) -> str:
    """Names of migrations for a sentence: all of a few, else the first and the last."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{len(names)} migrations ({names[0]} … {names[-1]})"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if is_postgres():
        ensure_connection()
        db.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        try:
            yield
        finally:
            db.execute_sql("SELECT pg_advisory_unlock(%s)", (ADVISORY_LOCK,))
        return
    # Taken before connecting: switching a new file to WAL does not wait for the busy timeout.
    with open(f"{db.obj.database}.migrate.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure_connection()
        yield
