import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.errors import DomainError
from lineadmin.messages.parts import (
    CouponCard,
    Image,
    PartsError,
    QuickReplies,
    QuickReply,
    RichMessage,
    Sticker,
    Text,
    bubbles,
    coupon_codes,
    dump_parts,
    parse_parts,
    quick_replies,
    upload_tokens,
    uris,
)
from lineadmin.messages.summary import summarise

SHOP_FILE = [
    {"text": "歡迎 {name}！"},
    {"sticker": {"package": "446", "id": "1988"}},
    {"image": "aToken"},
    {"coupon": "bento20"},
    {
        "rich_message": {
            "image": "wide",
            "height": 520,
            "alt": "本週特餐",
            "areas": [
                {"x": 0, "y": 0, "width": 520, "height": 520, "uri": "https://shop.example/1"},
                {"x": 520, "y": 0, "width": 520, "height": 520, "copy": "BENTO20"},
            ],
        }
    },
    {
        "cards": {
            "alt": "三種便當",
            "cards": [
                {
                    "image": "card",
                    "title": "雞腿",
                    "text": "NT$100",
                    "buttons": [
                        {"label": "訂", "uri": "https://shop.example/2"},
                        {"label": "領券", "coupon": "leg10"},
                    ],
                }
            ],
        }
    },
    {"video": {"url": "https://shop.example/a.mp4", "preview": "still"}},
    {
        "quick_replies": [
            {"label": "看菜單", "text": "菜單"},
            {"label": "附近門市", "uri": "https://shop.example/map"},
            {"label": "不再通知", "postback": "opt_out"},
        ]
    },
]

words = st.text(max_size=12)
replies = st.builds(
    lambda label, kind, value: {"label": label, kind: value},
    words,
    st.sampled_from(["text", "uri", "postback"]),
    words,
)
items = st.one_of(
    words.map(lambda value: {"text": value}),
    st.builds(lambda a, b: {"sticker": {"package": a, "id": b}}, words, st.integers(0, 9999)),
    words.map(lambda value: {"image": value}),
    words.map(lambda value: {"coupon": value}),
)
message_lists = st.builds(
    lambda parts, buttons: [*parts, *([{"quick_replies": buttons}] if buttons else [])],
    st.lists(items, max_size=6),
    st.lists(replies, max_size=4),
)


def test_the_shop_files_form_is_read_and_written():
    parts = parse_parts(SHOP_FILE)
    assert parts[:4] == [
        Text(text="歡迎 {name}！"),
        Sticker(package_id="446", sticker_id="1988"),
        Image(upload="aToken"),
        CouponCard(coupon="bento20"),
    ]
    assert isinstance(parts[4], RichMessage)
    assert parts[4].areas[1].copy_text == "BENTO20"
    assert parts[7] == QuickReplies(
        replies=(
            QuickReply(label="看菜單", text="菜單"),
            QuickReply(label="附近門市", uri="https://shop.example/map"),
            QuickReply(label="不再通知", postback="opt_out"),
        )
    )
    assert dump_parts(parts) == SHOP_FILE
    assert len(bubbles(parts)) == 7
    assert [reply.label for reply in quick_replies(parts)] == ["看菜單", "附近門市", "不再通知"]
    assert coupon_codes(parts) == ["bento20", "leg10"]
    assert upload_tokens(parts) == ["aToken", "wide", "card", "still"]
    assert uris(parts) == [f"https://shop.example/{one}" for one in ("1", "2", "map")]


def test_a_message_in_one_line(db):
    assert summarise(parse_parts(SHOP_FILE)) == (
        "歡迎 {name}！ 🙂 🖼️ 🎟️ bento20 🖼️ 本週特餐 🗂️ 三種便當 🎬"
    )


def test_numbers_of_stickers_and_coupons_may_come_without_quotes():
    parts = parse_parts([{"sticker": {"package": 446, "id": 1988}}, {"coupon": 2026}])
    assert parts == [Sticker(package_id="446", sticker_id="1988"), CouponCard(coupon="2026")]


@pytest.mark.parametrize(
    ("wrong", "path", "said"),
    [
        ("text", (), "清單"),
        ({"text": "a"}, (), "清單"),
        (["text"], (0,), "物件"),
        ([{}], (0,), "剛好"),
        ([{"text": "a", "image": "b"}], (0,), "剛好"),
        ([{"text": "a"}, {"txt": "b"}], (1, "txt"), "第 2 則：不認識「txt」"),
        ([{"text": "a", "bold": True}], (0, "bold"), "不認識「bold」"),
        ([{"text": 5}], (0, "text"), "引號"),
        ([{"text": None}], (0, "text"), "引號"),
        ([{"sticker": {"package": "446"}}], (0, "sticker", "id"), "缺少「id」"),
        ([{"sticker": {"package": "446", "id": "1", "x": 1}}], (0, "sticker", "x"), "package, id"),
        ([{"sticker": "446"}], (0, "sticker"), "格式不對"),
        ([{"sticker": {"package": "446", "id": "1"}, "x": 1}], (0, "x"), "不認識「x」"),
        ([{"coupon": ["a"]}], (0, "coupon"), "引號"),
        ([{"quick_replies": []}, {"text": "a"}], (0, "quick_replies"), "所有訊息之後"),
        ([{"quick_replies": "no"}], (0, "quick_replies"), "格式不對"),
        ([{"quick_replies": [{"label": "a"}]}], (0, "quick_replies", 0), "剛好有一個"),
        (
            [{"quick_replies": [{"label": "a", "text": "b", "uri": "c"}]}],
            (0, "quick_replies", 0),
            "text, uri, postback, ask",
        ),
        (
            [{"quick_replies": [{"label": "a", "ask": "money"}]}],
            (0, "quick_replies", 0, "ask"),
            "location, camera, album, date, time, datetime",
        ),
        (
            [{"rich_message": {"image": "t", "height": 520, "alt": "a", "areas": [{"x": 0}]}}],
            (0, "rich_message", "areas", 0, "y"),
            "缺少「y」",
        ),
        (
            [{"cards": {"alt": "a", "cards": [{"buttons": [{"label": "b", "url": "c"}]}]}}],
            (0, "cards", "cards", 0, "buttons", 0, "url"),
            "label, uri, text, postback, coupon",
        ),
        (
            [{"cards": {"alt": "a", "cards": [{"titel": "b"}]}}],
            (0, "cards", "cards", 0, "titel"),
            "image, title, text, buttons",
        ),
        ([{"video": {"preview": "p"}}], (0, "video"), "upload, url"),
        (
            [{"quick_replies": [{"label": "a", "txt": "b"}]}],
            (0, "quick_replies", 0, "txt"),
            "label, text, uri, postback",
        ),
        ([{"text": "a"}] * 101, (), "太多"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(wrong, path, said):
    with pytest.raises(PartsError) as caught:
        parse_parts(wrong)
    assert caught.value.path == path
    assert said in str(caught.value)
    assert isinstance(caught.value, DomainError)


def test_line_ends_and_control_characters_are_tidied():
    (part,) = parse_parts([{"text": "a\r\nb\rc\x00\x07\n\n"}])
    assert part.text == "a\nb\nc"
    (part,) = parse_parts([{"text": "half \ud83c"}])
    assert part.text == "half "
    (part,) = parse_parts([{"text": "👨‍👩‍👧 family"}])
    assert part.text == "👨‍👩‍👧 family"


@given(message_lists)
def test_written_and_read_again_nothing_has_changed(json_form):
    parts = parse_parts(json_form)
    written = dump_parts(parts)
    assert parse_parts(json.loads(json.dumps(written))) == parts
    assert dump_parts(parse_parts(written)) == written
    json.dumps(written, ensure_ascii=False).encode()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["text", "sticker", "package", "id", "quick_replies", "label", "x"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=10,
    )
)
def test_anything_else_is_read_or_refused(json_form):
    with contextlib.suppress(PartsError):
        parse_parts(json_form)


def test_a_long_message_is_summarised():
    assert summarise([Text(text="便當 " * 100)]).endswith("…")
