"""Terminals for commands, and a second database of the other kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from lineadmin import db as database
from lineadmin import migrate
from tests.cli.commands import Shell, shell


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Shell:
    """A terminal of the shop under test."""
    return shell(tmp_path, database_url)


@pytest.fixture
def new_database_url(tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        yield f"sqlite:///{tmp_path}/fresh.db"
        return
    with _postgres_database(server, "fresh") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def other_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of either kind, whichever kind the test's own is."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/other.db"
        _migrate(url)
        yield url
        return
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        pytest.skip("needs PostgreSQL (TEST_DATABASE_URL)")
    with _postgres_database(server, "other") as url:
        _migrate(url)
        yield url


class _postgres_database:
    def __init__(self, server: str, name: str) -> None:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._server, self._name = server, f"lineadmin_{worker}_{name}"

    def __enter__(self) -> str:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self._name}"')
        return urlsplit(self._server)._replace(path=f"/{self._name}").geturl()

    def __exit__(self, *_error: object) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')


def _migrate(url: str) -> None:
    before = getattr(database.db, "obj", None)
    database.open_database(url)
    migrate.migrate()
    database.db.close()
    if before is not None:
        database.db.initialize(before)
