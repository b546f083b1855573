"""Claiming, failing, stepping back, being set aside and tried again."""

from datetime import timedelta

import pytest
from peewee import SqliteDatabase

from lineadmin import clock as shop_clock
from lineadmin import db as database
from lineadmin.db import EPOCH
from lineadmin.friends.models import Friend
from lineadmin.inbox import aside, dispatch, queries, run
from lineadmin.inbox.models import InboundEvent
from lineadmin.journal.models import Fact
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_staff
from tests.inbox.conftest import event, text


@pytest.fixture
def poison(monkeypatch):
    """Events of the kind "poison" change something and then fail."""

    def fail(scene):
        dispatch._friend(scene)
        raise ValueError("this event is poisoned")

    monkeypatch.setitem(dispatch.HANDLERS, "poison", fail)


def user(number):
    return f"U{number:032x}"


def test_a_poisoned_event_steps_back_and_is_set_aside_after_five_tries(inbox, poison):
    inbox.keep(event("poison"))
    wall = shop_clock.wall() + timedelta(seconds=1)  # certainly after it was kept
    waits = []
    for _ in range(run.TRIES):
        assert inbox.work(wall=wall) == 0
        row = inbox.rows()[0]
        waits.append(round((row.try_at - wall).total_seconds()))
        wall = max(row.try_at, wall) + timedelta(seconds=1)
    assert waits[:4] == list(run.BACKOFF)
    row = inbox.rows()[0]
    assert row.set_aside_at is not None
    assert row.error == "ValueError: this event is poisoned"
    assert inbox.work(wall=wall + timedelta(days=1)) == 0
    assert queries.set_aside_count() == 1


def test_a_failing_event_changes_nothing(inbox, poison):
    inbox.take(event("poison"))
    assert Friend.select().count() == 0


def test_a_poisoned_event_does_not_hold_up_the_others(inbox, poison):
    events = [event("poison", user(number)) for number in range(3)]
    events += [event("follow", user(number), age=-1) for number in range(3)]
    assert inbox.take(*events) == 3
    assert Friend.select().count() == 3


def test_staff_can_have_events_tried_again_one_or_all(inbox, poison, monkeypatch):
    inbox.keep(*(event("poison", user(number)) for number in range(3)))
    wall = shop_clock.wall()
    for _ in range(run.TRIES):
        inbox.work(wall=wall)
        wall += timedelta(minutes=10)
    assert len(queries.set_aside(10)) == 3
    monkeypatch.setitem(dispatch.HANDLERS, "poison", dispatch._other)
    staff = make_staff()
    first = queries.set_aside(10)[0]
    assert aside.replay([first.id], staff=staff, wall=wall) == 1
    assert inbox.work(wall=wall) == 1
    assert aside.replay(None, staff=staff, wall=wall) == 2
    assert inbox.work(wall=wall) == 2
    assert queries.set_aside_count() == 0
    assert Audit.select().where(Audit.action == "inbox.replay").count() == 2


def test_an_event_that_was_given_up_is_not_tried_again(inbox, poison):
    inbox.keep(event("poison"))
    wall = shop_clock.wall()
    for _ in range(run.TRIES):
        inbox.work(wall=wall)
        wall += timedelta(minutes=10)
    assert aside.give_up(None, staff=None, wall=wall) == 1
    assert inbox.work(wall=wall) == 0
    assert queries.set_aside_count() == 0


def test_a_leased_event_is_left_to_its_worker_until_the_lease_ends(inbox):
    inbox.keep(event("follow"))
    wall = shop_clock.wall()
    claimed = run._claim(wall, 10)
    assert len(claimed) == 1
    assert inbox.work() == 0
    assert inbox.work(wall=wall + run.LEASE + timedelta(seconds=1)) == 1


def test_a_worker_that_lost_its_lease_changes_nothing(inbox):
    inbox.keep(event("follow"))
    wall = shop_clock.wall()
    slow = run._claim(wall, 10)[0]
    assert inbox.work(wall=wall + run.LEASE + timedelta(seconds=1)) == 1
    moment = run._Moment(shop_clock.now(), wall)
    with pytest.raises(run._TakenOver):
        run._change(slow, moment, dispatch.look())
    assert Fact.select().count() == 1


def test_a_run_has_a_limit(inbox):
    inbox.keep(*(event("follow", user(number)) for number in range(7)))
    assert run.dispatch_due(inbox.gateway, NOON, shop_clock.wall(), 5) == 5
    assert run.dispatch_due(inbox.gateway, NOON, shop_clock.wall(), 5) == 2


def test_many_events_are_worked_off(inbox):
    inbox.keep(*(text("嗨", user(number % 50)) for number in range(300)))
    assert inbox.work() == 300
    assert Friend.select().count() == 50
    assert InboundEvent.select().where(InboundEvent.handled_at.is_null()).count() == 0


def test_an_event_without_a_timestamp_happened_when_it_came(inbox, clock):
    given = event("follow")
    del given["timestamp"]
    inbox.take(given)
    assert Fact.get().at > NOON - timedelta(seconds=5)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (timedelta(seconds=-10), timedelta(seconds=-10)),  # in real time: its age is kept
        (timedelta(hours=-3), timedelta(hours=-3)),
        (timedelta(seconds=30), timedelta(0)),  # a clock that runs ahead
    ],
)
def test_real_timestamps_become_shop_time(stamp, expected):
    wall = NOON - timedelta(days=30)
    assert run.shop_moment(wall + stamp, now=NOON, wall=wall) == NOON + expected


def test_timestamps_already_in_shop_time_stay(clock):
    wall = NOON - timedelta(days=30)
    stamp = NOON - timedelta(hours=2)
    assert run.shop_moment(stamp, now=NOON, wall=wall) == stamp
    assert run.shop_moment(EPOCH, now=NOON, wall=wall) == NOON


def plan_of(query):
    sql, parameters = query.sql()
    rows = database.db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    return " | ".join(row[3] for row in rows)


def test_claiming_walks_the_index_of_waiting_events(db):
    if not isinstance(db, SqliteDatabase):
        pytest.skip("SQLite's planner is asked; PostgreSQL has the same partial indexes")
    due = (
        InboundEvent.select(InboundEvent.id)
        .where(run._claimable(shop_clock.wall()))
        .order_by(InboundEvent.at, InboundEvent.id)
        .limit(50)
    )
    plan = plan_of(due)
    assert "inboundevent_waiting" in plan
    assert "TEMP B-TREE" not in plan


def test_lists_of_waiting_and_set_aside_rows_use_their_indexes(db):
    if not isinstance(db, SqliteDatabase):
        pytest.skip("SQLite's planner is asked; PostgreSQL has the same partial indexes")
    from peewee import SQL

    from lineadmin.inbox.models import InboundMessage

    open_ones = (
        InboundMessage.select()
        .where(SQL("answered_by = ''"))
        .order_by(InboundMessage.at.desc())
        .limit(8)
    )
    assert "inboundmessage_open" in plan_of(open_ones)
    failed = (
        InboundEvent.select()
        .where(SQL("set_aside_at IS NOT NULL"))
        .order_by(InboundEvent.id.desc())
        .limit(50)
    )
    assert "inboundevent_aside" in plan_of(failed)
