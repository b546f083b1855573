"""Advice while writing; none of it keeps a message from being sent."""

import pytest

from lineadmin.messages.cards import Card, CardButton
from lineadmin.messages.check import check_parts
from lineadmin.messages.hints import hints
from lineadmin.messages.parts import Cards, Image, QuickReplies, QuickReply, RichMessage, Text
from lineadmin.messages.rich import Area


def codes(*parts):
    return [(hint.part_index, hint.code) for hint in hints(parts)]


def labelled(label):
    return QuickReplies(replies=(QuickReply(label=label, text="a"),))


def test_a_short_clear_message_gets_no_advice():
    assert codes(Text(text="今天買一送一"), labelled("看菜單")) == []


def test_length_counts():
    assert codes(Text(text="字" * 500), Image(upload="a")) == []
    assert codes(Text(text="字" * 501), Image(upload="a")) == [(0, "long_text")]
    assert codes(*[Text(text="a")] * 3) == []
    assert codes(*[Text(text="a")] * 4) == [(None, "many_bubbles")]


def test_many_words_want_a_picture():
    assert codes(Text(text="字" * 200)) == []
    assert codes(Text(text="字" * 101), Text(text="字" * 100)) == [(None, "no_picture")]
    assert codes(Text(text="字" * 300), Image(upload="a")) == []


def test_a_link_in_the_first_bubble_is_early():
    assert codes(Text(text="看 https://shop.example")) == [(0, "link_first")]
    assert codes(Text(text="新菜單來了"), Text(text="https://shop.example")) == []


@pytest.mark.parametrize(
    "label", ["點我", "點我 👉", "【點我】", "請點我！", "Click here", "こちら"]
)
def test_a_button_says_what_comes_next(label):
    expected = [(1, "vague_label")]
    assert codes(Text(text="a"), labelled(label)) == expected
    cards = Cards(alt="a", cards=(Card(title="a", buttons=(CardButton(label=label, text="b"),)),))
    assert codes(cards) == [(0, code) for _index, code in expected]
    assert codes(Text(text="a"), labelled("點我看菜單")) == []


def test_areas_that_overlap_or_are_tiny():
    def rich(*boxes):
        areas = tuple(
            Area(x=x, y=y, width=width, height=height, text="a") for x, y, width, height in boxes
        )
        return RichMessage(image="t", height=1040, alt="a", areas=areas)

    assert codes(rich((0, 0, 520, 1040), (520, 0, 520, 1040))) == []
    assert codes(rich((0, 0, 521, 1040), (520, 0, 520, 1040))) == [(0, "areas_overlap")]
    assert codes(rich((0, 0, 40, 1040))) == [(0, "area_small")]


def test_advice_stops_nobody():
    parts = [
        Text(text="https://shop.example " + "字" * 600),
        *[Text(text="a")] * 4,
        labelled("點我"),
    ]
    assert len(hints(parts)) >= 4
    assert check_parts(parts) == []
