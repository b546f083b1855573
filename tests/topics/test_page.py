"""The preference centre: switches that work without a script, for her alone."""

from __future__ import annotations

import re

import pytest

from lineadmin import clock as shop_clock
from lineadmin.friends.models import Friend
from lineadmin.members.links import page_path, token_for
from lineadmin.topics import actions, consent
from lineadmin.topics.models import Consent
from tests.factories import make_friend
from tests.topics.making import make_topic, wish


@pytest.fixture
def hana(app, clock):
    make_topic(description="每週一早上的菜單", life_months=6)
    make_topic("新品快訊", code="news", frequency="monthly")
    return make_friend("小花")


def page(client, friend, **headers):
    return client.get(page_path(friend.id, "topics"), headers=headers)


def switches(answer):
    """{label: on} of every switch on the page."""
    found = re.findall(r'aria-checked="(true|false)" aria-label="([^"]+)"', answer.text)
    return {label: on == "true" for on, label in found}


def flip(client, answer, label):
    """Press a switch as a browser without JavaScript does."""
    for form in re.findall(r"<form.*?</form>", answer.text, flags=re.S):
        if f'aria-label="{label}"' in form:
            url = re.search(r'action="([^"]+)"', form)[1]
            value = re.search(r'name="on" value="([01])"', form)[1]
            return client.post(url, data={"on": value})
    raise LookupError(label)


def test_switches_subscribe_and_stop_without_a_script(client, hana):
    shown = page(client, hana)
    assert len(shown.data) < 60_000
    assert "<script" not in shown.text
    for words in ("每週一早上的菜單", "最多每週一次", "最多每月一次"):
        assert words in shown.text
    assert switches(shown) == {"每週菜單": False, "新品快訊": False, "我們的通知": True}
    answer = flip(client, shown, "每週菜單")
    assert (answer.status_code, answer.location) == (303, page_path(hana.id, "topics"))
    flip(client, shown, "每週菜單")  # pressed twice
    shown = page(client, hana)
    assert switches(shown)["每週菜單"] is True
    assert "2027/05/23" in shown.text
    assert "1 個訂閱" in client.get(page_path(hana.id)).text
    flip(client, shown, "每週菜單")
    assert switches(page(client, hana))["每週菜單"] is False
    lines = [(line.change, line.place) for line in Consent.select().order_by(Consent.id)]
    assert lines == [("subscribed", "page"), ("stopped", "page")]


def test_one_switch_stops_everything_and_keeps_the_subscriptions(client, hana):
    flip(client, page(client, hana), "每週菜單")
    flip(client, page(client, hana), "我們的通知")
    shown = page(client, hana)
    assert switches(shown) == {"每週菜單": True, "新品快訊": False, "我們的通知": False}
    assert "停止所有通知" in shown.text
    assert Friend.get_by_id(hana.id).opted_out_by == "friend"
    flip(client, shown, "我們的通知")
    assert Friend.get_by_id(hana.id).opted_out_at is None


def test_a_forged_token_switches_nothing(client, hana):
    taro = make_friend("太郎")
    token = token_for(hana.id)
    forged = token.replace(f"{hana.id}-", f"{taro.id}-", 1)
    for url in (f"/me/{forged}/topics/of/weekly", f"/me/{forged}/topics/all"):
        assert client.post(url, data={"on": "1"}).status_code == 404
    assert client.get(f"/me/{forged}/topics").status_code == 404
    for url in (f"/me/{token}/topics/of/gone", f"/me/{token}/topics/of/weekly/x"):
        assert client.post(url, data={"on": "1"}).status_code == 404
    assert client.post(f"/me/{token}/topics/of/weekly", data={}).status_code == 400
    assert client.get(f"/me/{token}/topics/of/weekly").status_code in (404, 405)
    assert Consent.select().count() == 0


def test_an_archived_topic_is_not_offered_and_an_old_page_cannot_subscribe_to_it(client, hana):
    shown = page(client, hana)
    topic = actions.get(1)
    consent.subscribe(actions.get(2), hana.id, wish())
    actions.archive(topic.id, staff=None, now=shop_clock.now(), wall=shop_clock.wall())
    flip(client, shown, "每週菜單")
    assert "每週菜單" not in switches(page(client, hana))
    assert Consent.select().where(Consent.topic == topic.id).count() == 0


def test_it_speaks_the_language_of_the_phone(client, hana):
    for said, words in (("ja-JP", "多くて週1回"), ("en-GB", "At most once a week")):
        assert words in page(client, hana, **{"Accept-Language": said}).text
