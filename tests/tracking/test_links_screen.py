"""The screen of tracked links, and the condition that asks who tapped one."""

from __future__ import annotations

import csv
import io

import pytest

from lineadmin import clock as shop_clock
from lineadmin import segments, settings
from lineadmin.friends.models import Friend
from lineadmin.segments import words
from lineadmin.segments.catalogue import catalogue
from lineadmin.segments.tree import TreeError
from lineadmin.staff.models import Audit
from lineadmin.tracking import names
from lineadmin.tracking.models import TrackedLink
from tests.panel import panel_of
from tests.tracking.test_sending import PAGE, broadcast
from tests.tracking.test_sending import words as texts_of

NOTED = ", links: [{url: 'https://bento.example/menu', name: 菜單, tag: 看過菜單, days: 30}]"


@pytest.fixture
def tapped(app, client, line, clock):
    """Taro tapped the link of the menu twice, Hana once a day later; the third friend never."""
    broadcast(line, clock, "friend", NOTED)
    hana, taro, _third = (one.split("https://shop.example")[1] for one in texts_of(line))
    client.get(taro)
    client.get(taro)
    clock.forward(days=1)
    client.get(hana)
    return TrackedLink.get()


def test_the_list_tells_taps_friends_place_and_tag_and_leads_to_the_names(app, tapped):
    panel = panel_of(app, "manager")
    page = panel.get("/admin/tracked_links/").text
    for told in ("菜單", "bento.example/menu", "群發訊息「新菜單」", "看過菜單，保留 30 天"):
        assert told in page
    one = panel.get(f"/admin/tracked_links/{tapped.id}/").text
    assert PAGE in one
    assert one.index("花") < one.index("太郎"), "the latest first"
    assert "小明" not in one
    assert "11/23" in one
    assert "11/24" in one
    assert "<svg" in one
    assert panel.get("/admin/tracked_links/999/").status_code == 404


def test_links_are_found_by_name_and_address_and_come_as_csv(app, tapped):
    panel = panel_of(app, "manager")
    assert "菜單" in panel.get("/admin/tracked_links/?search=menu&kind=1&who=known").text
    for other in ("search=nothing", "kind=2", "who=sum"):
        assert "群發訊息「新菜單」" not in panel.get(f"/admin/tracked_links/?{other}").text
    answer = panel.get("/admin/tracked_links/export/csv/")
    head, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert head[1:4] == ["連結", "點擊次數", "好友"]
    assert row[:6] == ["菜單", PAGE, "3", "2", "群發訊息「新菜單」", "看過菜單，保留 30 天"]
    assert Audit.select().where(Audit.action == "link.export").count() == 1


def test_a_link_that_is_the_same_for_everybody_only_knows_its_sum(app, client, line, clock):
    broadcast(line, clock, "total")
    client.get(texts_of(line)[0].split("https://shop.example")[1])
    panel = panel_of(app, "viewer")
    assert "不明" in panel.get("/admin/tracked_links/").text
    one = panel.get(f"/admin/tracked_links/{TrackedLink.get().id}/").text
    assert "連結對每個人都一樣" in one
    assert "誰點過" not in one


def friends_who(tree):
    where = segments.where(segments.parse(tree), now=shop_clock.now(), zone=settings.shop_zone())
    return {row.display_name for row in Friend.select().where(where)}


def test_a_condition_asks_for_a_link_by_its_name(tapped):
    leaf = {"field": "fact:link.clicked", "op": "is", "value": "菜單"}
    assert friends_who(leaf) == {"花", "太郎"}
    assert friends_who({**leaf, "at_least": 2}) == {"太郎"}
    assert friends_who({**leaf, "op": "is_not"}) == {"小明"}
    assert friends_who({**leaf, "value": "別的"}) == set()
    assert words.sentence(segments.parse(leaf)) == "點擊了連結「菜單」"
    segments.check_names(segments.parse(leaf))
    with pytest.raises(TreeError):
        segments.check_names(segments.parse({**leaf, "value": "別的"}))
    [facts] = [
        field for group in catalogue() for field in group["fields"] if field["name"] == "fact"
    ]
    [subject] = [one for one in facts["subjects"] if one["key"] == "link.clicked"]
    assert subject["choices"] == [("菜單", "菜單")]


def test_a_link_nobody_named_is_asked_for_by_its_address(tapped):
    TrackedLink.update(name="").execute()
    assert names.recent_names() == ["bento.example/menu"]
    leaf = {"field": "fact:link.clicked", "op": "is", "value": "bento.example/menu"}
    assert friends_who(leaf) == {"花", "太郎"}
