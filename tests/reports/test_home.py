"""The numbers on the home page, against rows counted by hand."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from peewee import SqliteDatabase

from lineadmin import db as database
from lineadmin import journal
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import Delivery, OriginKind, Reply
from lineadmin.reports import home
from lineadmin.sequences.models import Enrolment, Sequence
from tests.conftest import NOON
from tests.factories import make_friend, make_friends

TAIPEI = ZoneInfo("Asia/Taipei")


def ago(**units):
    return NOON - timedelta(**units)


def test_friends_their_week_and_the_block_rate(db):
    make_friends(9)
    gone = make_friend(status="blocked")
    for friend_id in range(1, 4):
        journal.record(friend_id, "followed", at=ago(days=friend_id))
    journal.record(4, "followed", at=ago(days=8))
    journal.record(gone.id, "blocked", at=ago(days=1))
    numbers = home.friend_numbers(NOON)
    assert (numbers.friends, numbers.gained) == (9, 2)
    assert numbers.block_rate == pytest.approx(0.1)
    assert numbers.rate_change == pytest.approx(0.1)


def test_an_empty_shop_has_no_rate(db):
    assert home.friend_numbers(NOON) == home.FriendNumbers(0, 0, None, None)


def test_the_latest_broadcasts_say_what_their_reports_say(db):
    assert home.latest_broadcasts() == []
    row = Broadcast.create(
        name="週一",
        state="sent",
        leaves_at=ago(hours=30),
        finished_at=ago(hours=29),
        sent_count=4,
        created_at=ago(days=3),
    )
    for hours in (31, 29, 7, 5):
        friend = make_friend()
        Delivery.create(
            friend_id=friend.id,
            origin_kind=1,
            origin_id=row.id,
            due_at=ago(hours=30),
            planned_at=ago(hours=30),
            state=2,
            done_at=ago(hours=30),
        )
        journal.record(friend.id, "blocked", at=ago(hours=hours))
    journal.record(99, "blocked", at=ago(hours=20))  # she never got it
    [last] = home.latest_broadcasts()
    assert (last.name, last.sent, last.clicked, last.blocked) == ("週一", 4, 0, 2)


def test_free_replies_of_this_month_are_counted(db):
    for number, (hours, state) in enumerate([(1, 1), (2, 1), (3, 3), (24 * 40, 1)]):
        Reply.create(
            friend_id=1,
            reply_token=f"token{number}",
            origin="keyword",
            body="{}",
            state=state,
            at=ago(hours=hours),
            tried_at=NOON,
        )
    assert home.free_replies(NOON, TAIPEI) == 2


def test_coupons_of_thirty_days_without_those_taken_back(db):
    coupon = Coupon.create(code="tea", title="紅茶", benefit="gift", created_at=ago(days=60))
    for days in (1, 2, 40):
        journal.record(1, "coupon.issued", object_id=coupon.id, at=ago(days=days))
    for _ in range(2):
        journal.record(1, "coupon.redeemed", object_id=coupon.id, at=ago(days=1))
    journal.record(1, "coupon.undone", object_id=coupon.id, at=ago(days=1))
    assert home.coupon_numbers(NOON) == home.CouponNumbers(issued=2, redeemed=1)


def sequence(name="新好友"):
    return Sequence.create(name=name, enabled=True, created_at=ago(days=9))


def enrol(series, friend_id, next_at, **more):
    return Enrolment.create(
        sequence=series,
        friend_id=friend_id,
        version_id=1,
        base_day=date(2026, 11, 22),
        next_at=next_at,
        entered_at=ago(days=1),
        **more,
    )


def test_what_still_leaves_today(db):
    series = sequence()
    enrol(series, 1, NOON + timedelta(hours=2))
    enrol(series, 2, NOON + timedelta(hours=13))  # tomorrow in Taipei
    enrol(series, 3, NOON + timedelta(hours=2), state="stopped")
    Delivery.create(
        friend_id=1,
        origin_kind=OriginKind.STAFF,
        origin_id=1,
        due_at=ago(minutes=1),
        planned_at=NOON,
    )
    Broadcast.create(
        name="晚上",
        state="scheduled",
        leaves_at=NOON + timedelta(hours=5),
        expected=12,
        created_at=NOON,
    )
    today = home.leaves_today(NOON, TAIPEI)
    assert (today.steps, today.broadcasts, today.queued, today.total) == (1, 12, 1, 14)


def test_what_comes_next_is_told_soonest_first(db):
    series = sequence()
    tomorrow = NOON + timedelta(hours=22)
    for friend_id in range(1, 4):
        enrol(series, friend_id, tomorrow, step=2)
    Broadcast.create(
        name="晚上",
        state="scheduled",
        leaves_at=NOON + timedelta(hours=5),
        expected=12,
        created_at=NOON,
    )
    coming = home.coming(NOON, TAIPEI)
    assert [(one.kind, one.name, one.step, one.people) for one in coming] == [
        ("broadcast", "晚上", 0, 12),
        ("step", "新好友", 3, 3),
    ]
    assert coming[1].at == tomorrow


def test_days_of_the_chart_are_the_shops_days(db):
    journal.record(1, "followed", at=NOON)
    journal.record(2, "unblocked", at=ago(hours=11, minutes=59))
    journal.record(3, "followed", at=ago(hours=12, minutes=1))  # yesterday in Taipei
    journal.record(3, "blocked", at=ago(days=6))
    journal.record(4, "followed", at=ago(days=8))
    days = home.friend_days(NOON, TAIPEI, 7)
    assert [day.day for day in days] == [date(2026, 11, 17 + number) for number in range(7)]
    assert [day.followed for day in days] == [0, 0, 0, 0, 0, 1, 2]
    assert [day.blocked for day in days] == [1, 0, 0, 0, 0, 0, 0]


def test_a_zone_half_an_hour_off_keeps_its_days(db):
    journal.record(1, "followed", at=NOON.replace(hour=18, minute=29))
    journal.record(1, "followed", at=NOON.replace(hour=18, minute=31))
    zone = ZoneInfo("Asia/Kolkata")
    days = home.friend_days(NOON + timedelta(days=1), zone, 2)
    assert [day.followed for day in days] == [1, 1]


def test_the_numbers_are_read_from_indexes(db, monkeypatch):
    if not isinstance(db, SqliteDatabase):
        pytest.skip("SQLite's planner is asked; PostgreSQL has the same indexes")
    plans = []
    execute = type(db).execute_sql

    def explained(self, sql, params=None, *rest):
        if sql.startswith("SELECT"):
            rows = execute(self, f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
            plans.extend((row[3], sql) for row in rows)
        return execute(self, sql, params, *rest)

    monkeypatch.setattr(type(db), "execute_sql", explained)
    home.friend_numbers(NOON)
    home.leaves_today(NOON, TAIPEI)
    home.friend_days(NOON, TAIPEI, 90)
    home.coming(NOON, TAIPEI)
    big = ("friend", "fact", "delivery", "enrolment")
    scans = [
        (plan, sql)
        for plan, sql in plans
        if plan.startswith("SCAN") and plan.split()[1] in ("t1", *big) and "INDEX" not in plan
    ]
    scans = [(plan, sql) for plan, sql in scans if any(f'"{name}"' in sql for name in big)]
    assert scans == []
    assert Fact.select().count() == 0
    assert database.db.obj is db
