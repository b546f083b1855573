import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.coupons.card import CardView
from lineadmin.i18n import use_locale
from lineadmin.line import limits
from lineadmin.line.text import utf16_length
from lineadmin.messages.parts import (
    CouponCard,
    Image,
    QuickReplies,
    QuickReply,
    Sticker,
    Text,
)
from lineadmin.messages.render import Context, is_personal, render, uses_name

BASE = "https://shop.example"
VIEW = CardView(
    benefit_text="8 折",
    title="雙拼便當 8 折",
    validity_text="2026/11/30（一）前",
    minimum_text="最低消費 NT$100",
    url=f"{BASE}/c/t",
)


def card(view=VIEW, **more):
    context = Context(BASE, coupons={"bento20": view}, **more)
    (message,) = render([CouponCard(coupon="bento20")], context)
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


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://shop.example/菜單?q=ab", "https://shop.example/%E8%8F%9C%E5%96%AE?q=ab"),
        ("HTTPS://Shop.Example:8443/A", "https://shop.example:8443/A"),
        ("https://便當.example/", "https://xn--wtq623g.example/"),
        ("https://shop.example/100%", "https://shop.example/100%25"),
        ("https://shop.example/%E8", "https://shop.example/%E8"),
        ("tel:0912-345-678", "tel:0912-345-678"),
    ],
)
def test_addresses_are_sent_percent_encoded(typed, sent):
    replies = QuickReplies(replies=(QuickReply(label="a", uri=typed),))
    (message,) = render([Text(text="a"), replies], Context(BASE))
    assert message["quickReply"]["items"][0]["action"]["uri"] == sent


def test_a_coupon_card_says_what_until_when_and_opens_the_coupon():
    message = card()
    assert words(message["contents"]) == [
        "8 折",
        "雙拼便當 8 折",
        "最低消費 NT$100",
        "2026/11/30（一）前",
    ]
    assert message["altText"] == "【雙拼便當 8 折】最低消費 NT$100・2026/11/30（一）前"
    (button,) = message["contents"]["footer"]["contents"]
    assert button["action"] == {
        "type": "uri",
        "label": "查看優惠券",
        "uri": "https://shop.example/c/t",
    }


def test_a_card_keeps_the_language_of_friends_whoever_renders_it():
    with use_locale("en"):
        assert "查看優惠券" in str(card())
    assert "View coupon" in str(card(locale="en"))


def test_lines_without_words_are_left_out():
    bare = replace(VIEW, minimum_text="", validity_text="", benefit_text="")
    assert words(card(bare)["contents"]) == ["雙拼便當 8 折"] * 2


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
    st.builds(
        CardView,
        benefit_text=st.text(max_size=300),
        title=st.text(min_size=1, max_size=60),
        validity_text=st.text(max_size=60),
        minimum_text=st.text(max_size=60),
        url=st.just(VIEW.url),
    )
)
def test_every_card_stays_within_lines_limits(view):
    message = card(view)
    size = len(json.dumps(message["contents"], ensure_ascii=True).encode())
    assert size <= limits.FLEX_BUBBLE_BYTES
    assert 0 < utf16_length(message["altText"]) <= limits.ALT_TEXT_UNITS
    assert all(words(message["contents"]))


def test_a_text_that_a_name_made_too_long_is_cut():
    (message,) = render([Text(text="字" * 4999 + "{name}")], Context(BASE, name="小明明"))
    assert utf16_length(message["text"]) == limits.TEXT_UNITS
