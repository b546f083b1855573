"""A broadcast with links, from the shop file to the phones and back through a tap."""

from __future__ import annotations

from collections import Counter

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.friends.models import Friend
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import OriginKind
from lineadmin.reports import moments, timeline
from lineadmin.shopfile.errors import ShopFileError
from lineadmin.tasks import tick
from lineadmin.tracking import units
from lineadmin.tracking.models import AggregationUnit, LinkClick
from tests.conftest import NOON
from tests.factories import make_friend

PAGE = "https://bento.example/menu"
SHOP = """
version: 1
shop: {{undo_minutes: 0}}
tags: [{{name: 看過菜單, kind: dynamic}}]
broadcasts:
  - name: 新菜單
    to: {{all: []}}
    at: "2026-11-23T12:00:00+08:00"
    messages: [{{text: "新菜單 https://bento.example/menu"}}, {{track: {track}}}]
"""


def broadcast(line, clock, track, extra=""):
    """Three phones, and a broadcast with a link that went to them all."""
    for name in ("花", "太郎", "小明"):
        make_friend(name, line_user_id=line.client.add_phone(name)["user_id"])
    text = SHOP.format(track=track + extra)
    shopfile.load(text, staff=None, now=clock(), wall=shop_clock.wall())
    tick(clock(), shop_clock.wall())
    return text


def calls(line):
    found = line.client.call("GET", "calls", limit=100)["calls"]
    return Counter(call["endpoint"] for call in found if call["endpoint"] in ("push", "multicast"))


def words(line):
    return [line.client.texts(friend.line_user_id)[0] for friend in Friend.select()]


def test_following_each_friend_pushes_and_knows_who_came(app, client, line, clock):
    text = broadcast(
        line,
        clock,
        "friend",
        ", links: [{url: 'https://bento.example/menu', name: 菜單, tag: 看過菜單, days: 30}]",
    )
    assert calls(line) == {"push": 3}
    texts = words(line)
    assert len(set(texts)) == 3
    second = Friend.get(Friend.display_name == "太郎")
    path = texts[1].split("https://shop.example")[1]
    assert client.get(path).headers["Location"] == PAGE
    [fact] = Fact.select().where(Fact.kind == "link.clicked")
    assert fact.friend_id == second.id
    told = moments.tell(timeline.page(second.id).moments)
    assert ("點擊連結", "菜單") in [(one.title, one.text) for one in told]
    again = shopfile.load(text, staff=None, now=clock(), wall=shop_clock.wall())
    assert not again.changed


def test_counting_only_keeps_one_request_for_all(app, client, line, clock):
    broadcast(line, clock, "total")
    assert calls(line) == {"multicast": 1}
    texts = words(line)
    assert len(set(texts)) == 1
    path = texts[0].split("https://shop.example")[1]
    client.get(path)
    client.get(path)
    assert LinkClick.select().count() == 2
    assert Fact.select().where(Fact.kind == "link.clicked").count() == 0
    assert line.world.units == {"broadcast_1"}


def test_a_mistake_in_the_file_names_its_line(app, line, clock):
    with pytest.raises(ShopFileError) as refused:
        broadcast(line, clock, "friend, links: [{url: 'https://bento.example/menu', tag: 沒有}]")
    assert refused.value.line == 9
    assert "沒有「沒有」這個標籤" in str(refused.value)


def test_a_month_has_room_for_a_thousand_names(db):
    kind = OriginKind.BROADCAST
    assert units.claim(kind, 1, NOON) == units.claim(kind, 1, NOON) == "broadcast_1"
    assert units.claim(OriginKind.TEST, 1, NOON) is None
    rows = [{"month": "2026-11", "name": f"broadcast_{number}"} for number in range(2, 1001)]
    for start in range(0, len(rows), 300):
        AggregationUnit.insert_many(rows[start : start + 300]).execute()
    assert units.claim(kind, 1001, NOON) is None
    assert units.claim(kind, 500, NOON) == "broadcast_500"
    december = NOON.replace(month=12)
    assert units.claim(kind, 1001, december) == "broadcast_1001"
