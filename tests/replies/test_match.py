"""Which keyword reply answers."""

from datetime import time

import pytest

from lineadmin.replies.match import fits, is_active, match
from lineadmin.replies.models import ReplyRule

NOON = time(12, 0)


def rule(number, *keywords, **more):
    values = {"match": "exact", "priority": 10, "hours_from": "", "hours_until": "", **more}
    return ReplyRule(id=number, keywords=list(keywords), **values)


def answer(text, *rules, at=NOON):
    found = match(text, rules, local_time=at)
    return None if found is None else found.rule.id


@pytest.mark.parametrize("written", ["菜單", " 菜單 ", "菜單\n"])
def test_an_exact_keyword_is_the_whole_message(written):
    assert answer(written, rule(1, "菜單", "menu")) == 1


@pytest.mark.parametrize("written", ["MENU", "ｍｅｎｕ", "Menu "])
def test_width_and_case_are_folded(written):
    assert answer(written, rule(1, "menu")) == 1
    assert answer("menu", rule(1, written)) == 1


def test_exact_does_not_mean_somewhere_inside():
    assert answer("請問菜單", rule(1, "菜單")) is None
    assert answer("請問菜單", rule(1, "菜單", match="contains")) == 1


def test_the_larger_priority_wins_and_the_other_is_told():
    found = match("菜單", [rule(1, "菜單"), rule(2, "菜單", priority=20)], local_time=NOON)
    assert (found.rule.id, found.others) == (2, (1,))


def test_at_equal_priority_exact_beats_contained_and_old_beats_new():
    assert answer("菜單", rule(1, "菜", match="contains"), rule(2, "菜單")) == 2
    assert answer("菜單", rule(2, "菜單"), rule(1, "菜單")) == 1


def test_any_answers_only_what_nothing_else_does():
    rules = [rule(1, match="any", priority=999), rule(2, "菜單", priority=0)]
    assert answer("菜單", *rules) == 2
    assert answer("別的", *rules) == 1


def test_of_several_any_the_larger_priority_answers():
    assert answer("嗨", rule(1, match="any"), rule(2, match="any", priority=11)) == 2


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_nothing_is_not_a_question(text):
    assert answer(text, rule(1, match="any")) is None


def test_an_empty_keyword_fits_nothing():
    assert not fits(rule(1, "", " ", match="contains"), "anything")


@pytest.mark.parametrize(
    ("start", "end", "moment", "active"),
    [
        ("09:00", "18:00", "09:00", True),
        ("09:00", "18:00", "18:00", False),
        ("09:00", "18:00", "08:59", False),
        ("22:00", "02:00", "23:30", True),
        ("22:00", "02:00", "01:59", True),
        ("22:00", "02:00", "02:00", False),
        ("22:00", "02:00", "12:00", False),
        ("", "", "03:00", True),
    ],
)
def test_hours_include_their_start_and_go_past_midnight(start, end, moment, active):
    given = rule(1, "x", hours_from=start, hours_until=end)
    assert is_active(given, time.fromisoformat(moment)) is active


def test_a_rule_outside_its_hours_lets_others_answer():
    night = rule(1, match="any", priority=50, hours_from="20:00", hours_until="10:00")
    day = rule(2, match="any")
    assert answer("在嗎", night, day, at=time(21, 0)) == 1
    assert answer("在嗎", night, day, at=NOON) == 2
