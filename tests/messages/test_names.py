import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.line.text import utf16_length
from lineadmin.messages.names import (
    NAME_UNITS,
    has_name,
    longest,
    parse,
    substitute,
    tidy,
    unknown_placeholders,
)

texts = st.text(st.sampled_from(list("{}|name 好友🍱x\n")), max_size=40)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("歡迎 {name}！", "小明", "歡迎 小明！"),
        ("歡迎 {name}！", None, "歡迎 朋友！"),
        ("歡迎 {name}！", "  ", "歡迎 朋友！"),
        ("{name|貴賓} 您好", None, "貴賓 您好"),
        ("{name|貴賓} 您好", "小明", "小明 您好"),
        ("{name|}您好", None, "您好"),
        ("{ name }", "小明", "小明"),
        ("{{name}}", "小明", "{name}"),
        ("{{{name}}}", "小明", "{小明}"),
        ("{name}", "{name|x}", "{name|x}"),
        ("{name}", "小\n明", "小 明"),
        ("笑 :} 臉 :{", "小明", "笑 :} 臉 :{"),
        ("{price} 元", "小明", "{price} 元"),
    ],
)
def test_names_stand_where_the_text_says(text, name, said):
    assert substitute(text, name) == said


@pytest.mark.parametrize(
    ("text", "unknown"),
    [("{price} {name}", ["{price}"]), ("{{price}}", []), ("{}", ["{}"]), ("{ , {name}", [])],
)
def test_unknown_placeholders_are_found(text, unknown):
    assert unknown_placeholders(text) == unknown


def test_very_long_names_are_cut():
    assert utf16_length(tidy("名" * 200)) == NAME_UNITS
    assert tidy("👨‍👩‍👧‍👦" * 20) == "👨‍👩‍👧‍👦" * (NAME_UNITS // 11)


@given(texts, st.text(max_size=60) | st.none())
def test_nothing_makes_it_fail_and_braces_in_names_stay(text, name):
    said = substitute(text, name)
    assert utf16_length(said) <= utf16_length(longest(text))
    if not has_name(text):
        assert said == substitute(text, None)


@given(texts)
def test_doubled_braces_come_out_as_written(text):
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert substitute(escaped, "小明") == text
    assert unknown_placeholders(escaped) == []
    assert all(isinstance(piece, str) for piece in parse(escaped))
