"""Conditions and messages stand in the audit log and in conflicts as people read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lineadmin.admin.told import told
from lineadmin.segments import actions
from lineadmin.segments.models import Segment
from lineadmin.staff import audit
from tests.conftest import NOON
from tests.panel import hidden_of, panel_of

YOUNG = {"all": [{"field": "age", "op": "less_than", "value": 25}]}
SEQUENCE = {
    "trigger": {"follow": "any"},
    "branches": [
        {
            "steps": [
                {"after_days": 1, "at": "10:00", "messages": [{"text": "早安"}]},
                {"after_days": 3, "at": "11:30", "messages": [{"text": "午安"}]},
            ]
        }
    ],
}
WOMEN = {"all": [*YOUNG["all"], {"field": "gender", "op": "is", "value": "female"}]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (YOUNG, "年齡未滿 25"),
        (json.dumps(YOUNG), "年齡未滿 25"),
        ({"field": "age", "op": "less_than", "value": 25}, "年齡未滿 25"),
        ([{"text": "早安 {name}"}], "早安 {name}"),
        (
            SEQUENCE,
            "觸發：加入好友（所有來源）\n"
            "第 1 步：第 1 天 10:00：早安\n第 2 步：再過 3 天 11:30：午安",
        ),
        ({**SEQUENCE, "branches": "nonsense"}, None),
        ({"field": "nonsense", "op": "is", "value": 1}, None),
        ([{"prize": "便當"}], None),
        ([], None),
        ({"name": "花"}, None),
        ("{name} 您好", None),
    ],
)
def test_what_is_told_in_words(app: Any, value: Any, words: str | None) -> None:
    with app.test_request_context():
        assert told(value) == words


def test_the_audit_log_and_a_conflict_say_the_sentence(app: Any, clock: Any) -> None:
    panel = panel_of(app, "owner")
    row = actions.create_segment("年輕人", YOUNG, staff=panel.staff, now=NOON, wall=NOON)
    page = panel.get(f"/admin/segments/edit/?id={row.id}").text
    opened = hidden_of(page)
    actions.edit_segment(
        row, "年輕人", WOMEN, version=row.version, used_by=lambda name: [], staff=None, wall=NOON
    )
    log = panel.get("/admin/audit/").text
    assert "年齡未滿 25" in log
    assert "性別是 女" in log
    assert "&#34;field&#34;" not in log
    posted = {**opened, "name": "年輕人們", "where": json.dumps(YOUNG)}
    conflict = panel.post(f"/admin/segments/edit/?id={row.id}", posted).text
    assert Segment.get_by_id(row.id).name == "年輕人"
    assert "性別是 女" in conflict
    assert "&#34;gender&#34;" not in conflict.split("<form")[0]


def test_of_a_sequence_that_was_edited_the_log_shows_the_steps_that_changed(
    app: Any, clock: Any
) -> None:
    panel = panel_of(app, "owner")
    earlier = json.loads(json.dumps(SEQUENCE))
    earlier["branches"][0]["steps"][1]["at"] = "09:00"
    audit.record(
        panel.staff,
        "sequence.edit",
        "sequence",
        1,
        "養成",
        {"definition": earlier},
        {"definition": SEQUENCE},
        wall=NOON,
    )
    log = panel.get("/admin/audit/").text
    assert "<del data-raw>第 2 步：再過 3 天 09:00：午安</del>" in log
    assert "<ins data-raw>第 2 步：再過 3 天 11:30：午安</ins>" in log
    assert "第 1 步" not in log
    assert "after_days" not in log


def test_a_kept_choice_is_said_in_words(app):
    kept = {"frequency": "monthly", "repeat": "once", "match": "exact", "kind": "dynamic"}
    more = {"benefit": "percent", "code_kind": "own", "redeem": "pin", "state": "draft"}
    audit.record(None, "coupon.create", "coupon", 1, "券", None, kept | more, wall=NOON)
    page = panel_of(app).get("/admin/audit/").text
    assert "最多每月一次" in page
    assert "每位好友一次" in page
    for raw in (*kept.values(), *more.values()):
        assert f">{raw}<" not in page
