"""Asking for consent in the chat: the card, its buttons, and the same in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin.friends.models import Friend
from lineadmin.topics import actions, queries
from lineadmin.topics.models import Consent, Topic, TopicAsk
from tests.inbox.conftest import inbox, shop  # noqa: F401 - fixtures
from tests.topics.making import NO, YES, make_topic


@pytest.fixture
def asked(shop, clock):  # noqa: F811
    """Somebody who has just been greeted with the card."""
    make_topic(description="每週一早上的菜單", life_months=12)
    shop.greet({"topic": "weekly"})
    user = shop.phone(status="stranger")
    shop.line.follow(user)
    shop.settle()
    return user


def lines():
    rows = Consent.select().order_by(Consent.id)
    return [(row.change, row.place, row.origin, row.origin_id) for row in rows]


def told(shop, user):  # noqa: F811
    return shop.line.messages(user, "reply")[-1]["text"]


def test_the_card_says_what_how_often_and_how_to_stop(shop, asked):  # noqa: F811
    [card] = shop.line.messages(asked)
    for words in ("每週菜單", "每週一早上的菜單", "最多每週一次", "停止訂閱", YES, NO):
        assert words in str(card)


def test_a_tap_on_yes_is_a_line_of_the_ledger_with_its_place_and_a_free_answer(shop, asked):  # noqa: F811
    shop.line.tap(asked, YES)
    shop.settle()
    assert lines() == [("subscribed", "card", "greeting", 0)]
    assert Consent.get().until is not None
    assert "已訂閱「每週菜單」" in told(shop, asked)
    assert "停止訂閱 每週菜單" in told(shop, asked)
    assert shop.line.messages(asked, "push") == []
    [place] = TopicAsk.select()
    assert (place.origin, place.topic_id) == ("greeting", Topic.get().id)


def test_two_taps_and_a_redelivered_one_are_one_line(shop, asked):  # noqa: F811
    shop.line.tap(asked, YES)
    shop.line.tap(asked, YES)
    shop.settle()
    shop.line.redeliver(last=2)
    shop.settle()
    assert lines() == [("subscribed", "card", "greeting", 0)]
    assert "已經訂閱" in told(shop, asked)


def test_a_tap_on_no_is_no_line_and_afterwards_it_stops(shop, asked):  # noqa: F811
    shop.line.tap(asked, NO)
    shop.settle()
    assert lines() == []
    assert "不會傳送「每週菜單」" in told(shop, asked)
    shop.line.text(asked, "訂閱 每週菜單")
    shop.settle()
    shop.line.tap(asked, "停止訂閱")
    shop.settle()
    assert [line[:2] for line in lines()] == [("subscribed", "keyword"), ("stopped", "card")]
    assert "不再傳送「每週菜單」" in told(shop, asked)


def test_words_subscribe_and_stop_and_others_are_left_to_the_keywords(shop, asked):  # noqa: F811
    shop.rule("訂閱", says="要訂閱什麼呢？")
    for words in ("訂閱每週菜單", "停止訂閱「每週菜單」", "subscribe 每週菜單", "訂閱"):
        shop.line.text(asked, words)
        shop.settle()
    assert [line[0] for line in lines()] == ["subscribed", "stopped", "subscribed"]
    assert told(shop, asked) == "要訂閱什麼呢？"


def test_who_stopped_all_notifications_is_told_that_they_stay_stopped(shop, asked):  # noqa: F811
    shop.line.text(asked, "不再通知")
    shop.settle()
    shop.line.tap(asked, YES)
    shop.settle()
    assert lines()[0][0] == "subscribed"
    assert "不再通知" in told(shop, asked)
    assert Friend.get().opted_out_at is not None
    shop.line.tap(asked, "恢復通知")
    shop.settle()
    assert Friend.get().opted_out_at is None


def test_an_archived_topic_is_not_subscribed_to_but_can_be_stopped(shop, asked):  # noqa: F811
    shop.line.tap(asked, YES)
    shop.settle()
    now = shop_clock.now()
    actions.archive(Topic.get().id, staff=None, now=now, wall=shop_clock.wall())
    shop.line.tap(asked, NO)
    shop.line.tap(asked, YES)
    shop.settle()
    assert [line[0] for line in lines()] == ["subscribed", "stopped"]
    shop.line.follow(shop.phone("小明", status="stranger"))
    shop.settle()
    assert TopicAsk.select().count() == 1


def test_a_made_up_button_changes_nothing(shop, asked):  # noqa: F811
    from tests.inbox.conftest import event

    for data in ("topic:gone:yes", "topic:weekly:maybe", "topic:", "topic:weekly:yes:1:card"):
        shop.take(event("postback", asked, postback={"data": data}))
    assert lines() == []
    shop.take(event("postback", asked, postback={"data": "topic:weekly:yes:99:step.4.2"}))
    assert (lines(), Consent.get().wording_version) == ([("subscribed", "card", "step", 4)], 1)


def test_an_english_friend_is_asked_and_answered_in_english(shop, clock):  # noqa: F811
    make_topic("Menu")
    user = shop.phone(status="stranger", language="en")
    shop.line.follow(user)
    shop.line.text(user, "Subscribe Menu")
    shop.settle()
    Friend.update(language="en").execute()
    shop.line.text(user, "Unsubscribe Menu")
    shop.settle()
    assert told(shop, user) == "Understood: you get no more of “Menu”."
    assert queries.of_friend(Friend.get().id, clock() + timedelta(days=1))[0].on is False
