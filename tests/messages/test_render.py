import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.i18n import use_locale
from lineadmin.line import limits
from lineadmin.line.text import utf16_length
from lineadmin.messages.coupon_card import benefit_words
from lineadmin.messages.parts import (
    CouponCard,
    Image,
    QuickReplies,
    QuickReply,
    Sticker,
    Text,
)
from lineadmin.messages.references import CouponFace
from lineadmin.messages.render import Context, CouponCopy, is_personal, render, uses_name

BASE = "https://shop.example"
FACE = CouponFace("bento20", "雙拼便當 8 折", "percent", 20, minimum_spend=100, valid_days=7)
ENDS = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # 24:00 on the 30th in Taipei
COPY = CouponCopy(FACE, f"{BASE}/c/aToken", ENDS)


def card(face=FACE, ends=ENDS, **more):
    context = Context(BASE, coupons={face.code: CouponCopy(face, f"{BASE}/c/t", ends)}, **more)
    (message,) = render([CouponCard(coupon=face.code)], context)
    return message


def words(node):
    if isinstance(node, dict):
        if node.get("type") == "text":
            return [node["text"]]
        return [word for value in node.values() for word in words(value)]
    if isinstance(node, list):
        return [word for value in node for word in words(value)]
    return []


def test_texts_stickers_and_pictures_become_lines_objects():
    parts = [
        Text(text="歡迎 {name}！"),
        Sticker(package_id="446", sticker_id="1988"),
        Image(upload="abc"),
    ]
    assert render(parts, Context(BASE, name="小明")) == [
        {"type": "text", "text": "歡迎 小明！"},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {
            "type": "image",
            "originalContentUrl": "https://shop.example/media/abc/original",
            "previewImageUrl": "https://shop.example/media/abc/preview",
        },
    ]


def test_quick_replies_hang_on_the_last_message():
    replies = (
        QuickReply(label="看菜單", text="菜單"),
        QuickReply(label="門市", uri="https://shop.example"),
        QuickReply(label="不再通知", postback="opt_out"),
    )
    first, last = render(
        [Text(text="a"), Text(text="b"), QuickReplies(replies=replies)], Context(BASE)
    )
    assert "quickReply" not in first
    assert [item["action"] for item in last["quickReply"]["items"]] == [
        {"type": "message", "label": "看菜單", "text": "菜單"},
        {"type": "uri", "label": "門市", "uri": "https://shop.example"},
        {
            "type": "postback",
            "label": "不再通知",
            "data": "opt_out",
            "displayText": "不再通知",
        },
    ]


def test_a_coupon_card_says_what_until_when_and_opens_the_coupon():
    message = card()
    assert words(message["contents"]) == [
        "8 折",
        "雙拼便當 8 折",
        "消費滿 NT$100 可用",
        "有效至 2026/11/30（一）",
    ]
    assert message["altText"] == "【雙拼便當 8 折】 消費滿 NT$100 可用 有效至 2026/11/30（一）"
    (button,) = message["contents"]["footer"]["contents"]
    assert button["action"] == {
        "type": "uri",
        "label": "查看優惠券",
        "uri": "https://shop.example/c/t",
    }


def test_a_card_keeps_the_language_of_friends_whoever_renders_it():
    with use_locale("en"):
        assert "8 折" in words(card())
    assert "20% off" in words(card(locale="en"))


@pytest.mark.parametrize(
    ("face", "ends", "said"),
    [
        (replace(FACE, valid_days=7), None, "領取後 7 天內有效"),
        (replace(FACE, valid_days=None), None, None),
        (FACE, datetime(2026, 11, 30, 12, 0, tzinfo=UTC), "有效至 2026/11/30（一） 20:00"),
        (replace(FACE, valid_until=ENDS, valid_days=None), None, "有效至 2026/11/30（一）"),
    ],
)
def test_the_end_is_told_as_a_day_or_an_hour(face, ends, said):
    found = [word for word in words(card(face, ends)) if "有效" in word]
    assert found == ([said] if said else [])


@pytest.mark.parametrize(
    ("benefit", "value", "text", "said"),
    [
        ("percent", 20, "", "8 折"),
        ("percent", 15, "", "85 折"),
        ("percent", 12.5, "", "87.5 折"),
        ("percent", 50, "", "5 折"),
        ("percent", 95, "", "0.5 折"),
        ("percent", 100, "", "免費"),
        ("amount", 50, "", "折抵 NT$50"),
        ("cashback", 30, "", "回饋 NT$30"),
        ("gift", None, "味噌湯一碗", "味噌湯一碗"),
        ("gift", None, "", "T"),
        ("future", 5, "", "T"),
    ],
)
def test_benefits_are_named_as_in_taiwan(benefit, value, text, said):
    assert benefit_words(CouponFace("c", "T", benefit, value, text)) == said


def test_a_dropped_coupon_must_be_dropped_before():
    with pytest.raises(KeyError):
        render([CouponCard(coupon="gone")], Context(BASE))


@pytest.mark.parametrize(
    ("parts", "personal", "named"),
    [
        ([Text(text="hi")], False, False),
        ([Text(text="{name}")], True, True),
        ([Text(text="{{name}}")], False, False),
        ([Text(text="hi"), CouponCard(coupon="c")], True, False),
        ([Image(upload="a"), Sticker(package_id="1", sticker_id="1")], False, False),
    ],
)
def test_names_and_coupons_make_a_message_personal(parts, personal, named):
    assert is_personal(parts) == personal
    assert uses_name(parts) == named


@given(st.text(max_size=20), st.text(max_size=30) | st.none())
def test_what_is_not_personal_is_the_same_for_everybody(text, name):
    parts = [Text(text=text)]
    if not is_personal(parts):
        assert render(parts, Context(BASE, name=name)) == render(parts, Context(BASE))


@given(
    st.text(min_size=1, max_size=60),
    st.sampled_from(["percent", "amount", "gift", "cashback"]),
    st.floats(min_value=0.1, max_value=100) | st.none(),
    st.text(max_size=200),
)
def test_every_card_stays_within_lines_limits(title, benefit, value, text):
    message = card(CouponFace("c", title, benefit, value, text, valid_days=3))
    size = len(json.dumps(message["contents"], ensure_ascii=True).encode())
    assert size <= limits.FLEX_BUBBLE_BYTES
    assert 0 < utf16_length(message["altText"]) <= limits.ALT_TEXT_UNITS


def test_a_text_that_a_name_made_too_long_is_cut():
    (message,) = render([Text(text="字" * 4999 + "{name}")], Context(BASE, name="小明明"))
    assert utf16_length(message["text"]) == limits.TEXT_UNITS
