"""Choosing friends on screen: what can be asked, the live answer, and the form field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from lineadmin import segments
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.forms import StaffForm
from lineadmin.segments.fields import FIELDS, OPS
from tests.panel import Panel, panel_of
from tests.segments.shop import make_shop

YOUNG = {"all": [{"field": "age", "op": "less_than", "value": 25}]}
ASK = "/admin/segments/conditions/ask"


class WhoForm(StaffForm):
    who = ConditionField("Who")


class AnybodyForm(StaffForm):
    who = ConditionField("Who", empty_is="everyone")


@pytest.fixture
def manager(app: Flask, clock: Any) -> Panel:
    make_shop()
    return panel_of(app, "manager")


def ask(panel: Panel, tree: Any, **more: Any) -> dict[str, Any]:
    answer = panel.client.post(
        ASK, json={"tree": tree, **more}, headers={"X-CSRFToken": panel.csrf()}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_the_tree_is_told_and_counted_while_it_is_written(manager: Panel) -> None:
    told = ask(manager, YOUNG)
    assert told["sentence"] == "年齡未滿 25"
    assert (told["count"], told["more"], told["told"]) == (1, False, "1 位好友")
    assert ask(manager, {"all": []})["count"] == 7
    assert "count" not in ask(manager, YOUNG, count=False)


def test_every_mistake_is_named_with_its_place(manager: Panel) -> None:
    wrong = [
        {"field": "age", "op": "less_than"},
        {"field": "gender", "op": "is", "value": "male"},
        {"not": {"any": [{"field": "tag", "op": "is", "value": "沒有的標籤"}, {"field": ""}]}},
    ]
    told = ask(manager, {"all": wrong})
    assert [problem["path"] for problem in told["problems"]] == [
        ["all", 0, "value"],
        ["all", 2, "not", "any", 0, "value"],
        ["all", 2, "not", "any", 1, "field"],
    ]
    assert "沒有的標籤" in told["problems"][1]["sentence"]
    assert "count" not in told


def test_only_staff_may_ask(app: Flask) -> None:
    refused = app.test_client().post(ASK, json={"tree": {"all": []}})
    assert refused.status_code in (302, 400)


def test_what_is_no_tree_at_all_is_refused(manager: Panel) -> None:
    answer = manager.client.post(ASK, data="[", headers={"X-CSRFToken": manager.csrf()})
    assert answer.status_code == 400
    deep: Any = {"all": []}
    for _ in range(60):
        deep = {"not": deep}
    assert ask(manager, deep)["problems"]


def test_every_field_of_the_language_is_offered_with_all_its_ops(manager: Panel) -> None:
    with manager.client.application.test_request_context():
        groups = segments.catalogue()
    offered = {field["name"]: field for group in groups for field in group["fields"]}
    assert {*offered, "segment"} == {*FIELDS, "segment"}
    for name, spec in FIELDS.items():
        field = offered[name]
        ops = {op for op, _word in [*field["ops"], *field["others"]]}
        for subject in field["subjects"] or []:
            ops |= {op for op, _word in subject["ops"]}
        assert ops == {op for op in OPS if op in spec.ops}, name
        if spec.about:
            assert field["subjects"], name


def test_whatever_the_choices_offer_is_a_condition_that_can_be(manager: Panel) -> None:
    """Each field, each thing it is about, each op, with the first choice or a small number."""
    sample = {"number": 1, "text": "x", "date": "2026-01-01"}
    with manager.client.application.test_request_context():
        groups = segments.catalogue()
        for field in (field for group in groups for field in group["fields"]):
            for subject in field["subjects"] or [field]:
                for op, _word in subject["ops"]:
                    name = field["name"]
                    leaf: dict[str, Any] = {"field": name, "op": op}
                    if field["subjects"]:
                        leaf["field"] += f":{subject['key']}"
                    if op not in ("known", "unknown"):
                        amount = op in ("at_least", "less_than")
                        kind = subject["amount" if amount else "widget"]["kind"]
                        if kind == "choice" and not subject["choices"]:
                            continue
                        value = subject["choices"][0][0] if kind == "choice" else sample[kind]
                        leaf["value"] = [value] if op in ("any_of", "none_of") else value
                    assert segments.problems({"all": [leaf]}) == [], leaf


def test_a_form_keeps_the_tree_and_names_what_is_wrong(app: Flask, manager: Panel) -> None:
    def posted(form: type[StaffForm], tree: Any) -> Any:
        made = form(MultiDict({"who": tree if isinstance(tree, str) else json.dumps(tree)}))
        made.validate()
        return made.who

    with app.test_request_context():
        assert posted(WhoForm, YOUNG).data == YOUNG
        assert posted(WhoForm, {"all": []}).errors == ["請先加入條件。"]
        assert posted(AnybodyForm, {"all": []}).data == {"all": []}
        wrong = posted(WhoForm, {"all": [{"field": "age", "op": "is", "value": 999}]})
        assert wrong.data is None
        assert len(wrong.errors) == 1
        drawn = str(wrong())
        assert "999" in drawn  # what was chosen is still there
        assert 'data-condition="row"' in drawn
        assert posted(WhoForm, "{").errors
        second = str(WhoForm(None, who=YOUNG).who())
        assert 'data-condition="row"' not in second  # once a page
        assert "未滿 25" in second  # for who reads without a script
