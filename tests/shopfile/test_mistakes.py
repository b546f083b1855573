"""Every mistake is told with its line, its field and what was expected; then nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import i18n, shopfile
from lineadmin.shopfile import ShopFileError, ShopFileErrors
from lineadmin.staff.models import Audit

GOOD = """version: 1
tags: [{name: 熟客}]
coupons: [{code: tea, title: 紅茶, benefit: {type: percent, value: 20}}]
"""
STEP = "{after_days: 1, at: '10:00', messages: [{text: hi}]}"


def told(error: ShopFileError | ShopFileErrors) -> list[str]:
    errors = error.errors if isinstance(error, ShopFileErrors) else [error]
    return [str(one) for one in errors]


# (the lines after GOOD, which start at 4; the beginning of what is told; a word of the sentence)
MISTAKES = [
    ("", "version: 2", "line 1: version", "expected 1"),
    ("colour: red", "", "line 4: colour", "not known"),
    ("shop: {nam: x}", "", "line 4: shop.nam", "name, timezone"),
    ("shop: {timezone: Asia/Atlantis}", "", "line 4: shop.timezone", "not known"),
    ("shop: {undo_minutes: soon}", "", "line 4: shop.undo_minutes", "whole number"),
    ("shop: {undo_minutes: 61}", "", "line 4: shop.undo_minutes", "0 to 60"),
    ('shop: {quiet_hours: {from: "21:00"}}', "", "line 4: shop.quiet_hours.until", "missing"),
    (
        'shop:\n  quiet_hours:\n    from: "9"\n    until: "10:00"',
        "",
        "line 6: shop.quiet_hours.from",
        "09:30",
    ),
    ("shop: {cap: {messages: 0, days: 7}}", "", "line 4: shop.cap.messages", "1 to 100"),
    ("fields: [{key: Age}]", "", "line 4: fields[0].key", "small letters"),
    ("fields: [{key: tags}]", "", "line 4: fields[0]", "friends CSV"),
    ("fields: [{key: a, type: choice}]", "", "line 4: fields[0]", "choice"),
    ("fields: [{key: a, type: colour}]", "", "line 4: fields[0].type", "'text', 'number'"),
    ("sources: [{code: Shop Front}]", "", "line 4: sources[0].code", "small letters"),
    ("sources: [{code: a}, {code: a}]", "", "line 4: sources[1].code", "twice"),
    (
        "segments:\n  - name: x\n    where: {field: nope, op: is, value: 1}",
        "",
        "line 6: segments[0].where.field",
        "Fields are",
    ),
    (
        "segments:\n  - name: x\n    where:\n      all:\n"
        "        - {field: tag, op: is, value: 沒有}",
        "",
        "line 8: segments[0].where.all[0].value",
        "沒有",
    ),
    (
        "segments:\n  - {name: a, where: {field: segment, op: is, value: b}}\n"
        "  - {name: b, where: {field: segment, op: is, value: a}}",
        "",
        "line 5: segments[0].where",
        "leads back",
    ),
    ("segments: [{name: x}]", "", "line 4: segments[0].where", "missing"),
    ("greeting: {messages: [{text: ''}]}", "", "line 4: greeting.messages[0]", ""),
    ("greeting: {messages: [{coupon: nope}]}", "", "line 4: greeting.messages[0]", ""),
    ("greeting: {messages: [{image: nope}]}", "", "line 4: greeting.messages[0]", ""),
    ("greeting:\n  messages:\n    - {texx: hi}", "", "line 6: greeting.messages[0].texx", "text"),
    ("greeting: {messages: hello}", "", "line 4: greeting.messages", "a list"),
    ("replies: [{keywords: [hi]}]", "", "line 4: replies[0]", "messages"),
    (
        "replies:\n  - keywords: [hi]\n    match: fuzzy\n    messages: [{text: hi}]",
        "",
        "line 6: replies[0].match",
        "'exact', 'contains' or 'any'",
    ),
    (
        "replies: [{keywords: [hi], messages: [{text: hi}], add_tags: [沒有]}]",
        "",
        "line 4: replies[0].add_tags[0]",
        "沒有",
    ),
    ("replies: [{keywords: [' '], messages: [{text: hi}]}]", "", "line 4: replies[0]", "keyword"),
    ("sequences: [{name: x}]", "", "line 4: sequences[0]", "branches"),
    (
        f"sequences:\n  - name: x\n    enabled: true\n    trigger: {{follow: [nowhere]}}\n"
        f"    branches: [{{steps: [{STEP}]}}]",
        "",
        "line 7: sequences[0].trigger",
        "nowhere",
    ),
    (
        "sequences:\n  - name: x\n    enabled: true\n    trigger: {follow: any}\n    branches:\n"
        "      - steps:\n          - {after_days: 31, at: '10:00', messages: [{text: hi}]}",
        "",
        "line 10: sequences[0].branches[0].steps[0].after_days",
        "1 to 30",
    ),
    (
        "sequences:\n  - name: x\n    trigger: {follow: any}\n    branches:\n      - steps:\n"
        f"{''.join(f'          - {STEP}{chr(10)}' for _ in range(11))}",
        "",
        "line 19: sequences[0].branches[0].steps[10]",
        "at most 10",
    ),
    (
        "sequences:\n  - name: x\n    enabled: true\n    trigger: {follow: any}\n    branches:\n"
        "      - steps:\n          - after_days: 1\n            at: '10:00'\n"
        "            messages:\n              - {text: hi}\n              - {coupon: nope}",
        "",
        "line 14: sequences[0].branches[0].steps[0].messages[1]",
        "",
    ),
    ("broadcasts: [{name: x, at: '2026-11-30T10:00'}]", "", "line 4: broadcasts[0].at", "offset"),
    ("broadcasts: [{name: x, to: {tag: 沒有}}]", "", "line 4: broadcasts[0].to", "沒有"),
    (
        "broadcasts: [{name: x, messages: [{text: hi}], state: scheduled}]",
        "",
        "line 4: broadcasts[0]",
        "whom",
    ),
    (
        "broadcasts: [{name: x, to: {all: []}, state: scheduled}]",
        "",
        "line 4: broadcasts[0]",
        "message",
    ),
    ("broadcasts: [{name: x, state: soon}]", "", "line 4: broadcasts[0].state", "'draft'"),
    (
        "broadcasts: [{name: x, holdout_percent: 99}]",
        "",
        "line 4: broadcasts[0].holdout",
        "0 to 50",
    ),
]


@pytest.mark.parametrize(
    ("more", "instead", "place", "word"), MISTAKES, ids=[case[2] for case in MISTAKES]
)
def test_a_mistake_has_a_line_and_a_field_and_changes_nothing(
    load: Any, more: str, instead: str, place: str, word: str
) -> None:
    text = GOOD.replace("version: 1", instead) if instead else GOOD + more
    empty = shopfile.as_data()
    with i18n.use_locale("en"), pytest.raises((ShopFileError, ShopFileErrors)) as caught:
        load(text)
    lines = told(caught.value)
    assert lines[0].startswith(place), lines
    assert word in lines[0], lines
    assert shopfile.as_data() == empty
    assert Audit.select().count() == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\ntags: [", "line 2"),
        ("version: 1\n\ttags: []", "line 2"),
        ("version: 1\ntags: []\ntags: []", "line 3: tags: stands here twice"),
        ("- 1\n- 2", "line 1"),
        ("", "line 1"),
        ("hello", "line 1"),
        ("{}", "version: is missing"),
        ("version: 1\ntags: [{name: a, color: !foo x}]", ""),
        ("version: 1\n1: 2", "line 1"),
        ("a: &a [*a]", ""),
        ("version: 1\nx: " + "[" * 500, ""),
        ("version: 1\ntags: " + "&a [" * 3 + "]" * 3, ""),
        ("%YAML 3.0\n---\nversion: 1", ""),
        ("version: 1\x00", ""),
        ("version: 1\n---\nversion: 1", ""),
    ],
)
def test_what_is_no_yaml_or_no_shop_is_refused_in_words(load: Any, text: str, place: str) -> None:
    with pytest.raises((ShopFileError, ShopFileErrors)) as caught:
        load(text)
    assert told(caught.value)[0].startswith(place), told(caught.value)


def test_a_small_file_cannot_grow_without_end(load: Any) -> None:
    levels = "\n".join(
        f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 9)
    )
    with pytest.raises((ShopFileError, ShopFileErrors), match="more than a shop"):
        load(f"a0: &a0 [x]\n{levels}\nversion: 1")


def test_all_mistakes_of_form_are_told_at_once_in_the_order_of_their_lines(load: Any) -> None:
    with pytest.raises(ShopFileErrors) as caught:
        load("version: 1\nshop: {x: 1}\ntags: [{nam: a}]\ngreeting: {messages: 3}\n")
    lines = [error.line for error in caught.value.errors]
    assert lines == sorted(lines) == [2, 3, 3, 4]


def test_json_is_yaml_too(load: Any) -> None:
    load('{"version": 1, "tags": [{"name": "熟客", "color": "#e07a2f"}]}')
    assert shopfile.as_data()["tags"] == [{"name": "熟客", "color": "#e07a2f", "kind": "static"}]
