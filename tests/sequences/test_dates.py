"""Sequences that follow a friend's own date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from lineadmin import config as configuration
from lineadmin import journal
from lineadmin.db import is_postgres
from lineadmin.friends import fields
from lineadmin.friends.models import Field, Friend, FriendField
from lineadmin.outbox.models import Delivery
from lineadmin.sequences import actions, dates
from lineadmin.sequences.models import Enrolment, Sequence
from tests.factories import make_friend, make_friends
from tests.sequences.playing import phone, play, texts_on
from tests.sequences.rehearsing import rehearse, told
from tests.sequences.stage import at, planned, publish, run_of, step, tick

MONDAY = at("2026-11-23")
BIRTHDAY = {"date": {"field": "birthday", "offset_days": -8}}
PARTY = {"date": {"field": "party", "offset_days": -8}}
# Seven days before, on the day, three days after
AROUND = (step(1, "10:00"), step(7, "10:00"), step(3, "10:00"))


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one, and a date field of the shop's own."""
    Field.create(key="party", name="訂位日", type="date")


def set_party(friend: Friend, day: str, now: datetime) -> None:
    """What every way of changing a field leaves behind: the value, and a fact."""
    value = fields.parse_value(Field.get(), day)
    fields.save_value(friend.id, Field.get(), value, origin="staff", at=now)
    journal.record(friend.id, "attribute.set", value={"by": "staff"}, at=now)


def days(*moments: str) -> None:
    for moment in moments:
        tick(at(moment))


def test_a_week_before_on_the_day_and_three_days_after() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-11-23", "2026-12-11")
    assert planned(hana) == []
    days("2026-12-12", "2026-12-13", "2026-12-20", "2026-12-23")
    assert planned(hana) == [
        (1, "12-13 10:00", ""),
        (2, "12-20 10:00", ""),
        (3, "12-23 10:00", ""),
    ]
    assert run_of(hana).state == "finished"


def test_when_the_date_moves_the_rest_moves_and_nothing_comes_twice() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-12-12", "2026-12-13")
    set_party(hana, "2026-12-25", at("2026-12-14"))
    days("2026-12-14", "2026-12-17", "2026-12-18", "2026-12-20", "2026-12-25", "2026-12-28")
    assert planned(hana) == [
        (1, "12-13 10:00", ""),
        (2, "12-25 10:00", ""),
        (3, "12-28 10:00", ""),
    ]
    assert Enrolment.select().count() == 1


def test_a_date_that_moves_nearer_passes_over_what_would_be_behind() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-12-12", "2026-12-13")
    set_party(hana, "2026-12-14", at("2026-12-15"))
    days("2026-12-15", "2026-12-17")
    assert planned(hana) == [(1, "12-13 10:00", ""), (3, "12-17 10:00", "")]


def test_a_date_that_is_taken_away_ends_it() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-12-12")
    set_party(hana, "", at("2026-12-12", "15:00"))
    days("2026-12-13", "2026-12-20")
    assert planned(hana) == []
    assert run_of(hana).reason == "date_gone"


def test_a_date_that_becomes_known_late_starts_with_what_is_ahead() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana, taro = make_friend(), make_friend()
    set_party(hana, "2026-11-26", MONDAY)
    set_party(taro, "2026-11-01", MONDAY)
    days("2026-11-23", "2026-11-26", "2026-11-29")
    assert planned(hana) == [(2, "11-26 10:00", ""), (3, "11-29 10:00", "")]
    assert planned(taro) == []


def test_a_later_date_is_a_new_occasion_and_an_earlier_one_is_not() -> None:
    publish(step(1), trigger={"date": {"field": "party", "offset_days": 0}}, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-11-23", MONDAY)
    days("2026-11-23", "2026-11-24")
    set_party(hana, "2026-11-22", at("2026-11-25"))
    days("2026-11-25", "2026-11-26")
    assert len(planned(hana)) == 1
    set_party(hana, "2026-12-01", at("2026-11-26"))
    days("2026-11-26", "2026-12-01", "2026-12-02")
    assert planned(hana) == [(1, "11-24 10:00", ""), (1, "12-02 10:00", "")]
    assert [row.run for row in Enrolment.select().order_by(Enrolment.run)] == [1, 2]


def test_birthdays_come_every_year_on_every_phone(line: Any, line_config: Any) -> None:
    configuration.use(line_config)
    publish(
        step(1, "10:00", messages=[{"text": "{name}，生日快樂"}]),
        trigger={"date": {"field": "birthday", "offset_days": -1}},
        now=MONDAY,
    )
    hana = phone(line, "花", birthday="12-01")
    leap = phone(line, "閏", birthday="02-29")
    for day in ("2026-11-29", "2027-02-26", "2027-11-29", "2028-02-27"):
        play(at(day), at(day) + timedelta(days=4))
    assert texts_on(line, hana) == ["花，生日快樂"] * 2
    due = [
        row.due_at
        for row in Delivery.select().where(Delivery.friend_id == leap.id).order_by(Delivery.due_at)
    ]
    assert [f"{moment:%Y-%m-%d}" for moment in due] == ["2027-02-28", "2028-02-29"]


def test_a_birthday_early_in_january_is_reminded_of_in_december() -> None:
    publish(*AROUND, trigger=BIRTHDAY, now=MONDAY)
    hana = make_friend(birthday="01-03")
    days("2026-12-25", "2026-12-26", "2026-12-27", "2027-01-03", "2027-01-06")
    assert [line[1] for line in planned(hana)] == ["12-27 10:00", "01-03 10:00", "01-06 10:00"]


def test_days_without_a_server_are_made_up_for() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-11-23", "2026-12-15", "2026-12-20")
    # The first one's day passed while the server was down.
    assert planned(hana) == [(2, "12-20 10:00", "")]


def test_days_on_which_it_was_switched_off_are_not() -> None:
    sequence = publish(*AROUND, trigger=PARTY, now=MONDAY)
    hana = make_friend()
    set_party(hana, "2026-12-20", MONDAY)
    days("2026-11-23")
    actions.disable(sequence.id, staff=None, wall=MONDAY)
    days("2026-12-12")
    actions.enable(sequence.id, staff=None, wall=MONDAY, now=at("2026-12-13", "08:00"))
    days("2026-12-13", "2026-12-20")
    assert planned(hana) == []


def test_blocked_friends_and_days_outside_the_period_start_nobody() -> None:
    publish(*AROUND, trigger=PARTY, now=MONDAY, settings={"period_until": at("2026-12-11").date()})
    hana = make_friend(status="blocked")
    taro = make_friend()
    set_party(hana, "2026-12-18", MONDAY)
    set_party(taro, "2026-12-20", MONDAY)
    days("2026-11-23", "2026-12-10", "2026-12-12", "2026-12-13")
    assert not Enrolment.select().exists()


def test_a_dry_run_goes_to_her_next_date() -> None:
    sequence = publish(*AROUND, trigger=BIRTHDAY, now=MONDAY)
    hana = make_friend(birthday="05-10")
    outlook = rehearse(sequence, hana, now=MONDAY)
    assert [line[1] for line in told(outlook)] == ["05-03 10:00", "05-10 10:00", "05-13 10:00"]
    assert rehearse(sequence, make_friend(), now=MONDAY).refused == "no_date"


def test_thousands_on_one_day_start_in_chunks_each_once() -> None:
    sequence = publish(step(1), trigger=PARTY, now=MONDAY)
    ids = make_friends(6_000)
    field = Field.get()
    for start in range(0, 6_000, 1_000):
        FriendField.insert_many(
            [
                {"friend": one, "field": field.id, "text": "2026-12-01", "at": MONDAY}
                for one in ids[start : start + 1_000]
            ]
        ).execute()
    assert dates.advance_chunk(sequence.id, MONDAY) == 5_000
    assert dates.advance(MONDAY) == 1_000
    assert dates.advance(MONDAY) == 0
    assert Enrolment.select().count() == 6_000
    assert Sequence.get_by_id(sequence.id).dated_until == MONDAY.date()


def test_a_day_is_found_by_the_index_on_its_dates(db: Any) -> None:
    make_friends(2_000)
    Friend.update(birthday="03-03").where(Friend.id < 20).execute()
    db.execute_sql("ANALYZE")
    asked: list[Any] = []
    original = db.execute_sql

    def noted(sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        asked.append((sql, params))
        return original(sql, params, *args, **kwargs)

    sequence = publish(step(1), trigger=BIRTHDAY, now=MONDAY)
    db.execute_sql = noted
    dates.advance_chunk(sequence.id, MONDAY)
    db.execute_sql = original
    [found] = [call for call in asked if '"birthday" IN' in call[0]]
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    plan = "\n".join(str(row[-1]) for row in db.execute_sql(explain + found[0], found[1]))
    assert "friend_birthday" in plan
