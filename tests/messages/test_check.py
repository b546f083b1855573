from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.i18n import use_locale
from lineadmin.line import limits
from lineadmin.messages.check import (
    Problem,
    check_parts,
    located,
    require_sendable,
)
from lineadmin.messages.hints import hints
from lineadmin.messages.parts import (
    CouponCard,
    Image,
    QuickReplies,
    QuickReply,
    Sticker,
    Text,
)
from lineadmin.messages.references import References
from tests.conftest import NOON


def bento(**changes):
    return Coupon(**{"code": "bento20", "title": "雙拼便當 8 折", "benefit": "percent", **changes})


def sentences(parts, **more):
    return [problem.sentence for problem in check_parts(parts, **more)]


def test_a_plain_message_has_no_problems():
    parts = [
        Text(text="{name} 週一快樂！"),
        Sticker(package_id="446", sticker_id="1988"),
        QuickReplies(replies=(QuickReply(label="不再通知", postback="opt_out"),)),
    ]
    assert check_parts(parts) == []
    assert hints(parts) == []


def test_texts_count_in_utf16_units():
    assert check_parts([Text(text="字" * 5000)]) == []
    assert check_parts([Text(text="🍱" * 2500)]) == []
    (problem,) = check_parts([Text(text="hi"), Text(text="🍱" * 2501)])
    assert problem == Problem(1, "text", "多了 2 個字：LINE 最多 5,000 字，表情符號算兩個字。")


def test_a_name_takes_room_too():
    assert check_parts([Text(text="字" * 4960 + "{name}")]) == []
    assert check_parts([Text(text="字" * 4961 + "{name}")]) != []
    assert check_parts([Text(text="字" * 4950 + "{name|" + "貴" * 51 + "}")]) != []


@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_one_to_five_bubbles(count):
    buttons = QuickReplies(replies=(QuickReply(label="a", text="b"),))
    problems = check_parts([*[Text(text="a")] * count, buttons])
    assert bool(problems) == (count not in (1, 5))
    if count == 6:
        assert problems[0].sentence == "LINE 一次最多 5 則，請刪掉 1 則。"


@pytest.mark.parametrize(
    ("part", "field", "said"),
    [
        (Text(text=" \n "), "text", "請輸入文字"),
        (Text(text="{price} 元"), "text", "看不懂 {price}"),
        (Text(text="{name|}"), "text", "沒有名字時"),
        (Sticker(package_id="", sticker_id="1"), "sticker", "兩個號碼"),
        (Sticker(package_id="446", sticker_id="１"), "sticker", "兩個號碼"),
        (Sticker(package_id="446", sticker_id="9" * 21), "sticker", "沒有這個貼圖"),
        (CouponCard(coupon=""), "coupon", "請選擇"),
    ],
)
def test_each_part_says_what_is_wrong(part, field, said):
    (problem,) = check_parts([part])
    assert (problem.part_index, problem.field) == (0, field)
    assert said in problem.sentence


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        ({"label": " ", "text": "b"}, "label"),
        ({"label": "字" * 21, "text": "b"}, "label"),
        ({"label": "👨‍👩‍👧‍👦" * 20, "text": "b"}, None),
        ({"label": "{name}", "text": "b"}, "label"),
        ({"label": "a", "text": ""}, "text"),
        ({"label": "a", "text": "👨‍👩‍👧‍👦" * 300}, None),
        ({"label": "a", "text": "字" * 301}, "text"),
        ({"label": "a", "uri": "https://shop.example/?a=1#b"}, None),
        ({"label": "a", "uri": "tel:0912345678"}, None),
        ({"label": "a", "uri": "line://nv/camera"}, None),
        ({"label": "a", "uri": "https://shop.example/菜單?名=🍱"}, None),
        ({"label": "a", "uri": "shop.example"}, "uri"),
        ({"label": "a", "uri": "https://a:b@shop.example/"}, "uri"),
        ({"label": "a", "uri": "tel:"}, "uri"),
        ({"label": "a", "uri": "https://"}, "uri"),
        ({"label": "a", "uri": "https://[x"}, "uri"),
        ({"label": "a", "uri": "javascript:alert(1)"}, "uri"),
        ({"label": "a", "uri": "https://shop.example/a b"}, "uri"),
        ({"label": "a", "uri": "https://shop.example/" + "a" * 1000}, "uri"),
        ({"label": "a", "postback": ""}, "postback"),
        ({"label": "a", "postback": "a" * 301}, "postback"),
        ({"label": "我的位置", "ask": "location"}, None),
        ({"label": "訂位日期", "ask": "date", "data": "booking"}, None),
        ({"label": "訂位日期", "ask": "date", "data": "a" * 301}, "data"),
    ],
)
def test_quick_replies_are_checked_one_by_one(reply, field):
    good = QuickReply(label="看菜單", text="菜單")
    buttons = QuickReplies(replies=(good, QuickReply(**reply)))
    problems = check_parts([Text(text="hi"), buttons])
    expected = [] if field is None else [(1, f"replies[1].{field}")]
    assert [(problem.part_index, problem.field) for problem in problems] == expected


def test_thirteen_quick_replies_are_the_most():
    reply = QuickReply(label="a", text="b")
    assert check_parts([Text(text="a"), QuickReplies(replies=(reply,) * 13)]) == []
    assert check_parts([Text(text="a"), QuickReplies(replies=(reply,) * 14)]) != []


def test_pictures_and_coupons_must_exist():
    parts = [Image(upload="gone"), CouponCard(coupon="gone")]
    assert sentences(parts) == []
    assert sentences(parts, references=References()) == [
        "這張圖片已經不存在，請重新上傳。",
        "沒有「gone」這張優惠券。",
    ]
    known = References({"gone": bento()}, {"gone": (800, 600)})
    assert sentences(parts, references=known) == []


def test_closed_and_expired_coupons_are_refused():
    card = [CouponCard(coupon="bento20")]
    closed = References({"bento20": bento(state="closed")})
    assert sentences(card, references=closed) == ["優惠券「雙拼便當 8 折」已經關閉。"]
    ended = References({"bento20": bento(valid_until=NOON)})
    assert sentences(card, references=ended, now=NOON) == ["優惠券「雙拼便當 8 折」已經過期。"]
    assert sentences(card, references=ended, now=NOON - timedelta(milliseconds=1)) == []


def test_without_a_public_address_pictures_cannot_go_out():
    assert sentences([Text(text="a")], public_url=None) == []
    assert len(sentences([Image(upload="a")], public_url=None)) == 1
    assert len(sentences([CouponCard(coupon="a")], public_url=None)) == 1


def test_what_cannot_be_sent_is_refused_with_its_place(db):
    with pytest.raises(DomainError) as caught:
        require_sendable(
            [Text(text="hi"), CouponCard(coupon="gone")], now=NOON, public_url="https://x.example"
        )
    assert str(caught.value) == "第 2 則：沒有「gone」這張優惠券。"
    require_sendable([Text(text="hi")], now=NOON, public_url=None)


def test_problems_speak_the_readers_language():
    problem_in_zh = check_parts([])[0]
    with use_locale("ja"):
        assert check_parts([])[0].sentence != problem_in_zh.sentence
        assert located(Problem(1, "text", "x")) == "2番目：x"


parts = st.lists(
    st.one_of(
        st.builds(Text, text=st.text(max_size=30)),
        st.text(max_size=5).map(lambda number: Sticker(package_id=number, sticker_id=number)),
        st.text(max_size=5).map(lambda token: Image(upload=token)),
        st.builds(CouponCard, coupon=st.text(max_size=5)),
        st.lists(st.builds(QuickReply, label=st.text(max_size=25), uri=st.text(max_size=25))).map(
            lambda replies: QuickReplies(replies=tuple(replies))
        ),
    ),
    max_size=7,
)


@given(parts)
def test_checking_never_fails(listed):
    for problem in check_parts(listed, references=References(), now=NOON, public_url=None):
        assert problem.sentence
        assert problem.part_index is None or problem.part_index < len(listed)
    hints(listed)
    assert limits.MESSAGES_PER_REQUEST == 5
