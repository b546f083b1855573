"""A tick with nothing due costs next to nothing, however many friends a shop has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin import shopfile
from lineadmin.config import Config
from lineadmin.inbox import run as inbox
from lineadmin.line.gateway import Gateway
from lineadmin.models import MODELS
from lineadmin.tasks import programs, tick
from tests.conftest import MovableClock

# They hold a row per friend, message or event. Sequences, broadcasts, settings stay small.
LARGE = (
    "friend",
    "friend_tag",
    "friend_field",
    "fact",
    "delivery",
    "shipment",
    "reply",
    "content",
    "coupon_issue",
    "redemption",
    "redemption_try",
    "partner_code",
    "lottery_draw",
    "link_click",
    "entry_visit",
    "consent",
    "subscription",
    "purchase",
    "purchase_line",
    "enlistment",
    "change_request",
    "enrolment",
    "inbound_event",
    "inbound_message",
    "audit",
)
SEQUENCE = """
version: 1
sequences:
  - {name: 養成, enabled: true, trigger: {follow: any},
     branches: [{steps: [{after_days: 1, at: "10:00", messages: [{text: 嗨}]}]}]}
"""


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is executed within the block."""
    found: list[tuple[str, Any]] = []
    execute = database.db.obj.execute_sql

    def note(sql: str, params: Any = None, *rest: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, *rest)

    with patch.object(database.db.obj, "execute_sql", note):
        yield found


def scans(sql: str, params: Any) -> list[str]:
    """Lines of the plan that read a whole large table."""
    if not sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
        return []
    rows = database.db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
    return [
        row[3]
        for row in rows
        if (match := re.match(r'SCAN "?(\w+)', row[3])) and " USING " not in row[3]
        if _table_of(match.group(1), sql) in LARGE
    ]


def _table_of(alias: str, sql: str) -> str:
    found = re.search(rf'"(\w+)" AS "{alias}"', sql)
    return found.group(1) if found else alias


@pytest.fixture
def shop(db: Any, config: Config, clock: MovableClock) -> None:
    if database.is_postgres():
        pytest.skip("reads SQLite's plans")
    configuration.use(config)
    shopfile.load(SEQUENCE, staff=None, now=clock(), wall=shop_clock.wall())


def test_a_tick_with_nothing_due_reads_no_large_table_through(
    shop: None, clock: MovableClock, config: Config
) -> None:
    gateway = Gateway(config)
    tick(clock(), shop_clock.wall(), gateway=gateway)
    with statements() as found:
        tick(clock(), shop_clock.wall(), gateway=gateway)
    gateway.close()
    assert 5 < len(found) < 60, len(found)
    read = {sql: scans(sql, params) for sql, params in found}
    assert not any(read.values()), {sql: lines for sql, lines in read.items() if lines}


def test_the_workers_polls_read_no_large_table_through(shop: None) -> None:
    programs.advance(shop_clock.now(), shop_clock.wall())  # the day has begun
    with statements() as found:
        assert not inbox.is_due(shop_clock.wall())
        assert not programs.are_due(shop_clock.now())
    assert found
    read = {sql: scans(sql, params) for sql, params in found}
    assert not any(read.values()), {sql: lines for sql, lines in read.items() if lines}


def test_the_check_would_notice_a_scan(shop: None) -> None:
    """A condition no index serves: this test proves that the others prove something."""
    assert set(LARGE) <= {model._meta.table_name for model in MODELS}
    assert scans('SELECT * FROM "friend" AS "t1" WHERE "t1"."note" = ?', ("x",))
    assert not scans('SELECT * FROM "friend" AS "t1" WHERE "t1"."id" = ?', (1,))
