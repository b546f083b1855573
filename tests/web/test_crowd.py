"""A crowd at the door: the real processes, thousands of new friends, events twice and shuffled."""

from __future__ import annotations

import json
import random
import time

import pytest
import urllib3

from bench import load
from lineadmin import db as database
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.journal.models import Fact
from lineadmin.replies import greeting
from lineadmin.replies.models import ReplyRule
from lineadmin.settings.models import Setting
from tests.conftest import empty_database
from tests.served import serve

pytestmark = pytest.mark.slow

EVENTS, FRIENDS, DUPLICATES = 10_000, 3_000, 0.2
CONCURRENCY = 16
WORKED_OFF_SECONDS = 300


def a_crowd(secret):
    """Signed requests for EVENTS events, a fifth of them twice, shuffled."""
    chance = random.Random(7)
    unique = int(EVENTS * (1 - DUPLICATES))
    now = int(time.time() * 1000)
    events = []
    for number in range(unique):
        user = f"U{number % FRIENDS:032x}"
        first = number < FRIENDS
        event = {
            "type": "follow" if first else "message",
            "mode": "active",
            "timestamp": now - 60_000 + number,
            "source": {"type": "user", "userId": user},
            "webhookEventId": f"01CROWD{number:019d}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": f"{number:032x}",
        }
        if first:
            event["follow"] = {"isUnblocked": False}
        else:
            words = f"第 {number} 句"
            event["message"] = {"id": str(number), "type": "text", "text": words, "quoteToken": "q"}
        events.append(event)
    again = chance.sample(events, EVENTS - unique)
    for event in again:
        copy = {**event, "deliveryContext": {"isRedelivery": True}}
        events.append(copy)
    chance.shuffle(events)
    return [
        load.request(json.dumps({"destination": "U0", "events": [event]}).encode(), secret)
        for event in events
    ]


def test_every_event_of_a_crowd_is_handled_once(tmp_path, migrated_database):
    url = empty_database(migrated_database, tmp_path)
    with serve(tmp_path, url) as shop:
        secret = json.loads((tmp_path / "secrets.json").read_text())["channel_secret"]
        _say_nothing(url)
        port = int(shop.address.rsplit(":", 1)[1])
        measured = load.run(port, a_crowd(secret), concurrency=CONCURRENCY)
        assert measured.statuses == {200: EVENTS}
        _wait_until_worked_off(shop)
        assert Friend.select().count() == FRIENDS
        assert Friend.select().where(Friend.status == FRIEND).count() == FRIENDS
        unique = int(EVENTS * (1 - DUPLICATES))
        assert InboundEvent.select().count() == unique
        counted = InboundEvent.select(InboundEvent.redelivered)
        assert sum(row.redelivered for row in counted) == EVENTS - unique
        assert InboundMessage.select().count() == unique - FRIENDS
        kinds = [row.kind for row in Fact.select(Fact.kind)]
        assert (kinds.count("followed"), kinds.count("message")) == (FRIENDS, unique - FRIENDS)
        database.db.close()


def _say_nothing(url):
    """No greeting: reply tokens made up here would have LINE refuse thousands of replies."""
    database.open_database(url)
    database.ensure_connection()
    Setting.delete().where(Setting.key == greeting.KEY).execute()
    ReplyRule.delete().execute()


def _wait_until_worked_off(shop):
    http = urllib3.PoolManager(retries=False)
    end = time.monotonic() + WORKED_OFF_SECONDS
    while time.monotonic() < end:
        inbox = http.request("GET", f"{shop.address}/healthz").json()["inbox"]
        assert inbox["failed"] == 0
        if inbox["pending"] == 0:
            http.clear()
            return
        time.sleep(0.3)
    raise AssertionError(f"still waiting: {inbox}\n{shop.log.read_text()[-2000:]}")
