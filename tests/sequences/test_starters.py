"""The starter sequences: in the demo, as shop files, and behind "start from a template"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lineadmin import shopfile
from lineadmin.friends.models import Source
from lineadmin.sequences import actions, starters
from lineadmin.sequences.definition import dump, parse
from lineadmin.sequences.models import Sequence
from lineadmin.surveys.models import Survey
from tests.panel import panel_of
from tests.sequences.stage import at

MONDAY = at("2026-11-23")
NAMES = ["便當店週一", "LINE Pay 回購", "貼圖好友首週", "月滿意度"]
DEMO = Path(shopfile.__file__).parent / "demo.yaml"


@pytest.mark.parametrize("key", starters.KEYS)
def test_each_is_a_shop_file_that_loads_into_an_empty_shop_switched_off(db: Any, key: str) -> None:
    shopfile.load(starters.text_of(key), staff=None, now=MONDAY, wall=MONDAY)
    row = Sequence.get()
    assert (row.enabled, row.live_version is not None) == (False, True)
    found = starters.starter(key)
    assert found is not None
    assert dump(actions.live_definition(row)) == dump(parse(found.definition))
    assert found.about


def test_the_demo_has_all_four_switched_off(db: Any) -> None:
    shopfile.load(DEMO.read_text(encoding="utf-8"), staff=None, now=MONDAY, wall=MONDAY)
    assert [one.name for one in starters.all_starters()] == NAMES
    for one in starters.all_starters():
        row = Sequence.get(Sequence.name == one.name)
        assert not row.enabled
        assert dump(actions.live_definition(row)) == dump(parse(one.definition))
    assert Source.select().where(Source.code == "sticker").exists()


def test_a_new_sequence_starts_from_one(app: Any, clock: Any) -> None:
    panel = panel_of(app, "manager")
    assert "月滿意度" in panel.get("/admin/sequences/new/").text
    panel.post("/admin/sequences/new/", {"name": "問卷", "template": "monthly_survey"})
    panel.post("/admin/sequences/new/", {"name": "空的", "template": ""})
    survey, empty = (Sequence.get(Sequence.name == name) for name in ("問卷", "空的"))
    assert len(actions.definition_of(survey).branches[0].steps) == 10
    assert survey.live_version is None
    assert (Survey.get().code, Survey.get().state) == ("monthly", "open")
    assert len(actions.definition_of(empty).branches[0].steps) == 1
