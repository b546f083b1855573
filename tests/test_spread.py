"""SQLite chooses its indexes by the numbers of a big shop, from the first day on."""

from __future__ import annotations

import pytest

from lineadmin import spread
from lineadmin.broadcasts.models import Broadcast
from lineadmin.db import is_postgres
from lineadmin.friends import queries
from lineadmin.friends.models import Friend
from lineadmin.models import MODELS
from lineadmin.reports import effects, sequence
from tests.conftest import NOON
from tests.factories import make_friends
from tests.friends_screens.conftest import plan_of, statements


@pytest.fixture(autouse=True)
def _only_sqlite_is_told(db) -> None:
    if is_postgres():
        pytest.skip("PostgreSQL keeps its own numbers")


def test_every_index_of_the_big_tables_has_its_numbers(db):
    """An index without numbers is taken for the best there is, and reads a million rows."""
    for table, told in spread.SPREAD.items():
        found = db.execute_sql(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
            " AND sql NOT LIKE '%WHERE%'",
            (table,),
        )
        names = {name for (name,) in found}
        assert names <= set(told), f"{table}: add {names - set(told)} to lineadmin/spread.py"


def test_no_numbers_are_kept_of_what_is_gone(db):
    there = {name for (name,) in db.execute_sql("SELECT name FROM sqlite_master")}
    tables = {model._meta.table_name for model in MODELS}
    for table, told in spread.SPREAD.items():
        assert table in tables
        assert set(told) <= there


def test_telling_again_changes_nothing_and_mends_what_was_counted(db):
    told = _numbers(db)
    assert {row[1] for row in told} == {name for of in spread.SPREAD.values() for name in of}
    make_friends(50)
    db.execute_sql("ANALYZE")
    assert _numbers(db) != told
    spread.tell()
    spread.tell()
    assert _numbers(db) == told


def test_blocks_after_a_broadcast_are_looked_up_by_friend_and_not_the_other_way(db):
    row = Broadcast.create(name="週一", state="sent", leaves_at=NOON, created_at=NOON)
    with statements() as seen:
        effects.block_counts(row)
    [(sql, params)] = seen
    assert "delivery_friend_id" in plan_of(sql, params), plan_of(sql, params)


def test_friends_by_what_is_known_of_them_are_found_without_reading_one(db):
    where = (Friend.os == "ios") & (Friend.region == "tw_01") & (Friend.birth_year < 2001)
    with statements() as seen:
        assert queries.few(where) == []
    [(sql, params)] = seen
    assert "USING COVERING INDEX friend_attributes" in plan_of(sql, params)
    # A slice of friends, as planning and tagging take them, is still a walk by number.
    slice_of = Friend.select(Friend.id).where(where, Friend.id > 5_000, Friend.id <= 10_000)
    assert "USING INTEGER PRIMARY KEY" in plan_of(*slice_of.sql())
    window = Friend.select(Friend.id).where(where, Friend.id > 5_000).order_by(Friend.id)
    assert "USING INTEGER PRIMARY KEY" in plan_of(*window.limit(5_000).sql())


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (
            "SELECT version_id, COUNT(1) {mine} GROUP BY version_id, branch, step",
            "enrolment_places",
        ),
        ("SELECT friend_id {mine} ORDER BY next_at LIMIT 5001", "enrolment_due"),
        ("SELECT 1 {mine} AND next_at <= 5 LIMIT 1", "enrolment_due"),
    ],
)
def test_those_underway_are_asked_about_through_the_index_made_for_it(db, question, index):
    mine = "FROM enrolment WHERE sequence_id = 1 AND state = 'active'"
    assert index in plan_of(question.format(mine=mine), ())


def _numbers(db):
    return sorted(db.execute_sql("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall(), key=str)


def test_who_tapped_in_step_messages_is_found_by_the_links(db):
    with statements() as seen:
        sequence.tapped(1)
    (asked,) = [one for one in seen if '"fact"' in one[0]]
    assert "USING INDEX fact_kind_object_id_at" in plan_of(*asked)
