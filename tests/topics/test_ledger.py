"""The ledger of consent: what is written, and that it amounts to the state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import FriendTag, Tag
from lineadmin.friends.tags import create_tag
from lineadmin.segments import where
from lineadmin.staff.models import Audit
from lineadmin.topics import actions, consent, queries
from lineadmin.topics.models import Consent, Subscription, Topic, TopicWording
from lineadmin.topics.plan import Plan
from lineadmin.topics.states import NONE, STOPPED, SUBSCRIBED, ends_after, state_after
from tests.conftest import NOON
from tests.factories import make_friend, make_staff
from tests.segments.shop import TAIPEI
from tests.topics.making import make_topic, wish


@pytest.fixture
def hana(db):
    return make_friend("小花")


def lines(friend):
    rows = Consent.select().where(Consent.friend_id == friend.id).order_by(Consent.id)
    return [(row.change, row.place) for row in rows]


def test_agreeing_and_stopping_each_write_one_line_however_often_they_come(hana):
    topic = make_topic()
    assert consent.subscribe(topic, hana.id, wish("card")) == "subscribed"
    assert consent.subscribe(topic, hana.id, wish("card")) == ""
    assert consent.stop(topic, hana.id, wish()) is True
    assert consent.stop(topic, hana.id, wish()) is False
    assert lines(hana) == [("subscribed", "card"), ("stopped", "page")]
    assert queries.of_friend(hana.id, NOON)[0].state == STOPPED


def test_stopping_what_she_never_agreed_to_is_no_line(hana):
    assert consent.stop(make_topic(), hana.id, wish()) is False
    assert lines(hana) == []


def test_a_wish_that_comes_late_does_not_undo_a_newer_one(hana):
    topic = make_topic()
    consent.subscribe(topic, hana.id, wish())
    consent.stop(topic, hana.id, wish(wished_at=NOON + timedelta(minutes=2)))
    late = wish(wished_at=NOON + timedelta(minutes=1))
    assert consent.subscribe(topic, hana.id, late) == ""
    assert queries.of_friend(hana.id, NOON)[0].state == STOPPED


def test_a_consent_with_a_life_runs_out_and_is_renewed_near_its_end(hana):
    topic = make_topic(life_months=3)
    consent.subscribe(topic, hana.id, wish("card"))
    until = Consent.get().until
    assert until.astimezone(TAIPEI).isoformat() == "2027-02-23T12:00:00+08:00"
    assert consent.subscribe(topic, hana.id, wish(at=NOON + timedelta(days=30))) == ""
    assert consent.subscribe(topic, hana.id, wish(at=until - timedelta(days=1))) == "renewed"
    longer = Subscription.get().until
    assert not consent.is_due(longer - timedelta(seconds=1))
    assert consent.next_moment(NOON) == longer
    # Over is over, before anybody wrote it down.
    assert queries.of_friend(hana.id, longer)[0].state == STOPPED
    assert consent.is_due(longer)
    assert consent.expire(longer + timedelta(days=2)) == 1
    assert consent.expire(longer + timedelta(days=2)) == 0
    assert lines(hana)[-1] == ("expired", "time")
    assert Consent.select().order_by(Consent.id.desc()).first().at == longer


def test_the_end_of_a_month_is_the_last_day_where_the_same_day_is_missing():
    last = datetime(2027, 8, 31, 12, tzinfo=UTC)
    assert ends_after(6, last) == datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert ends_after(4, last) == datetime(2027, 12, 31, 12, tzinfo=UTC)
    assert ends_after(None, last) is None


def test_the_tag_follows_the_subscription(hana):
    tag = create_tag("要菜單", staff=None, now=NOON, wall=NOON)
    topic = make_topic(tag="要菜單", life_months=1)
    tagged = FriendTag.select().where(FriendTag.tag == tag.id)
    consent.subscribe(topic, hana.id, wish())
    assert tagged.count() == 1
    consent.stop(topic, hana.id, wish())
    assert tagged.count() == 0
    consent.subscribe(topic, hana.id, wish())
    consent.expire(NOON + timedelta(days=40))
    assert tagged.count() == 0


def test_a_tag_given_later_is_put_on_who_subscribes_and_deleting_it_leaves_the_topic(hana):
    topic = make_topic()
    consent.subscribe(topic, hana.id, wish())
    make_friend()
    create_tag("要菜單", staff=None, now=NOON, wall=NOON)
    plan = replace(Plan.of(topic), tag="要菜單")
    actions.edit(topic.id, plan, version=1, staff=None, now=NOON, wall=NOON)
    assert [row.friend_id for row in FriendTag.select()] == [hana.id]
    Tag.delete().execute()
    assert Topic.get().tag_id is None


def test_another_wording_is_a_new_version_and_asks_anew(hana):
    topic = make_topic(wording="我同意。")
    consent.subscribe(topic, hana.id, wish())
    plan = replace(Plan.of(topic), wording="我同意收到菜單。")
    topic = actions.edit(topic.id, plan, version=1, staff=None, now=NOON, wall=NOON)
    assert topic.wording_version == 2
    assert [row.text for row in TopicWording.select()] == ["我同意。", "我同意收到菜單。"]
    assert consent.subscribe(topic, hana.id, wish(), wording=1) == ""
    assert consent.subscribe(topic, hana.id, wish()) == "renewed"
    assert [row.wording_version for row in Consent.select().order_by(Consent.id)] == [1, 2]


def test_staff_who_change_it_for_her_say_why_and_are_on_record(hana):
    staff = make_staff("manager")
    why = wish("staff", staff=staff, reason="店裡口頭說的")
    consent.subscribe(make_topic(), hana.id, why)
    assert Consent.get().reason == "店裡口頭說的"
    [line] = Audit.select().where(Audit.action == "friend.subscribe")
    assert (line.staff_id, line.reason) == (staff.id, "店裡口頭說的")


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan(name=" "), "name"),
        (Plan(name="長" * 21), "name"),
        (Plan(name="每週菜單"), "name"),
        (Plan(name="新品", code="weekly"), "code"),
        (Plan(name="新品", code="Weekly Menu"), "code"),
        (Plan(name="新品", frequency="hourly"), "frequency"),
        (Plan(name="新品", life_months=0), "life_months"),
        (Plan(name="新品", tag="沒有"), "tag"),
        (Plan(name="新品", wording="字" * 301), "wording"),
    ],
)
def test_what_cannot_be_a_topic_is_refused_by_its_field(db, plan, field):
    make_topic()
    with pytest.raises(DomainError) as refused:
        actions.create(plan, staff=None, now=NOON, wall=NOON)
    assert refused.value.field == field
    assert Topic.select().count() == 1


def test_two_who_edit_at_once_do_not_overwrite_each_other(db):
    topic = make_topic()
    plan = Plan.of(topic)
    actions.edit(topic.id, replace(plan, name="菜單"), version=1, staff=None, now=NOON, wall=NOON)
    with pytest.raises(Conflict):
        actions.edit(
            topic.id, replace(plan, name="月報"), version=1, staff=None, now=NOON, wall=NOON
        )


# The property --------------------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.sampled_from(("subscribe", "stop", "expire")),
        st.integers(0, 1),  # whose
        st.integers(0, 1),  # which topic
        st.integers(0, 40),  # days that pass first
        st.integers(-2, 0),  # days the wish comes late
    ),
    max_size=12,
)


@settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES)
def test_replaying_the_ledger_gives_the_state(hana, moves):
    friends = [hana.id, make_friend().id]
    Consent.delete().execute()
    Subscription.delete().execute()
    known = list(Topic.select().order_by(Topic.id))
    topics = known or [make_topic(life_months=1), make_topic("新品快訊", code="news")]
    now = NOON
    for move, whose, which, days, late in moves:
        now += timedelta(days=days)
        wished = wish(at=now, wished_at=now + timedelta(days=late))
        if move == "subscribe":
            consent.subscribe(topics[which], friends[whose], wished)
        elif move == "stop":
            consent.stop(topics[which], friends[whose], wished)
        else:
            consent.expire(now)
    for topic in topics:
        for friend_id in friends:
            mine = (Consent.topic == topic.id) & (Consent.friend_id == friend_id)
            entries = list(Consent.select().where(mine).order_by(Consent.id))
            for moment in (now, now + timedelta(days=45)):
                wanted = state_after(entries, moment)
                told = {one.topic.id: one.state for one in queries.of_friend(friend_id, moment)}
                assert told[topic.id] == wanted
                found = queries.subscribers([topic.id], moment)[topic.id]
                if wanted == SUBSCRIBED:
                    assert found >= 1
            stored = Subscription.get_or_none(
                Subscription.topic == topic.id, Subscription.friend_id == friend_id
            )
            assert (stored is None) == (state_after(entries, now) == NONE)
            if stored is not None and entries[-1].change in ("subscribed", "renewed"):
                assert (stored.state, stored.until) == ("subscribed", entries[-1].until)


def test_a_condition_of_many_friends_uses_the_index(db):
    from lineadmin.db import db as database
    from lineadmin.db import is_postgres

    topic = make_topic()
    if is_postgres():
        return
    tree = {"field": f"topic:{topic.code}", "op": "is", "value": "subscribed"}
    from lineadmin.friends.models import Friend

    query = Friend.select(Friend.id).where(where(tree, now=NOON, zone=TAIPEI, per_friend=True))
    sql, values = query.sql()
    told = " ".join(str(row) for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values))
    assert "subscription_friend_id_topic_id" in told
