"""Fixtures every test may use: a database, the app, a movable clock, a pretend LINE, a browser."""

from __future__ import annotations

import os
import shutil
import threading

# pytest loads this one when something is found unclosed; what is found while it loads fails a test.
import tracemalloc  # noqa: F401
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as examples
from werkzeug.serving import make_server

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin import i18n, migrate
from lineadmin.config import Config, load_config
from lineadmin.models import MODELS
from tests.spared import CompiledTemplates, compile_addresses_once

CHANNEL_SECRET = "channel-secret-of-the-tests"
CHANNEL_TOKEN = "channel-token-of-the-tests"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # a Monday, 12:00 in Taipei
# How long what should come is waited for: tests share their machine with others.
PATIENCE = 60.0
PATIENCE_MS = int(PATIENCE * 1000)
TEMPLATES = CompiledTemplates()
compile_addresses_once()
# What these databases hold need not survive a power cut: nothing waits for the disk.
database.SQLITE_PRAGMAS["synchronous"] = "off"
# A slow machine says nothing about the code; in CI the same examples are tried every time.
examples.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
examples.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no process is left alone with them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated, empty database: a file to copy, or this worker's PostgreSQL one."""
    server = os.environ.get("TEST_DATABASE_URL")
    if server:
        url = _fresh_postgres(server)
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('template')}/empty.db"
    database.open_database(url)
    migrate.migrate()
    database.db.close()
    return url


def _fresh_postgres(server: str) -> str:
    name = f"lineadmin_{_worker()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@pytest.fixture
def database_url(migrated_database: str, tmp_path: Path) -> str:
    """The URL of an empty database of this test's own."""
    return empty_database(migrated_database, tmp_path)


def empty_database(migrated: str, folder: Path) -> str:
    """The URL of a migrated database with nothing in it: a copy in `folder`, or emptied tables."""
    if migrated.startswith("sqlite"):
        path = folder / "lineadmin.db"
        shutil.copy(migrated.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    database.open_database(migrated)
    database.ensure_connection()
    # Threads of earlier tests may have left connections open: they would use up the server's.
    database.db.execute_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    # Emptying all tables costs more than most tests: only those somebody wrote into.
    written = _tables_written()
    if written:
        database.db.execute_sql(f"TRUNCATE {', '.join(written)} RESTART IDENTITY CASCADE")
    database.db.close()
    return migrated


def _tables_written() -> list[str]:
    """Tables with rows, or with rows that are gone again: their next id would not be 1."""
    names = {model._meta.table_name for model in MODELS}
    asked = " UNION ALL ".join(
        f"(SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\"))" for name in sorted(names)
    )
    advanced = (
        "SELECT t.relname FROM pg_sequences s"
        " JOIN pg_class c ON c.relname = s.sequencename AND c.relkind = 'S'"
        " JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i')"
        " JOIN pg_class t ON t.oid = d.refobjid WHERE s.last_value IS NOT NULL"
    )
    rows = database.db.execute_sql(f"{asked} UNION {advanced}").fetchall()
    return [f'"{name}"' for (name,) in rows if name in names]


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """A configuration that talks to no LINE at all; see `line` for one that does."""
    return make_config(database_url, tmp_path)


def make_config(database_url: str, var_dir: Path, **more: str) -> Config:
    """The configuration of a shop under test."""
    return load_config(
        {
            "SECRET_KEY": "a-secret-key-for-the-tests-only",
            "DATABASE_URL": database_url,
            "VAR_DIR": str(var_dir),
            "LINE_CHANNEL_SECRET": CHANNEL_SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": CHANNEL_TOKEN,
            "LINE_API_BASE": "http://127.0.0.1:9",
            "LINE_DATA_API_BASE": "http://127.0.0.1:9",
            "PUBLIC_URL": "https://shop.example",
            **more,
        }
    )


@pytest.fixture
def db(config: Config) -> Iterator[Any]:
    """An open, empty, migrated database without any Flask: what tests of rooms need."""
    configuration.use(config)
    opened = database.open_database(config.database_url)
    database.ensure_connection()
    i18n.set_locale(i18n.DEFAULT_LOCALE)
    i18n.set_zone(None)
    yield opened
    shop_clock.allow_moving(False)
    opened.close()


@dataclass
class MovableClock:
    """Shop time that stands still until a test moves it. Calling it answers the moment."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **units: float) -> datetime:
        """Move on by `timedelta(**units)`."""
        return self.set(self.moment + timedelta(**units))

    def set(self, moment: datetime) -> datetime:
        """Stand at `moment` from now on."""
        self.moment = moment.astimezone(UTC)
        shop_clock._State.fixed = self.moment
        return self.moment


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    """Shop time, standing at Monday 2026-11-23 12:00 in Taipei. Real time (`wall`) runs on."""
    movable = MovableClock(NOON)
    movable.set(NOON)
    yield movable
    shop_clock._State.fixed = None


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Any]:
    """A pretend LINE on a port of its own; `line.base_url`, and `line.client` to steer it.

    Whatever it accepts is judged by LINE's published schemas too, where LINE_OPENAPI_DIR is set.
    """
    from lineadmin.simulator.server import Simulator
    from tests import openapi

    watcher = openapi.Watcher(accepted_only=True)
    simulator = Simulator(
        channel_secret=CHANNEL_SECRET,
        access_token=CHANNEL_TOKEN,
        webhook_timeout_seconds=PATIENCE,
        on_request=watcher,
    )
    simulator.start()
    yield simulator
    simulator.stop()
    assert not watcher.problems, watcher.problems


@pytest.fixture
def line_config(line: Any, database_url: str, tmp_path: Path) -> Config:
    """A configuration whose LINE is the pretend one."""
    return make_config(
        database_url, tmp_path, LINE_API_BASE=line.base_url, LINE_DATA_API_BASE=line.base_url
    )


@pytest.fixture
def app(request: pytest.FixtureRequest, database_url: str) -> Iterator[Flask]:
    """The whole application in process; where a test asks for `line`, that is its LINE."""
    from lineadmin.application import create_app

    name = "line_config" if "line" in request.fixturenames else "config"
    config = request.getfixturevalue(name)
    made = create_app(config)
    made.testing = True
    made.jinja_env.bytecode_cache = TEMPLATES
    database.ensure_connection()
    yield made
    shop_clock.allow_moving(False)
    database.db.close()


@pytest.fixture
def client(app: Flask) -> Any:
    """A browser without JavaScript, not signed in."""
    return app.test_client()


@pytest.fixture
def live(request: pytest.FixtureRequest, app: Flask) -> Iterator[str]:
    """The address of the application on a real port; a test's `line` sends its webhooks there."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    if "line" in request.fixturenames:
        request.getfixturevalue("line").set_webhook_url(f"{url}/webhook")
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, one per test process."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab in zh-TW at 1440 px. Any error in its console fails the test."""
    from playwright.sync_api import expect

    context = browser.new_context(
        locale="zh-TW", timezone_id="Asia/Taipei", viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    tab.console_errors = errors
    yield tab
    context.close()
    assert not errors, errors
