"""Trying step messages out on screen."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import settings
from lineadmin.friends.models import Source
from lineadmin.sequences.models import Enrolment
from tests.factories import make_friend, make_friends
from tests.panel import panel_of
from tests.sequences.rehearsing import everything
from tests.sequences.stage import at, follow, publish, step, tick

MONDAY = at("2026-11-23")


@pytest.fixture(autouse=True)
def shop(app: Any, clock: Any) -> None:
    Source.create(code="line_pay", name="LINE Pay", created_at=MONDAY)


def test_an_imaginary_friend_by_source_and_age(app: Any) -> None:
    young = {"field": "age", "op": "less_than", "value": 25}
    sequence = publish(
        branches=[
            {"name": "25 歲以下", "where": young, "steps": [step(1), step(7, weekday="mon")]},
            {"name": "其他好友", "otherwise": True, "steps": [step(3)]},
        ],
        trigger={"follow": ["line_pay"]},
        now=MONDAY,
    )
    panel = panel_of(app, "viewer")
    address = f"/admin/dry-run/{sequence.id}/"
    page = panel.get(f"{address}?source=line_pay&age=20").text
    assert "25 歲以下" in page
    assert "2026/11/24（二） 10:00" in page
    assert "2026/12/07（一） 10:00" in page
    assert "2026/11/26（四） 10:00" in panel.get(f"{address}?source=line_pay").text
    assert "加入管道不在觸發條件內" in panel.get(address).text
    # Friends' names are for those who may look them up.
    assert 'name="search"' not in page


def test_a_friend_is_searched_and_tried_and_nothing_changes(app: Any) -> None:
    sequence = publish(step(1, messages=[{"text": "{name}，早安"}]), now=MONDAY)
    hana = make_friend("小花")
    panel = panel_of(app)
    panel.get("/admin/")
    found = panel.get(f"/admin/dry-run/{sequence.id}/?search=小花").text
    assert f"friend={hana.id}" in found
    before = everything()
    page = panel.get(f"/admin/dry-run/{sequence.id}/?friend={hana.id}").text
    assert "小花，早安" in page
    assert everything() == before
    assert not Enrolment.select().exists()


@pytest.mark.parametrize("query", ["friend=999999", "friend=x", "age=999", "birthday=13-40", "x=1"])
def test_odd_addresses_are_no_error(app: Any, query: str) -> None:
    sequence = publish(step(1), now=MONDAY)
    assert panel_of(app).get(f"/admin/dry-run/{sequence.id}/?{query}").status_code == 200


def test_everybody_underway_by_day_with_money_and_shared_days(app: Any) -> None:
    settings.change_shop({"plan_included": 3, "plan_extra_price": 0.5}, staff=None, wall=MONDAY)
    sequence = publish(step(1), step(5), now=MONDAY, name="每週")
    publish(step(6), now=MONDAY, name="活動")
    for _ in range(2):
        follow(MONDAY)
    tick(MONDAY)
    page = panel_of(app).get(f"/admin/dry-run/{sequence.id}/all/").text
    # Two on the first day, four on the sixth, one of them within the plan.
    assert "2026/11/24（二）" in page
    assert "2026/11/29（日）" in page
    assert "NT$1.5" in page
    assert "同一天還會收到：活動" in page
    assert "2 位好友" in page


def test_nobody_underway_is_said(app: Any) -> None:
    sequence = publish(step(1), now=MONDAY)
    make_friends(3)
    assert "30 天內沒有訊息" in panel_of(app).get(f"/admin/dry-run/{sequence.id}/all/").text


def test_the_editor_leads_to_it(app: Any) -> None:
    sequence = publish(step(1), now=MONDAY)
    page = panel_of(app).get(f"/admin/sequences/{sequence.id}/").text
    assert f"/admin/dry-run/{sequence.id}/" in page


def test_every_branch_side_by_side_with_the_number_of_messages(app: Any) -> None:
    branches = [
        {
            "name": gender,
            "where": {"field": "gender", "op": "is", "value": gender},
            "steps": [step(1, weekday="mon"), step(7, weekday="mon")],
        }
        for gender in ("female", "male")
    ]
    branches.append({"name": "其他好友", "otherwise": True, "steps": [step(3)]})
    sequence = publish(branches=branches, trigger={"follow": ["line_pay"]}, now=MONDAY)
    page = panel_of(app).get(f"/admin/dry-run/{sequence.id}/branches/").text
    assert "共 5 則訊息" in page
    assert page.count("2026/11/30（一） 10:00") == 2
    assert not Enrolment.select().exists()
