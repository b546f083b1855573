"""Broadcasts to a topic: subscribers only, a stop wins, and no oftener than agreed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin.broadcasts import topic as topic_sending
from lineadmin.broadcasts.ledger import ledger
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.reports import why
from lineadmin.shopfile.dump import as_data, dump
from lineadmin.shopfile.errors import ShopFileError
from lineadmin.shopfile.load import load
from lineadmin.staff.models import Audit
from lineadmin.tasks.tick import tick
from lineadmin.topics import actions, consent
from lineadmin.topics.models import Consent
from tests.broadcasts import stage
from tests.conftest import NOON
from tests.factories import make_friend, make_staff
from tests.inbox.conftest import inbox, shop  # noqa: F401 - fixtures
from tests.topics.making import YES, make_topic, wish

WEEKLY = topic_sending.subscribers_of("weekly")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def people(db):
    """Hana subscribes, taro stopped, ming's consent runs out in an hour, popo was never asked."""
    menu = make_topic(life_months=1)
    names = {name: make_friend(name) for name in ("hana", "taro", "ming", "popo", "mute")}
    for name in ("hana", "taro", "mute"):
        consent.subscribe(menu, names[name].id, wish())
    month_ago = NOON - timedelta(days=31)
    consent.subscribe(menu, names["ming"].id, wish(at=month_ago + timedelta(hours=1)))
    consent.stop(menu, names["taro"].id, wish())
    Friend.update(opted_out_at=NOON).where(Friend.id == names["mute"].id).execute()
    return names


def told(row, people):
    names = {friend.id: name for name, friend in people.items()}
    return {names[friend]: what for friend, what in stage.outcomes(row).items()}


def test_the_sum_and_the_plan_leave_out_who_does_not_agree(people):
    found = ledger(WEEKLY, now=NOON, at=NOON + timedelta(hours=2))
    assert (found.matches, found.opted_out, found.no_consent, found.will_send) == (4, 1, 2, 1)
    row = stage.confirmed(WEEKLY, at=NOON + timedelta(hours=2))
    assert (row.expected, row.told["no_consent"]) == (1, 2)
    stage.tick(NOON + timedelta(hours=2))
    assert told(row, people) == {
        "hana": "QUEUED",
        "taro": "no_consent",
        "ming": "no_consent",
        "mute": "opted_out",
    }
    assert "沒有訂閱" in why.about(people["taro"], row, now=NOON)
    assert "訂閱過「每週菜單」" in why.about(people["popo"], Broadcast.get(), now=NOON)


def test_more_conditions_narrow_it_and_consent_still_counts(people):
    row = stage.confirmed({"all": [WEEKLY, {"field": "gender", "op": "unknown"}]})
    stage.tick(NOON + 6 * MINUTE)
    assert told(row, people)["taro"] == "no_consent"
    assert topic_sending.topic_of(row.audience).code == "weekly"
    assert topic_sending.topic_of({"not": WEEKLY}) is None


def test_a_tap_subscribes_a_broadcast_reaches_her_and_a_stop_before_it_leaves_wins(shop, clock):  # noqa: F811
    make_topic()
    shop.greet({"topic": "weekly"})
    users = [shop.phone(name, status="stranger") for name in ("小花", "太郎", "小明")]
    for user in users:
        shop.line.follow(user)
    shop.settle()
    hana, taro, _ming = users
    for user in (hana, taro):
        shop.line.tap(user, YES)
    shop.settle()
    row = stage.confirmed(WEEKLY, parts=[{"text": "本週菜單"}])
    assert row.expected == 2
    now = clock.set(row.leaves_at)
    stage.tick(now)  # planned, nothing has left
    assert Delivery.select().where(Delivery.state == 0).count() == 2
    shop.line.text(taro, "停止訂閱 每週菜單")
    shop.settle()
    tick(shop_clock.now(), shop_clock.wall(), gateway=shop.gateway)
    got = {
        user: shop.line.texts(user, "push") + shop.line.texts(user, "multicast") for user in users
    }
    assert [got[user] for user in users] == [["本週菜單"], [], []]
    stopped = Friend.get(Friend.line_user_id == taro)
    delivery = Delivery.get(
        Delivery.friend_id == stopped.id, Delivery.origin_kind == int(OriginKind.BROADCAST)
    )
    assert delivery.reason == "no_consent"
    assert [line.change for line in Consent.select().order_by(Consent.id)][-1] == "stopped"


@pytest.mark.parametrize(
    ("frequency", "soon", "fine"),
    [
        ("daily", timedelta(hours=22), timedelta(hours=24)),
        ("weekly", timedelta(days=6, hours=22), timedelta(days=7)),
        ("monthly", timedelta(days=27), timedelta(days=28)),
    ],
)
def test_a_second_sending_too_soon_is_refused_before_and_after(db, frequency, soon, fine):
    menu = make_topic(frequency=frequency)
    consent.subscribe(menu, make_friend().id, wish())
    at = NOON + 60 * DAY
    stage.confirmed(WEEKLY, at=at, name="第一次")
    for when in (at + soon, at - soon):
        with pytest.raises(DomainError, match="第一次") as refused:
            stage.confirmed(WEEKLY, at=when)
        assert refused.value.field == "frequency_override"
    for when in (at + fine, at - fine):
        assert stage.confirmed(WEEKLY, at=when).state == "scheduled"


def test_a_reason_lets_it_leave_sooner_and_goes_to_the_audit_log(people):
    stage.confirmed(WEEKLY, name="第一次")
    staff = make_staff("manager")
    second = stage.draft(WEEKLY, at=NOON + DAY)
    with pytest.raises(DomainError):
        stage.confirm(second, frequency_override="  ")
    row = stage.confirm(second, frequency_override="颱風停業", staff=staff)
    assert row.frequency_override == "颱風停業"
    [line] = Audit.select().where(Audit.action == "broadcast.override_frequency")
    assert (line.after, line.staff_id) == ({"reason": "颱風停業"}, staff.id)
    assert stage.cancel(row).frequency_override == ""


def test_another_topic_a_draft_and_one_taken_back_do_not_count(people):
    news = make_topic("新品快訊", code="news")
    consent.subscribe(news, people["hana"].id, wish())
    stage.draft(WEEKLY)
    stage.cancel(stage.confirmed(WEEKLY))
    stage.confirmed(topic_sending.subscribers_of("news"))
    assert stage.confirmed(WEEKLY).state == "scheduled"


def test_nothing_is_sent_to_an_archived_topic(people):
    row = stage.draft(WEEKLY)
    actions.archive(topic_sending.topic_of(WEEKLY).id, staff=None, now=NOON, wall=NOON)
    with pytest.raises(DomainError, match="封存"):
        stage.confirm(row)


# The shop file ------------------------------------------------------------------------------

FILE = """
version: 1
tags: [{name: 要菜單, kind: static}]
topics:
  - {code: weekly, name: 每週菜單, description: 每週一早上的菜單, frequency: weekly,
     wording: 我同意收到每週菜單。, life_months: 12, tag: 要菜單}
  - {code: news, name: 新品快訊, frequency: monthly}
segments:
  - {name: 訂菜單的, where: {field: "topic:weekly", op: is, value: subscribed}}
broadcasts:
  - {name: 本週菜單, to: {topic: weekly}, at: "2026-11-30T10:00:00+08:00",
     messages: [{text: 菜單}, {topic: news}]}
  - {name: 加開, to: {topic: weekly}, at: "2026-12-01T10:00:00+08:00", messages: [{text: 加開}],
     frequency_override: 聖誕便當開訂}
"""


def loaded(text):
    return load(text, staff=None, now=NOON, wall=NOON)


def test_the_shop_file_holds_topics_and_what_is_sent_to_them(db):
    loaded(FILE)
    assert loaded(FILE).lines()[-1].startswith("0 new, 0 changed")
    about = {section for section, _name in loaded(dump()).changed}
    assert about <= {"greeting"}  # which this file never set
    data = as_data()
    assert data["topics"][1]["life_months"] == 12
    assert [row["to"] for row in data["broadcasts"]] == [{"topic": "weekly"}] * 2
    assert data["broadcasts"][1]["frequency_override"] == "聖誕便當開訂"


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        (
            'to: {topic: weekly}, at: "2026-11',
            'to: {topic: gone}, at: "2026-11',
            ("broadcasts", 0, "to"),
        ),
        ("frequency: monthly", "frequency: hourly", ("topics", 1, "frequency")),
        ("{topic: news}", "{topic: gone}", ("broadcasts", 0, "messages", 1)),
        ("tag: 要菜單", "tag: 沒有", ("topics", 0, "tag")),
        ("frequency_override: 聖誕便當開訂", "holdout_percent: 0", ("broadcasts", 1)),
    ],
)
def test_a_mistake_about_topics_names_its_place_and_changes_nothing(db, before, after, path):
    from lineadmin.shopfile.errors import ShopFileErrors

    assert before in FILE
    with pytest.raises((ShopFileError, ShopFileErrors)) as refused:
        loaded(FILE.replace(before, after, 1))
    errors = getattr(refused.value, "errors", None) or [refused.value]
    assert tuple(errors[0].path[: len(path)]) == path
    assert Broadcast.select().count() == 0
