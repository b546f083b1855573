"""Millions of finished rows cost nothing: what runs all the time reads the partial indexes."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lineadmin.db import db, is_postgres
from lineadmin.outbox import cancel, claim, ends, queries, replies
from lineadmin.outbox.counts import Counts
from lineadmin.outbox.models import DeliveryState, OriginKind
from lineadmin.reports import broadcast, sequence
from tests.conftest import NOON
from tests.outbox.conftest import Shop

DONE_ROWS = 10_000
BIG = ("delivery", "shipment", "reply")
PARTIAL = ("delivery_queued", "delivery_shipment", "delivery_trouble")
PARTIAL += ("shipment_ready", "shipment_flying", "shipment_trouble", "reply_pending")


NUMBERS = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {DONE_ROWS}"
HISTORY = (
    "INSERT INTO shipment (kind, origin_kind, origin_id, body, recipients, retry_key, state,"
    " try_at, leased_by, fence, tries, line_request_id, accepted_request_id, error, quota_month,"
    " created_at) SELECT 'push', MOD(i, 2) + 1, MOD(i, 40) + 100, '{}', 1, 'key-' || i, 2, 5, '',"
    " 1, 1, '', '', '', '2026-10', 5 FROM n",
    "INSERT INTO delivery (friend_id, origin_kind, origin_id, origin_run, due_at, priority,"
    " counts_for_cap, state, reason, detail, planned_at)"
    " SELECT 1000000 + i, MOD(i, 2) + 1, MOD(i, 40) + 100, 0, 5, 50, TRUE, 2, '', '', 5 FROM n",
    "INSERT INTO reply (friend_id, reply_token, origin, origin_id, body, state, reason, error,"
    " line_request_id, at, tried_at)"
    " SELECT i, 'token-' || i, 'keyword', 0, '{}', 1, '', '', '', 5, 5 FROM n",
)


@pytest.fixture
def old_shop(shop: Shop) -> Shop:
    """A shop with a history: everything is done."""
    for statement in HISTORY:
        if not is_postgres():  # SQLite has MOD only where it was built with it
            statement = re.sub(r"MOD\(i, (\d+)\)", r"(i % \1)", statement)
        db.execute_sql(f"WITH RECURSIVE n(i) AS ({NUMBERS}) {statement}")
    db.execute_sql("ANALYZE")
    return shop


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that runs within the block."""
    seen: list[tuple[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.msg)  # type: ignore[arg-type]

    logger, handler = logging.getLogger("peewee"), Keep()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield seen
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def plan_of(sql: str, params: Any) -> str:
    if is_postgres():
        db.execute_sql("SET enable_seqscan = off")
        lines = [row[0] for row in db.execute_sql(f"EXPLAIN {sql}", params)]
        db.execute_sql("RESET enable_seqscan")
    else:
        lines = [row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params)]
    return "\n".join(lines)


def scans(plan: str) -> list[str]:
    """Lines that read a big table from one end to the other."""
    found = []
    for line in plan.splitlines():
        whole = re.search(r'Seq Scan on "?(\w+)', line) or re.match(r"SCAN (\w+)", line)
        partial = any(name in line for name in PARTIAL)
        names = {"t1", "t2", *BIG}
        if whole and whole[1] in names and not partial:
            found.append(line)
    return found


def check(seen: list[tuple[str, Any]], *, at_least: int = 1) -> None:
    asked = [
        (sql, params)
        for sql, params in seen
        if any(f'"{name}"' in sql for name in BIG) and sql.split()[0] in ("SELECT", "UPDATE")
    ]
    assert len(asked) >= at_least
    for sql, params in asked:
        plan = plan_of(sql, params)
        assert scans(plan) == [], f"{sql}\n{plan}"


def test_a_round_with_nothing_due_reads_no_finished_row(old_shop: Shop):
    sender = old_shop.sender()
    sender._quota_asked_at = old_shop.wall
    with statements() as seen:
        sender._upkeep(old_shop.now, old_shop.wall, Counts())
        sender._round(old_shop.now, old_shop.wall, Counts())
    assert len(seen) < 30
    check(seen, at_least=8)


def test_sending_reads_only_what_is_underway(old_shop: Shop):
    old_shop.friends(20)
    old_shop.broadcast(1, "特價！")
    old_shop.broadcast(2, "{name} 你好")
    with statements() as seen:
        assert old_shop.send().sent == 40
    check(seen, at_least=10)


def test_dissolving_giving_up_and_taking_back_read_only_what_is_underway(old_shop: Shop):
    old_shop.friends(3)
    old_shop.broadcast(1, "{name} 你好")
    old_shop.phones.fail("500", endpoint="push", times=2)
    old_shop.phones.fail("429", endpoint="push", times=1)
    old_shop.send()
    with statements() as seen:
        old_shop.later(minutes=11)
        old_shop.send()
        old_shop.later(hours=24)
        ends.give_up_old(now=old_shop.now, wall=old_shop.wall)
        claim.take_back(old_shop.wall)
        claim.take_over("worker", old_shop.wall)
        replies.sweep(wall=old_shop.wall)
    check(seen, at_least=10)


def test_health_and_screens_read_only_what_is_underway(old_shop: Shop):
    with statements() as seen:
        queries.live()
        queries.left_behind(old_shop.now)
        queries.is_due(old_shop.now, old_shop.wall)
        queries.in_trouble()
        queries.has_unfinished(OriginKind.BROADCAST, 101)
        queries.of_friend(1_000_007)
        cancel.cancel_for_friends(OriginKind.STEP, 7, [1, 2], now=NOON)
    check(seen, at_least=8)


def test_a_round_with_nothing_due_reads_only_what_is_underway(old_shop: Shop):
    sender = old_shop.sender()
    sender._quota_asked_at = old_shop.wall
    sender._round(old_shop.now, old_shop.wall, Counts())
    with statements() as seen:
        sender._round(old_shop.now, old_shop.wall, Counts())
    check(seen, at_least=1)


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("delivery WHERE state = 0 AND origin_kind = 1 AND origin_id > 5", "delivery_queued"),
        ("shipment WHERE state = 0 AND try_at <= 5", "shipment_ready"),
        ("shipment WHERE state = 1 AND lease_until <= 5", "shipment_flying"),
        ("reply WHERE state = 0 AND tried_at <= 5", "reply_pending"),
    ],
)
def test_the_partial_indexes_are_the_ones_used(old_shop: Shop, condition: str, index: str):
    assert index in plan_of(f"SELECT id FROM {condition}", ())


def test_what_became_of_a_program_is_read_from_an_index_alone(old_shop: Shop):
    with statements() as seen:
        assert queries.counts_by_state(OriginKind.BROADCAST, [100])[100][DeliveryState.SENT] == 250
        assert broadcast.outcome(100).sent == 250
        assert sum(sequence.outcomes(101)[0, 0].values()) == 250
    asked = [one for one in seen if '"delivery"' in one[0]]
    assert len(asked) == 4
    for number, (sql, params) in enumerate(asked):
        # (SQLite does not call a partial index covering, and yet reads no row.)
        index = "INDEX delivery_steps" if number == 3 else "COVERING INDEX delivery_outcomes"
        plan = plan_of(sql, params)
        # PostgreSQL may take any index over the program for so few rows.
        assert is_postgres() or index in plan, f"{sql}\n{plan}"
        assert scans(plan) == [], f"{sql}\n{plan}"
