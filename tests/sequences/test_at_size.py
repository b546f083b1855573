"""Ticks with nothing due cost nothing, and many friends due at once are planned in bulk."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import spread
from lineadmin.admin.sequence_friends import order_of, runs_of
from lineadmin.db import is_postgres
from lineadmin.friends.models import Friend
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import Delivery
from lineadmin.sequences import advance, enrolments, moves, triggers
from lineadmin.sequences.models import Enrolment, Sequence
from tests.factories import make_friends
from tests.outbox.test_index_use import plan_of as plan_as_run
from tests.sequences.stage import at, publish, step
from tests.sequences.test_transfer import again

MONDAY = at("2026-11-23")


def underway(db: Any, count: int, sequence: Sequence, *, next_at: Any) -> None:
    """Enrol friends 1 … count without going through the journal."""
    from lineadmin.db import to_ms

    db.execute_sql(
        "INSERT INTO enrolment (sequence_id, friend_id, run, version_id, branch, step, base_day, "
        "next_at, state, reason, entered_at) "
        f"SELECT {sequence.id}, id, 1, {sequence.live_version}, 0, 0, '2026-11-23', "
        f"{to_ms(next_at)}, 'active', '', {to_ms(MONDAY)} FROM friend WHERE id <= {count}"
    )
    db.execute_sql("ANALYZE")


def plan_of(db: Any, query: Any) -> str:
    sql, params = query.sql()
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in db.execute_sql(explain + sql, params))


def test_looking_for_due_steps_reads_no_table(db: Any) -> None:
    """Also where a disabled sequence holds thousands who are due."""
    live = publish(step(1), now=MONDAY)
    make_friends(3_000)
    underway(db, 3_000, live, next_at=at("2026-12-24"))
    plan = plan_of(db, advance._due(live.id, MONDAY, 5_000))
    assert "enrolment_due" in plan
    assert "SCAN" not in plan
    assert "Seq Scan on enrolment" not in plan
    handled = {"friend_id": 1, "kind": "message", "at": MONDAY, "handled_at": MONDAY}
    for _ in range(10):
        Fact.insert_many([handled] * 500).execute()
    db.execute_sql("ANALYZE")
    waiting = plan_of(db, Fact.select(Fact.id).where(Fact.handled_at.is_null()).limit(1))
    assert "fact_unhandled" in waiting
    assert advance.advance(MONDAY, MONDAY) == 0


@pytest.mark.parametrize(
    ("who", "index"),
    [
        ("active", "enrolment_due"),
        ("step-2", "enrolment_next"),
        ("stopped", "enrolment_sequence_id_state_id"),
    ],
)
def test_a_page_of_its_friends_is_a_walk_along_an_index(db: Any, who: str, index: str) -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    make_friends(3_000)
    underway(db, 3_000, sequence, next_at=MONDAY)
    Enrolment.update(step=1).where(Enrolment.id <= 300).execute()
    Enrolment.update(state="stopped", next_at=None).where(Enrolment.id > 2_000).execute()
    db.execute_sql("ANALYZE")
    keyset = order_of(who)
    asked = runs_of(sequence.id, who)
    order = (Enrolment.next_at, Enrolment.id) if keyset.column.null else (Enrolment.id.desc(),)
    plan = plan_of(db, asked.order_by(*order).limit(50))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_ten_thousand_due_steps_are_planned_in_a_few_queries(db: Any) -> None:
    """A tenth of the benchmark, which measures how long it takes: to notice a query per friend."""
    live = publish(step(1), step(7), now=MONDAY)
    make_friends(10_000)
    underway(db, 10_000, live, next_at=at("2026-11-24", "10:00"))
    queries: list[str] = []
    original = db.execute_sql

    def counted(sql: str, *args: Any, **kwargs: Any) -> Any:
        queries.append(sql)
        return original(sql, *args, **kwargs)

    db.execute_sql = counted
    assert advance.advance(at("2026-11-24", "10:00"), MONDAY) == 10_000
    db.execute_sql = original
    assert len(queries) < 60
    assert Delivery.select().count() == 10_000
    assert Enrolment.select().where(Enrolment.step == 1, enrolments.active()).count() == 10_000


def test_moving_those_underway_walks_along_an_index_and_writes_by_number(db: Any) -> None:
    """A million are moved in 200 portions: none of them may look through all of them."""
    sequence = publish(step(1), step(7), now=MONDAY)
    make_friends(3_000)
    underway(db, 3_000, sequence, next_at=at("2026-11-24", "10:00"))
    again(sequence, [step(1), step(5)], now=MONDAY)
    move = moves.start(sequence.id, staff=None, now=MONDAY, wall=MONDAY)
    assert move is not None
    asked: list[Any] = []
    original = db.execute_sql

    def noted(sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        asked.append((sql, params))
        return original(sql, params, *args, **kwargs)

    db.execute_sql = noted
    moves.advance_chunk(move, MONDAY, 500)
    assert moves.is_due()
    db.execute_sql = original
    about = [one for one in asked if '"enrolment"' in one[0]]
    assert len(about) >= 3  # those underway, those on hold, and the change of the first
    spread.tell()  # as in a shop; what was counted above would make a walk by number as good
    for sql, params in about:
        plan = plan_as_run(sql, params)
        assert "Seq Scan on enrolment" not in plan, plan
        assert "SCAN t1" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        if not is_postgres() and sql.startswith("SELECT"):
            assert "enrolment_sequence_id_state_id" in plan, plan
    assert Enrolment.select().where(Enrolment.version_id == move.version_id).count() == 500


@pytest.mark.parametrize("facts", [0, 7])
def test_facts_wait_in_an_index_of_their_own(db: Any, facts: int) -> None:
    Fact.insert_many(
        [{"friend_id": 1, "kind": "message", "at": MONDAY, "handled_at": MONDAY}] * 50
    ).execute()
    for number in range(facts):
        Fact.create(friend_id=number + 1, kind="followed", at=MONDAY)
    make_friends(8)
    assert Friend.select().count() == 8
    assert triggers.advance(MONDAY, MONDAY) == facts
    assert not triggers.is_due()


def test_the_question_whether_anything_is_due_is_answered_by_the_index(db: Any) -> None:
    live = publish(step(1), now=MONDAY)
    make_friends(2_000)
    underway(db, 2_000, live, next_at=at("2026-12-24"))
    asked: list[Any] = []
    original = db.execute_sql

    def noted(sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        asked.append((sql, params))
        return original(sql, params, *args, **kwargs)

    db.execute_sql = noted
    assert not advance.is_due(MONDAY)
    db.execute_sql = original
    assert len(asked) == 1
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    plan = "\n".join(str(row[-1]) for row in db.execute_sql(explain + asked[0][0], asked[0][1]))
    assert "enrolment_due" in plan
    assert "Seq Scan on enrolment" not in plan
