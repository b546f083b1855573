"""Broadcasts whose recipients LINE chooses, in the shop file."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import i18n, shopfile
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from tests.conftest import NOON
from tests.shopfile.test_mistakes import told

FILE = """version: 1
broadcasts:
  - name: 台北女生
    to:
      estimated:
        gender: female
        age: {from: 25, until: 35}
        regions: [tw_02, tw_01]
        os: [ios]
        friend_days: {from: 7}
        audiences: [看過的人]
        most: 500
        up_to_remaining: true
    at: "2026-11-30T11:30:00+08:00"
    messages: [{text: 台北快閃店開幕}]
"""


def audience(name: str) -> None:
    LineAudience.create(
        line_id=4_000_000_000_001,
        name=name,
        state="there",
        status="READY",
        kind="IMP",
        members=80,
        created_at=NOON,
    )


def test_it_is_loaded_scheduled_and_dumped_as_the_same(load: Any) -> None:
    audience("看過的人")
    load(FILE)
    row = Broadcast.get()
    assert (row.state, row.audience) == (states.SCHEDULED, None)
    assert row.estimated["regions"] == ["tw_01", "tw_02"]
    dumped = shopfile.dump()
    [written] = shopfile.as_data()["broadcasts"]
    assert written["to"] == {"estimated": row.estimated}
    before = row.version
    load(dumped)
    assert load(FILE).changed == []
    assert Broadcast.get().version == before


def test_a_condition_in_its_place_is_a_change_and_back_again(load: Any) -> None:
    audience("看過的人")
    load(FILE)
    start = FILE[: FILE.index("    to:")]
    load(f"{start}    to: {{all: []}}\n{FILE[FILE.index('    at:') :]}")
    row = Broadcast.get()
    assert (row.audience, row.estimated) == ({"all": []}, None)
    load(FILE)
    assert Broadcast.get().audience is None


@pytest.mark.parametrize(
    ("estimated", "place", "word"),
    [
        ("{shoes: 42}", "broadcasts[0].to.estimated.shoes", "shoes"),
        ("{gender: other}", "broadcasts[0].to.estimated.gender", "female"),
        ("{age: {from: 26}}", "broadcasts[0].to.estimated.age.from", "25"),
        ("{age: {from: 35, until: 25}}", "broadcasts[0].to.estimated.age.until", "above"),
        ("{regions: [tw_23]}", "broadcasts[0].to.estimated.regions", "tw_01"),
        ("{most: 10}", "broadcasts[0].to.estimated.most", "50"),
        ("{audiences: [沒有]}", "broadcasts[0].to.estimated.audiences[0]", "沒有"),
    ],
    ids=str,
)
def test_a_mistake_names_its_field(load: Any, estimated: str, place: str, word: str) -> None:
    text = f"version: 1\nbroadcasts: [{{name: x, to: {{estimated: {estimated}}}}}]\n"
    with i18n.use_locale("en"), pytest.raises((ShopFileError, ShopFileErrors)) as caught:
        load(text)
    [line] = told(caught.value)
    assert line.startswith(f"line 2: {place}")
    assert word in line
    assert not Broadcast.select().exists()
