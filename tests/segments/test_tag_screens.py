"""The tags screen: rules of dynamic tags, what uses a tag, tidying up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.segments import tag_jobs, tag_keeping, tag_rules
from lineadmin.segments.actions import create_segment
from tests.conftest import NOON
from tests.factories import make_friends
from tests.panel import Panel, flashes_of, hidden_of, panel_of
from tests.segments.shop import make_shop

SCREEN = "/admin/tags"
WOMEN = {"all": [{"field": "gender", "op": "is", "value": "female"}]}


@pytest.fixture
def friends(app: Flask, clock: Any) -> dict[str, Friend]:
    return make_shop()


@pytest.fixture
def panel(friends: Any, app: Flask) -> Panel:
    return panel_of(app, "manager")


def new(panel: Panel, name: str, **fields: Any) -> Any:
    data = {"name": name, "color": "#067a3e", "kind": "dynamic", "how": "links", "days": ""}
    return panel.post(f"{SCREEN}/new/", {**data, "where": '{"all":[]}', "deed": "", **fields})


def edit(panel: Panel, tag: Tag, **fields: Any) -> Any:
    address = f"{SCREEN}/edit/?id={tag.id}"
    kept = hidden_of(panel.get(address).text)
    data = {"name": tag.name, "color": tag.color, "how": "links", "days": "", "deed": ""}
    both = {"version": kept["version"], "seen": kept["seen"], "where": '{"all":[]}'}
    return panel.post(address, {**data, **both, **fields})


def names(tag: Tag) -> set[str]:
    rows = FriendTag.select(FriendTag, Friend).join(Friend).where(FriendTag.tag == tag)
    return {row.friend.display_name for row in rows}


def test_a_dynamic_tag_is_made_with_conditions_and_told_in_the_list(panel: Panel) -> None:
    assert new(panel, "女性客人", how="where", where=json.dumps(WOMEN)).status_code == 302
    tag = Tag.get(Tag.name == "女性客人")
    tag_keeping.advance(NOON)
    assert names(tag) == {"hana"}
    assert "性別是 女" in panel.get(f"{SCREEN}/").text
    form = panel.get(f"{SCREEN}/edit/?id={tag.id}").text
    assert json.loads(hidden_of(form)["where"]) == WOMEN


def test_a_tag_follows_a_redemption_for_some_days(panel: Panel) -> None:
    deed = {"how": "deed", "deed": "coupon.redeemed:bento20", "days": "30"}
    assert new(panel, "剛核銷", **deed).status_code == 302
    tag = Tag.get(Tag.name == "剛核銷")
    assert tag_rules.rule_of(tag.id) == {"on": "coupon.redeemed", "about": "bento20", "days": 30}
    tag_keeping.advance(NOON)
    assert names(tag) == {"ming"}
    assert edit(panel, tag, how="links").status_code == 302
    assert tag_rules.rule_of(tag.id) is None
    tag_keeping.advance(NOON)
    assert names(tag) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"how": "where"},
        {"how": "deed"},
        {"how": "deed", "deed": "message", "days": "0"},
        {"how": "where", "where": '{"all":[{"field":"tag","op":"is","value":"新的"}]}'},
    ],
    ids=str,
)
def test_a_rule_that_says_nothing_or_cannot_be_makes_no_tag(
    panel: Panel, wrong: dict[str, str]
) -> None:
    answer = new(panel, "新的", **wrong)
    assert answer.status_code == 200
    assert 'class="error' in answer.text
    assert not Tag.select().where(Tag.name == "新的").exists()


def test_a_static_tag_gets_no_rule(panel: Panel) -> None:
    assert (
        new(panel, "人工", kind="static", how="where", where=json.dumps(WOMEN)).status_code == 302
    )
    assert tag_rules.rule_of(Tag.get(Tag.name == "人工").id) is None


def test_a_tag_in_use_keeps_its_name_and_is_not_deleted(panel: Panel) -> None:
    create_segment(
        "吃雙拼的",
        {"field": "tag", "op": "is", "value": "愛吃雙拼"},
        staff=None,
        now=NOON,
        wall=NOON,
    )
    tag = Tag.get(Tag.name == "愛吃雙拼")
    assert "分眾「吃雙拼的」" in edit(panel, tag, name="愛雙拼").text
    assert edit(panel, tag, color="#111111").status_code == 302
    asked = panel.get(f"{SCREEN}/delete/", query_string={"id": tag.id}).text
    assert "分眾「吃雙拼的」正在使用，請先修改後才能刪除。" in asked
    answer = panel.post(f"{SCREEN}/delete/", {"id": str(tag.id), "confirmed": "1"})
    told = flashes_of(panel.get(answer.location).text)
    assert told == ["分眾「吃雙拼的」正在使用「愛吃雙拼」，請先修改。"]
    assert Tag.get_by_id(tag.id).color == "#111111"


def test_five_interest_tags_start_a_shop_that_has_none(panel: Panel) -> None:
    assert "新增五個興趣標籤" in panel.get(f"{SCREEN}/").text
    panel.post(f"{SCREEN}/starters/")
    panel.post(f"{SCREEN}/starters/")  # pressed twice
    assert Tag.select().where(Tag.kind == "dynamic").count() == 5
    assert "新增五個興趣標籤" not in panel.get(f"{SCREEN}/").text


def test_tidying_up_names_unused_and_doubled_tags_and_merges_them(panel: Panel) -> None:
    ids = make_friends(10)
    one, other, unused = (
        tags.create_tag(name, staff=None, now=NOON, wall=NOON) for name in ("甲標", "乙標", "沒人")
    )
    tags.add_tag_many(ids, one.id, at=NOON)
    tags.add_tag_many(ids[:9], other.id, at=NOON)
    page = panel.get(f"{SCREEN}/care/").text
    assert "沒人" in page
    assert "100% ⇄ 90%" in page
    asked = panel.get(f"{SCREEN}/merge/?id={one.id}&into={other.id}").text
    assert "10 位好友會改掛「乙標」" in asked
    answer = panel.post(f"{SCREEN}/merge/", hidden_of(asked))
    tag_jobs.advance(NOON)
    assert "完成" in panel.get(answer.location).text
    assert FriendTag.select().where(FriendTag.tag == other).count() == 10
    panel.post(f"{SCREEN}/archive/", {"id": str(unused.id)})
    assert "沒人" not in panel.get(f"{SCREEN}/care/").text
    assert "沒人" in panel.get(f"{SCREEN}/?state=archived").text


def test_a_viewer_changes_no_tag(app: Flask, panel: Panel) -> None:
    viewer = panel_of(app, "viewer")
    tag = Tag.get(Tag.name == "愛吃雙拼")
    assert viewer.get(f"{SCREEN}/tidy/").status_code == 200
    for place in ("archive", "starters", "merge", "job/undo", "job/stop", "new"):
        refused = viewer.post(f"{SCREEN}/{place}/", {"id": str(tag.id), "confirmed": "1"})
        assert refused.status_code == 403, place
