"""Rich messages, cards and films: their own rules, and what is drawn of them."""

import pytest

from lineadmin.coupons.card import CardView
from lineadmin.coupons.models import Coupon
from lineadmin.messages.cards import Card, CardButton
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import Cards, RichMessage, Text, Video, parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.messages.preview import preview
from lineadmin.messages.references import References
from lineadmin.messages.render import Context, is_personal, render
from lineadmin.messages.rich import Area
from tests.conftest import NOON
from tests.factories import make_friend

BASE = "https://shop.example"
WHOLE = {"x": 0, "y": 0, "width": 1040, "height": 520}


def rich(areas=None, **changes):
    areas = (Area(**WHOLE, uri=BASE),) if areas is None else tuple(areas)
    fields = {"image": "wide", "height": 520, "alt": "本週特餐", "areas": areas, **changes}
    return RichMessage(**fields)


def problems(part, size=(2080, 1040)):
    references = References({}, {"wide": size, "t": (100, 100)}, frozenset({"film"}))
    return {one.field: one.sentence for one in check_parts([part], references=references)}


def test_a_rich_message_becomes_an_imagemap():
    areas = [
        Area(x=0, y=0, width=520, height=520, uri="https://shop.example/菜單"),
        Area(x=520, y=0, width=520, height=260, text="菜單"),
        Area(x=520, y=260, width=520, height=260, copy="BENTO20"),
    ]
    assert problems(rich(areas)) == {}
    (message,) = render([rich(areas)], Context(BASE))
    assert message["baseUrl"] == f"{BASE}/media/wide/map"
    assert message["baseSize"] == {"width": 1040, "height": 520}
    assert message["altText"] == "本週特餐"
    assert [action["type"] for action in message["actions"]] == ["uri", "message", "clipboard"]
    assert message["actions"][0]["linkUri"] == "https://shop.example/%E8%8F%9C%E5%96%AE"
    assert message["actions"][2]["area"] == {"x": 520, "y": 260, "width": 520, "height": 260}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"image": ""}, "image", "請先選擇圖片"),
        ({"image": "gone"}, "image", "已經不存在"),
        ({"height": 700}, "image", "520"),
        ({"alt": " "}, "alt", "通知"),
        ({"alt": "字" * 1501}, "alt", "1500"),
        ({"alt": "{nama} 您好"}, "alt", "{nama}"),
        ({"alt": "{name}" + "字" * 1461}, "alt", "1500"),
        ({"areas": ()}, "areas", "至少"),
        ({"areas": (Area(**WHOLE, uri=BASE),) * 51}, "areas", "50"),
        ({"areas": (Area(**{**WHOLE, "x": 1}, uri=BASE),)}, "areas[0].box", "超出"),
        ({"areas": (Area(**{**WHOLE, "height": 521}, uri=BASE),)}, "areas[0].box", "超出"),
        ({"areas": (Area(**{**WHOLE, "width": 0}, uri=BASE),)}, "areas[0].box", "超出"),
        ({"areas": (Area(**WHOLE, uri="shop"),)}, "areas[0].value", "網址"),
        ({"areas": (Area(**WHOLE, text="字" * 401),)}, "areas[0].value", "400"),
        ({"areas": (Area(**WHOLE, copy=""),)}, "areas[0].value", "1000"),
    ],
)
def test_what_line_would_refuse_is_said_at_its_place(changes, field, said):
    found = problems(rich(**changes))
    assert list(found) == [field]
    assert said in found[field]


def test_a_picture_must_be_wide_enough_and_no_ribbon():
    assert "寬" in problems(rich(), size=(800, 400))["image"]
    assert "image" in problems(rich(height=2200), size=(1000, 2115))
    assert problems(rich(height=2080, areas=(Area(**WHOLE, uri=BASE),)), size=(1024, 2048)) == {}


def cards(*listed, alt="三種便當"):
    return Cards(alt=alt, cards=listed)


def button(label="訂", **action):
    return CardButton(label=label, **(action or {"uri": BASE}))


def test_cards_become_a_carousel_and_one_card_a_bubble():
    one = Card(image="t", title="雞腿", text="NT$100", buttons=(button(), button(text="雞腿")))
    two = Card(title="排骨", buttons=(button(postback="pork"),))
    assert problems(cards(one, two)) == {}
    (message,) = render([cards(one, two)], Context(BASE))
    first, second = message["contents"]["contents"]
    assert first["hero"]["url"] == f"{BASE}/media/t/preview"
    assert [text["text"] for text in first["body"]["contents"]] == ["雞腿", "NT$100"]
    assert [one["action"]["type"] for one in first["footer"]["contents"]] == ["uri", "message"]
    assert "hero" not in second
    assert second["footer"]["contents"][0]["action"]["displayText"] == "訂"
    assert render([cards(one)], Context(BASE))[0]["contents"]["type"] == "bubble"


@pytest.mark.parametrize(
    ("part", "field", "said"),
    [
        (cards(), "cards", "至少"),
        (cards(*[Card(title="a")] * 13), "cards", "12"),
        (cards(Card(title="a"), alt=""), "alt", "通知"),
        (cards(Card(image="t")), "cards[0].title", "標題"),
        (cards(Card(title="字" * 41)), "cards[0].title", "40"),
        (cards(Card(title="a"), Card(text="字" * 161)), "cards[1].text", "160"),
        (cards(Card(title="{nmae}")), "cards[0].title", "{nmae}"),
        (cards(Card(title="{name|}")), "cards[0].title", "沒有名字"),
        (cards(Card(title="a", buttons=(button("{name}"),))), "cards[0].buttons[0].label", "按鈕"),
        (cards(Card(title="a", image="gone")), "cards[0].image", "不存在"),
        (cards(Card(title="a", buttons=(button(),) * 4)), "cards[0].buttons", "3"),
        (cards(Card(title="a", buttons=(button("字" * 21),))), "cards[0].buttons[0].label", "20"),
        (cards(Card(title="a", buttons=(button(uri="x"),))), "cards[0].buttons[0].value", "網址"),
        (
            cards(Card(title="a", buttons=(button(coupon="gone"),))),
            "cards[0].buttons[0].value",
            "gone",
        ),
        (cards(Card(title="a", buttons=(button(coupon=""),))), "cards[0].buttons[0].value", "選擇"),
    ],
)
def test_cards_are_checked_one_by_one(part, field, said):
    found = problems(part)
    assert list(found) == [field]
    assert said in found[field]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Video(url="https://shop.example/a.mp4", preview="t"), None),
        (Video(upload="film", preview="t"), None),
        (Video(url="http://shop.example/a.mp4", preview="t"), "url"),
        (Video(url="", preview="t"), "url"),
        (Video(upload="", preview="t"), "url"),
        (Video(upload="gone", preview="t"), "url"),
        (Video(upload="film", preview=""), "preview"),
        (Video(upload="film", preview="gone"), "preview"),
    ],
)
def test_a_film_needs_an_https_address_and_a_picture(part, field):
    assert list(problems(part)) == ([] if field is None else [field])


def test_a_film_is_fetched_from_here_or_from_where_staff_keep_it():
    own, other = render(
        [Video(upload="film", preview="t"), Video(url=f"{BASE}/a.mp4", preview="t")],
        Context("https://panel.example"),
    )
    assert own["originalContentUrl"] == "https://panel.example/media/film/film.mp4"
    assert own["previewImageUrl"] == "https://panel.example/media/t/preview"
    assert other["originalContentUrl"] == f"{BASE}/a.mp4"


def test_counted_links_stand_in_for_what_staff_wrote():
    context = Context(BASE, links={BASE: f"{BASE}/t/x"})
    imagemap, flex = render([rich(), cards(Card(title="a", buttons=(button(),)))], context)
    assert imagemap["actions"][0]["linkUri"] == f"{BASE}/t/x"
    assert flex["contents"]["footer"]["contents"][0]["action"]["uri"] == f"{BASE}/t/x"


def test_a_coupon_on_a_card_is_each_friends_own_copy(db):
    make = {"title": "8 折", "benefit": "percent", "benefit_value": 20, "created_at": NOON}
    Coupon.create(code="bento20", **make)
    Coupon.create(code="closed", state="closed", **make)
    part = cards(
        Card(title="雞腿", buttons=(button(), button("領券", coupon="bento20"))),
        Card(title="排骨", buttons=(button("領券", coupon="closed"),)),
        Card(title="素食", buttons=(button(), button("領券", coupon="closed"))),
    )
    assert is_personal([part])
    friend = make_friend()
    (ready,) = prepare([Item(friend.id, "小花", [part], "broadcast", 1)], public_url=BASE, now=NOON)
    first, second = ready.messages[0]["contents"]["contents"]
    assert first["footer"]["contents"][1]["action"]["uri"] == f"{BASE}/c/{ready.issues[0].token}"
    assert second["body"]["contents"][0]["text"] == "素食"
    assert len(second["footer"]["contents"]) == 1
    assert [dropped.part_index for dropped in ready.dropped] == [0]


def test_cards_call_each_friend_by_her_name(db):
    part = cards(Card(title="{name} 的特餐", text="{name|貴賓}，{{今天}}有湯"), alt="{name} 您好")
    assert problems(part) == {}
    assert is_personal([part])
    assert not is_personal([cards(Card(title="特餐"))])
    people = [Item(make_friend().id, name, [part], "broadcast", 1) for name in ("小花", None)]
    known, unknown = prepare(people, public_url=BASE, now=NOON)
    for prepared, alt, words in (
        (known, "小花 您好", ["小花 的特餐", "小花，{今天}有湯"]),
        (unknown, "朋友 您好", ["朋友 的特餐", "貴賓，{今天}有湯"]),
    ):
        (message,) = prepared.messages
        assert message["altText"] == alt
        assert [one["text"] for one in message["contents"]["body"]["contents"]] == words


def test_the_notification_of_a_rich_message_calls_each_friend_by_her_name(db):
    part = rich(alt="{name|貴賓} 您好")
    assert problems(part) == {}
    assert problems(rich(alt="{name}" + "字" * 1460)) == {}
    assert is_personal([part])
    assert not is_personal([rich()])
    people = [Item(make_friend().id, name, [part], "broadcast", 1) for name in ("小花", None)]
    said = [one.messages[0]["altText"] for one in prepare(people, public_url=BASE, now=NOON)]
    assert said == ["小花 您好", "貴賓 您好"]


def test_cards_of_which_nothing_is_left_do_not_go(db):
    part = cards(Card(title="a", buttons=(button("領券", coupon="gone"),)))
    friend = make_friend()
    (ready,) = prepare([Item(friend.id, "", [part], "broadcast", 1)], public_url=BASE, now=NOON)
    assert ready.messages is None
    assert ready.skip_reason == "coupon_gone"


def test_half_written_parts_are_shown_as_far_as_they_go(db):
    drafts = [
        {"rich_message": {"image": "", "height": 1040, "alt": "", "areas": []}},
        {"cards": {"alt": "", "cards": [{"image": "gone", "title": "雞腿", "buttons": [
            {"label": "領", "coupon": "gone"}]}]}},
        {"video": {"url": "", "preview": ""}},
    ]  # fmt: skip
    shown = preview(drafts, now=NOON, public_url=BASE)
    assert [message["type"] for message in shown.messages] == ["flex"]
    assert {problem.part_index for problem in shown.problems} == {0, 1, 2}


def test_a_card_view_is_not_needed_where_no_coupon_is():
    view = CardView("8 折", "雙拼", "", "", f"{BASE}/c/t")
    part = cards(Card(title="a", buttons=(button("領券", coupon="c"),)))
    (message,) = render([part], Context(BASE, coupons={"c": view}))
    assert message["contents"]["footer"]["contents"][0]["action"]["uri"] == view.url
    assert not is_personal([cards(Card(title="a")), Text(text="b")])
    assert parse_parts([part.to_json()]) == [part]
