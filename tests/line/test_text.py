import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.line.text import (
    cut_to_graphemes,
    cut_to_units,
    grapheme_length,
    is_encodable,
    utf16_length,
)

FAMILY = "👨‍👩‍👧‍👦"
pieces = st.sampled_from(list("🍱🍎\u200d\ufe0f👨👩👧é\u0301\r\n"))
texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), pieces), max_size=60)


@pytest.mark.parametrize(
    ("text", "units", "graphemes"),
    [
        ("", 0, 0),
        ("便當", 2, 2),
        ("🍎", 2, 1),
        (FAMILY, 11, 1),
        ("e\u0301", 2, 1),
        ("a\r\nb", 4, 3),
        ("🇹🇼", 4, 1),
    ],
)
def test_emoji_count_as_line_counts_them(text, units, graphemes):
    assert utf16_length(text) == units
    assert grapheme_length(text) == graphemes


@given(texts)
def test_units_are_those_of_utf_16(text):
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


@given(texts)
def test_graphemes_are_those_of_unicode(text):
    assert grapheme_length(text) == len(regex.findall(r"\X", text))


@given(texts, st.integers(min_value=0, max_value=80))
def test_cutting_keeps_within_the_limit_and_splits_no_character(text, limit):
    kept = cut_to_units(text, limit)
    assert text.startswith(kept)
    assert utf16_length(kept) <= limit
    clusters = regex.findall(r"\X", text)
    assert kept == "".join(clusters[: len(regex.findall(r"\X", kept))])
    if kept != text:
        following = clusters[grapheme_length(kept)]
        assert utf16_length(kept) + utf16_length(following) > limit


@given(texts, st.integers(min_value=0, max_value=80))
def test_cutting_labels_counts_what_a_reader_sees(text, limit):
    assert cut_to_graphemes(text, limit) == "".join(regex.findall(r"\X", text)[:limit])


@given(st.text(max_size=20) | st.just("half \ud83c of an emoji"))
def test_half_a_character_is_noticed(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        assert not is_encodable(text)
    else:
        assert is_encodable(text)
