"""The sum before sending, and that it equals what happens."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import segments, settings
from lineadmin.broadcasts.ledger import is_everyone, ledger
from lineadmin.db import is_postgres
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, DeliveryState, QuotaMonth
from lineadmin.segments.compile import where
from tests.broadcasts.stage import EVERYONE, MINUTE, confirmed, outcomes, tagged, tick
from tests.conftest import NOON
from tests.factories import make_friend, make_friends
from tests.segments.shop import TAIPEI


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def received(friend_id: int, days_ago: float, number: int) -> None:
    Delivery.create(
        friend_id=friend_id,
        origin_kind=2,
        origin_id=900 + number,
        due_at=NOON - timedelta(days=days_ago),
        planned_at=NOON,
        state=int(DeliveryState.SENT),
    )


def test_the_numbers_before_equal_the_deliveries_after() -> None:
    settings.change_shop({"cap_messages": 2, "cap_days": 7}, staff=None, wall=NOON)
    chance = random.Random(3)
    for _ in range(80):
        friend = make_friend(
            tags=("VIP",) if chance.random() < 0.7 else (),
            status="blocked" if chance.random() < 0.2 else "friend",
            opted_out_at=NOON if chance.random() < 0.2 else None,
        )
        for number in range(chance.randrange(4)):
            received(friend.id, chance.choice((1, 6, 8)), number)
    told = ledger(tagged("VIP"), now=NOON, at=None)
    row = confirmed(tagged("VIP"))
    tick(NOON + 5 * MINUTE)
    after = Counter(outcomes(row).values())
    assert told.matches == sum(after.values())
    assert (told.blocked, told.opted_out, told.cap, told.will_send) == (
        after["blocked"],
        after["opted_out"],
        after["cap"],
        after["QUEUED"],
    )
    assert told.cap > 0
    assert row.expected == told.will_send


def test_money_and_what_is_left() -> None:
    make_friends(30)
    settings.change_shop(
        {"plan_name": "高用量", "plan_included": 100, "plan_extra_price": 0.2},
        staff=None,
        wall=NOON,
    )
    QuotaMonth.create(month="2026-11", line_limit=110, line_used=90)
    told = ledger(EVERYONE, now=NOON, at=None)
    assert (told.cost.over, told.cost.twd) == (20, 4.0)
    assert (told.left, told.short, told.left_after) == (20, 10, 0)
    next_month = ledger(EVERYONE, now=NOON, at=NOON + timedelta(days=20))
    assert (next_month.left, next_month.short, next_month.cost.twd) == (None, 0, 0.0)


def test_without_plan_and_limit_nothing_is_claimed() -> None:
    make_friend()
    told = ledger(EVERYONE, now=NOON, at=None)
    assert (told.cost.twd, told.left, told.short, told.left_after) == (None, None, 0, None)


def test_everyone_is_noticed_however_it_is_written() -> None:
    assert is_everyone(segments.parse(EVERYONE))
    assert is_everyone(segments.parse({"all": [{"all": []}]}))
    assert not is_everyone(segments.parse(tagged("VIP")))
    assert not is_everyone(segments.parse({"any": []}))


def test_a_chunk_probes_each_friend_and_reads_no_table(db: Any) -> None:
    make_friends(3_000)
    make_friend(tags=("VIP",))
    db.execute_sql("ANALYZE")
    condition = where(tagged("VIP"), now=NOON, zone=TAIPEI, per_friend=True)
    query = (
        Friend.select(Friend.id)
        .where((Friend.id > 1_000) & condition)
        .order_by(Friend.id)
        .limit(500)
    )
    sql, params = query.sql()
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    plan = "\n".join(str(line[-1]) for line in db.execute_sql(explain + sql, params))
    if is_postgres():
        assert "Seq Scan on friend " not in plan or "Nested Loop" in plan, plan
    else:
        assert "SEARCH t1 USING INTEGER PRIMARY KEY" in plan
        assert "friend_tag_tag_id_friend_id (tag_id=? AND friend_id=?)" in plan
