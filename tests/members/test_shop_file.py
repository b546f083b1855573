"""Members in the shop file: what the shop decided, and its mistakes by line."""

from __future__ import annotations

import pytest

from lineadmin import shopfile
from lineadmin.members.setup import setup
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from tests.coupons.making import NOON

FILE = """version: 1
members:
  enabled: true
  levels: [一般, 黃金]
  proof: birthday
  points_days: null
  reminder: {days: 7, at: "10:30", words: 快到期了}
"""


def load(text):
    return shopfile.load(text, staff=None, now=NOON, wall=NOON)


def test_what_is_loaded_is_dumped_and_loading_it_again_changes_nothing(db):
    load(FILE)
    kept = setup()
    assert (kept.enabled, kept.levels, kept.proof) == (True, ("一般", "黃金"), "birthday")
    assert (kept.points_days, kept.remind_days, kept.remind_at) == (None, 7, "10:30")
    load("version: 1\nmembers: {proof: phone}\n")
    assert setup().remind_days == 7
    dumped = shopfile.dump()
    load("version: 1\nmembers: {reminder: null, levels: []}\n")
    assert (setup().remind_days, setup().levels) == (None, ())
    load(dumped)
    assert shopfile.dump() == dumped
    assert not load(dumped).changed


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("days: 7", "days: 400", 7),
        ("proof: birthday", "proof: shoe", 5),
        ("points_days: null", "points_days: 0", 6),
        ("levels", "ranks", 4),
    ],
)
def test_a_mistake_names_its_line_and_changes_nothing(db, before, after, line):
    with pytest.raises((ShopFileError, ShopFileErrors)) as mistake:
        load(FILE.replace(before, after))
    errors = getattr(mistake.value, "errors", [mistake.value])
    assert errors[0].line == line
    assert not setup().enabled
