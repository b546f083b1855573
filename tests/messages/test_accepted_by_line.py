"""What passes our own check is what LINE takes: judged by the pretend LINE, strict on purpose."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineadmin.coupons.card import CardView
from lineadmin.line.errors import LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.messages.cards import Card, CardButton
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import (
    Cards,
    CouponCard,
    Image,
    QuickReplies,
    QuickReply,
    RichMessage,
    Sticker,
    Text,
    Video,
    dump_parts,
    parse_parts,
)
from lineadmin.messages.render import Context, render
from lineadmin.messages.rich import Area
from lineadmin.messages.stickers import PACKS
from lineadmin.simulator.checks import check_messages

BASE = "https://shop.example"
OPENAPI = os.environ.get("LINE_OPENAPI_DIR", "")

# Letters that count differently in units and graphemes, and braces.
pieces = [*"ab 便當🍱👨👩👧é{}|\u200d\n", "{name}", "{name|}", "{name|貴賓}", "{{"]
words = st.lists(st.sampled_from(pieces), max_size=12).map("".join)
short = st.text(st.sampled_from("a便🍱👨👩👧\u200d"), min_size=1, max_size=24)
stickers = st.sampled_from([(pack.package_id, one) for pack in PACKS for one in pack.sticker_ids])
links = st.one_of(
    st.sampled_from(["https://shop.example/?q=%E8%8F%9C", "tel:0912345678", "line://nv/camera"]),
    st.text(st.sampled_from('ab菜🍱%2/?#:@[]&= "<>\\^`{|}'), max_size=12).map(
        "https://x.example/{}".format
    ),
    st.text(max_size=12).map("https://{}".format),
    st.text(max_size=12),
)
replies = st.one_of(
    st.builds(QuickReply, label=short, text=short),
    st.builds(QuickReply, label=short, uri=links),
    st.builds(QuickReply, label=short, postback=short),
    st.builds(
        QuickReply,
        label=short,
        ask=st.sampled_from(["location", "camera", "album", "date", "time", "datetime"]),
        data=st.none() | short,
    ),
)
numbers = st.integers(-20, 1100)
boxes = {"x": numbers, "y": numbers, "width": numbers, "height": numbers}
areas = st.one_of(
    st.builds(Area, **boxes, uri=links),
    st.builds(Area, **boxes, text=words),
    st.builds(Area, **boxes, copy=words),
)
rich_messages = st.builds(
    RichMessage,
    image=st.just("a-token"),
    height=st.integers(1, 2200),
    alt=words,
    areas=st.lists(areas, max_size=3).map(tuple),
)
buttons = st.one_of(
    st.builds(CardButton, label=short, uri=links),
    st.builds(CardButton, label=short, text=words),
    st.builds(CardButton, label=short, postback=words),
    st.builds(CardButton, label=short, coupon=st.just("c")),
)
card_lists = st.builds(
    Cards,
    alt=words,
    cards=st.lists(
        st.builds(
            Card,
            image=st.none() | st.just("a-token"),
            title=st.none() | words,
            text=st.none() | words,
            buttons=st.lists(buttons, max_size=3).map(tuple),
        ),
        max_size=13,
    ).map(tuple),
)
films = st.one_of(
    st.builds(Video, url=links, preview=st.just("a-token")),
    st.just(Video(upload="a-film", preview="a-token")),
)
parts_lists = st.builds(
    lambda parts, buttons: [*parts, *([QuickReplies(replies=tuple(buttons))] if buttons else [])],
    st.lists(
        st.one_of(
            st.builds(Text, text=words),
            stickers.map(lambda one: Sticker(package_id=one[0], sticker_id=one[1])),
            st.just(Image(upload="a-token-of-a-picture")),
            st.just(CouponCard(coupon="c")),
            rich_messages,
            card_lists,
            films,
        ),
        min_size=1,
        max_size=6,
    ),
    st.lists(replies, max_size=14),
)
cards = st.builds(
    CardView,
    benefit_text=st.text(max_size=70),
    title=st.text(min_size=1, max_size=60).filter(str.strip),
    validity_text=st.text(max_size=60),
    minimum_text=st.text(max_size=40),
    url=st.just(f"{BASE}/c/t"),
)


@settings(max_examples=300, deadline=None)
@given(parts_lists, cards, st.text(max_size=60) | st.none())
def test_what_passes_our_check_is_taken_by_line(parts, card, name):
    stored = parse_parts(dump_parts(parts))
    if check_parts(stored):
        return
    found: list = []
    check_messages(render(stored, Context(BASE, name=name, coupons={"c": card})), found)
    assert found == []


def test_the_longest_text_is_taken():
    for text in ("字" * 5000, "🍱" * 2500):
        assert check_parts([Text(text=text)]) == []
        found: list = []
        check_messages(render([Text(text=text)], Context(BASE)), found)
        assert found == []


def test_the_fullest_cards_are_taken():
    """12 cards of the longest words: what our own count allows, LINE's allows too."""

    def full(letters, tail):
        button = CardButton(label="鈕" * 20, uri=f"https://x.example/{'a' * tail}")
        card = Card(image="t", title="題" * 40, text="字" * letters, buttons=(button,) * 3)
        return Cards(alt="a", cards=(card,) * 12)

    found: list = []
    taken = full(160, 300)
    assert check_parts([taken]) == []
    check_messages(render([taken], Context(BASE)), found)
    assert found == []
    too_much = full(160, 900)
    assert [problem.field for problem in check_parts([too_much])] == ["cards"]
    check_messages(render([too_much], Context(BASE)), found)
    assert found


def test_line_validates_and_refuses_through_the_gateway(line, line_config):
    gateway = Gateway(line_config)
    gateway.validate("push", render([Text(text="hi")], Context(BASE)))
    with pytest.raises(LineRefused) as refused:
        gateway.validate("push", [{"type": "text", "text": ""}])
    assert refused.value.details
    gateway.close()


@pytest.mark.skipif(not OPENAPI, reason="LINE_OPENAPI_DIR is unset")
def test_a_message_of_every_kind_fits_lines_own_schema():
    import yaml
    from openapi_schema_validator import OAS30Validator

    spec = yaml.safe_load((Path(OPENAPI) / "messaging-api.yml").read_text(encoding="utf-8"))
    schemas = spec["components"]["schemas"]
    view = CardView("8 折", "雙拼便當 8 折", "領取後 7 天內有效", "最低消費 NT$100", f"{BASE}/c/t")
    parts = [
        Text(text="{name}"),
        Sticker(package_id="446", sticker_id="1988"),
        Image(upload="a-token-of-a-picture"),
        CouponCard(coupon="c"),
        RichMessage(
            image="t",
            height=1040,
            alt="a",
            areas=(
                Area(x=0, y=0, width=520, height=1040, uri=BASE),
                Area(x=520, y=0, width=520, height=520, text="菜單"),
                Area(x=520, y=520, width=520, height=520, copy="BENTO20"),
            ),
        ),
        Cards(
            alt="a",
            cards=(
                Card(title="a", buttons=(CardButton(label="b", coupon="c"),)),
                Card(image="t", text="a", buttons=(CardButton(label="b", postback="c"),)),
            ),
        ),
        Video(upload="f", preview="t"),
        QuickReplies(
            replies=(
                QuickReply(label="不再通知", postback="opt_out"),
                QuickReply(label="位置", ask="location"),
                QuickReply(label="拍照", ask="camera"),
                QuickReply(label="相簿", ask="album"),
                QuickReply(label="日期", ask="date"),
                QuickReply(label="時間", ask="datetime", data="t"),
            )
        ),
    ]
    kinds = schemas["Message"]["discriminator"]["mapping"]
    for message in render(parts, Context(BASE, coupons={"c": view})):
        reference = kinds[message["type"]]
        validator = OAS30Validator({"$ref": reference, "components": spec["components"]})
        assert [error.message for error in validator.iter_errors(message)] == []
