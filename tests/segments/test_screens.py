"""Saved segments on screen: made, changed, used, put away; who is in one, and two attributes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask

from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.segments.models import Segment
from lineadmin.staff.models import Audit
from tests.panel import Panel, flashes_of, hidden_of, panel_of
from tests.segments.shop import NOW, make_shop

YOUNG = {"all": [{"field": "age", "op": "less_than", "value": 30}]}
SCREEN = "/admin/segments"


@pytest.fixture
def friends(app: Flask, clock: Any) -> dict[str, Friend]:
    return make_shop()


@pytest.fixture
def panel(app: Flask, friends: Any) -> Panel:
    return panel_of(app, "manager")


def make(panel: Panel, name: str, tree: Any) -> Segment:
    answer = panel.post(f"{SCREEN}/new/", {"name": name, "where": json.dumps(tree)})
    assert answer.status_code == 302, answer.text
    row: Segment = Segment.get(Segment.name == name)
    return row


def save(panel: Panel, row: Segment, name: str, tree: Any, version: int | None = None) -> Any:
    page = panel.get(f"{SCREEN}/edit/?id={row.id}").text
    kept = hidden_of(page)
    data = {"name": name, "where": json.dumps(tree), "seen": kept["seen"]}
    data["version"] = str(version) if version else kept["version"]
    return panel.post(f"{SCREEN}/edit/?id={row.id}", data)


def in_use(name: str) -> Segment:
    Broadcast.create(
        name="週一雙拼",
        audience={"field": "segment", "op": "is", "value": name},
        created_at=NOW,
    )
    row: Segment = Segment.get(Segment.name == name)
    return row


def test_a_segment_is_made_told_and_counted(panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    page = panel.get(f"{SCREEN}/details/?id={row.id}").text
    assert "年齡未滿 30" in page
    assert "還沒有任何地方使用。" in page
    seen = panel.get(f"{SCREEN}/panel/?id={row.id}").text
    assert "2 位好友" in seen
    assert "hana" in seen
    assert "taro" in seen
    assert "ming" not in seen
    assert "愛吃雙拼</span> 100%" in seen
    assert "傳來訊息（近 30 天）" in seen
    assert panel.get(f"{SCREEN}/count/?id={row.id}").json == {"told": "2 位好友"}
    assert "年輕人" in panel.get(f"{SCREEN}/").text
    assert Audit.get(Audit.action == "segment.create").object_label == "年輕人"


def test_a_name_that_is_taken_or_empty_is_refused_and_the_conditions_stay(panel: Panel) -> None:
    make(panel, "年輕人", YOUNG)
    for name in ("年輕人", ""):
        answer = panel.post(f"{SCREEN}/new/", {"name": name, "where": json.dumps(YOUNG)})
        assert answer.status_code == 200
        assert "less_than" in answer.text
    assert Segment.select().count() == 1


def test_a_viewer_reads_but_changes_nothing(app: Flask, panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    viewer = panel_of(app, "viewer")
    assert viewer.get(f"{SCREEN}/details/?id={row.id}").status_code == 200
    assert "/admin/friends/" not in viewer.get(f"{SCREEN}/panel/?id={row.id}").text
    assert viewer.get(f"{SCREEN}/new/").status_code == 403
    for place in ("edit", "delete", "archive"):
        refused = viewer.post(f"{SCREEN}/{place}/?id={row.id}", {"confirmed": "1"})
        assert refused.status_code == 403, place
    assert Segment.select().count() == 1


def test_what_is_in_use_keeps_its_name_and_is_not_deleted(panel: Panel) -> None:
    make(panel, "年輕人", YOUNG)
    row = in_use("年輕人")
    assert "群發訊息「週一雙拼」" in panel.get(f"{SCREEN}/details/?id={row.id}").text
    assert "群發訊息「週一雙拼」" in panel.get(f"{SCREEN}/delete/?id={row.id}").text
    answer = panel.post(f"{SCREEN}/delete/?id={row.id}", {"confirmed": "1", "id": str(row.id)})
    assert "先修改" in "".join(flashes_of(panel.get(answer.location).text))
    assert Segment.get_or_none(Segment.id == row.id) is not None
    refused = save(panel, row, "別的名字", YOUNG)
    assert "名稱不能改" in refused.text
    assert Segment.get_by_id(row.id).name == "年輕人"
    # Its conditions may change all the same, and what uses it asks the new ones.
    assert save(panel, row, "年輕人", {"all": [YOUNG]}).status_code == 302

    Broadcast.update(state="sent").execute()
    assert save(panel, row, "別的名字", YOUNG).status_code == 302
    assert Segment.get_by_id(row.id).name == "別的名字"
    panel.post(f"{SCREEN}/delete/", {"confirmed": "1", "id": str(row.id)})
    assert Segment.get_or_none(Segment.id == row.id) is None


def test_two_people_at_once_do_not_overwrite_each_other(panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    opened = row.version
    older = {"all": [{"field": "age", "op": "at_least", "value": 60}]}
    assert save(panel, row, "年輕人", older).status_code == 302
    late = save(panel, row, "年輕人", {"all": [{"field": "os", "op": "known"}]}, version=opened)
    assert late.status_code == 409
    assert Segment.get_by_id(row.id).tree == older


def test_a_segment_cannot_be_a_condition_of_itself(panel: Panel) -> None:
    one = make(panel, "甲", YOUNG)
    make(panel, "乙", {"all": [{"field": "segment", "op": "is", "value": "甲"}]})
    answer = save(panel, one, "甲", {"all": [{"field": "segment", "op": "is", "value": "乙"}]})
    assert answer.status_code == 200
    assert "「甲」" in answer.text  # the sentence, beside the conditions or on top
    assert Segment.get_by_id(one.id).tree == YOUNG
    assert 'without="甲"' in panel.get(f"{SCREEN}/edit/?id={one.id}").text


def test_archived_it_is_offered_no_more_and_comes_back(panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    panel.post(f"{SCREEN}/archive/", {"id": str(row.id)})
    panel.get(f"{SCREEN}/")  # says what happened
    assert "年輕人" not in panel.get(f"{SCREEN}/").text
    assert "年輕人" in panel.get(f"{SCREEN}/?state=archived").text
    panel.post(f"{SCREEN}/archive/", {"id": str(row.id), "back": "1"})
    assert Segment.get_by_id(row.id).archived_at is None
    assert [one.action for one in Audit.select().order_by(Audit.id)][-2:] == [
        "segment.archive",
        "segment.unarchive",
    ]


def test_a_copy_starts_from_the_same_conditions_under_another_name(panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    page = panel.get(f"{SCREEN}/new/?from={row.id}").text
    assert 'value="年輕人 (2)"' in page
    assert "less_than" in page


def test_two_attributes_are_crossed_unknown_included_and_a_number_makes_a_segment(
    panel: Panel, friends: dict[str, Friend]
) -> None:
    everybody = make(panel, "大家", {"all": [{"not": {"field": "age", "op": "is", "value": 150}}]})
    address = f"{SCREEN}/table/?id={everybody.id}&rows=gender&columns=age"
    page = panel.get(address).text
    cells = dict(re.findall(r'href="([^"]+)"[^>]*>(\d+)</a>', page))
    # hana; taro; ming; popo; kai; mute and csv, of whom neither is known
    assert sorted(cells.values()) == ["1", "1", "1", "1", "1", "2"]
    for link, count in cells.items():
        form = panel.get(link.replace("&amp;", "&")).text
        tree = json.loads(hidden_of(form)["where"])
        told = panel.client.post(
            f"{SCREEN}/conditions/ask", json={"tree": tree}, headers={"X-CSRFToken": panel.csrf()}
        )
        assert told.json["count"] == int(count), tree
    for rows in ("region", "os", "source", "status", "attr:allergy"):
        page = panel.get(f"{SCREEN}/table/?id={everybody.id}&rows={rows}&columns=gender").text
        totals = re.findall(r'<td class="num r">(\d+)</td></tr></tbody>', page)
        assert totals == ["7"], rows
    assert panel.get(f"{SCREEN}/table/?id={everybody.id}&rows=os&columns=os").status_code == 404


def test_the_friends_list_shows_one_segment(app: Flask, panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    page = panel.get(f"/admin/friends/?segment={row.id}").text
    assert "hana" in page
    assert "taro" in page
    assert "ming" not in page
    by_source = panel.get(f"/admin/friends/?segment={row.id}&status=blocked").text
    assert "hana" not in by_source


def test_a_segment_that_leads_back_to_itself_breaks_no_page(panel: Panel) -> None:
    row = make(panel, "年輕人", YOUNG)
    Segment.update(tree={"field": "segment", "op": "is", "value": "年輕人"}).execute()
    for place in ("details", "panel", "count"):
        assert panel.get(f"{SCREEN}/{place}/?id={row.id}").status_code == 200
    assert panel.get(f"/admin/friends/?segment={row.id}").status_code == 200
