"""The friends' screens as staff of each role use them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lineadmin.db import db as database
from lineadmin.db import is_postgres
from tests.panel import Panel, panel_of


@pytest.fixture
def manager(app) -> Panel:
    """Somebody who may tag, import, edit and send."""
    return panel_of(app, "manager", name="阿德")


@pytest.fixture
def owner(app) -> Panel:
    """Somebody who may do everything."""
    return panel_of(app, "owner")


def names_on(page: str) -> list[str]:
    """The friends a list shows, in order."""
    return re.findall(
        r'<span class="who" data-raw>.*?<span class="[^"]*">([^<]*)</span></span>', page, re.S
    )


@contextmanager
def statements() -> Iterator[list[tuple[str, object]]]:
    """Every SELECT that runs within the block."""
    seen: list[tuple[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if isinstance(record.msg, tuple) and record.msg[0].startswith("SELECT"):
                seen.append(record.msg)

    logger, handler = logging.getLogger("peewee"), Keep()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield seen
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def plan_of(sql: str, params: object) -> str:
    """How the database would answer a statement."""
    if is_postgres():
        database.execute_sql("SET enable_seqscan = off")
        rows = database.execute_sql(f"EXPLAIN {sql}", params)
        database.execute_sql("RESET enable_seqscan")
        return "\n".join(row[0] for row in rows)
    rows = database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params)
    return "\n".join(row[3] for row in rows)
