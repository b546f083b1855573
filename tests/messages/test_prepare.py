from datetime import timedelta

import pytest

from lineadmin.coupons.issue import issue_one
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.messages.parts import CouponCard, Image, QuickReplies, QuickReply, Text
from lineadmin.messages.prepare import DELETED, Dropped, Item, prepare, prepare_one
from lineadmin.outbox.reasons import COUPON_GONE, NO_PUBLIC_URL
from tests.conftest import NOON
from tests.factories import make_friend, make_friends

BASE = "https://shop.example"
CARD = [Text(text="{name} 您好"), CouponCard(coupon="bento20")]


def make_coupon(**fields):
    return Coupon.create(
        **{
            "code": "bento20",
            "title": "雙拼便當 8 折",
            "benefit": "percent",
            "benefit_value": 20,
            "valid_days": 7,
            "created_at": NOON,
            **fields,
        }
    )


def item(friend, parts, name="小明"):
    return Item(friend, name, parts, "broadcast", 1)


def ready(items, **more):
    return prepare(items, **{"public_url": BASE, "now": NOON, **more})


def address(prepared):
    return prepared.messages[-1]["contents"]["footer"]["contents"][0]["action"]["uri"]


def test_equal_content_is_rendered_once_for_everybody(db):
    parts = [Text(text="菜單")]
    prepared = ready([item(friend, parts) for friend in make_friends(3)])
    assert prepared[0].messages == [{"type": "text", "text": "菜單"}]
    assert prepared[0] is prepared[1] is prepared[2]


def test_each_friend_gets_her_own_name_and_copy(db):
    coupon = make_coupon()
    hana, taro = make_friends(2)
    first, second = ready([item(hana, CARD, "小花"), item(taro, CARD, None)])
    assert first.messages[0]["text"] == "小花 您好"
    assert second.messages[0]["text"] == "朋友 您好"
    copies = {issue.friend_id: issue for issue in CouponIssue.select()}
    assert address(first) == f"{BASE}/c/{copies[hana].token}"
    assert address(second) == f"{BASE}/c/{copies[taro].token}"
    assert [issue.friend_id for issue in first.issues] == [hana]
    assert copies[hana].origin == "broadcast"
    assert Coupon.get_by_id(coupon.id).issued == 2
    assert "2026/11/30（一）" in str(first.messages[1])


def test_preparing_again_hands_out_nothing_twice(db):
    make_coupon()
    friend = make_friend().id
    once, twice = ready([item(friend, CARD)])[0], ready([item(friend, CARD)])[0]
    assert once.messages == twice.messages
    assert CouponIssue.select().count() == 1


def test_a_friend_who_holds_the_coupon_is_shown_hers(db):
    coupon = make_coupon()
    friend = make_friend().id
    held = issue_one(coupon, friend, origin="greeting", now=NOON)
    (prepared,) = ready([item(friend, CARD)])
    assert address(prepared) == f"{BASE}/c/{held.token}"
    assert CouponIssue.select().count() == 1


def test_a_card_that_cannot_be_had_is_dropped_and_the_rest_goes(db):
    make_coupon(stock=1)
    first, second = ready([item(friend, CARD) for friend in make_friends(2)])
    assert len(first.messages) == 2
    assert [message["type"] for message in second.messages] == ["text"]
    assert second.dropped == (Dropped(1, "stock"),)
    assert str(second.dropped[0].label)
    assert second.skip_reason is None


def test_quick_replies_move_to_what_is_left(db):
    buttons = QuickReplies(replies=(QuickReply(label="菜單", text="菜單"),))
    (prepared,) = ready([item(make_friend().id, [*CARD, buttons])])
    assert prepared.dropped == (Dropped(1, DELETED),)
    assert prepared.messages[-1]["quickReply"]["items"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"stock": 0}, "stock"),
        ({"state": "closed"}, "closed"),
        ({"state": "paused"}, "paused"),
        ({"valid_until": NOON - timedelta(days=1)}, "ended"),
    ],
)
def test_with_nothing_left_the_friend_is_skipped(db, fields, reason):
    make_coupon(**fields)
    (prepared,) = ready([item(make_friend().id, [CouponCard(coupon="bento20")])])
    assert prepared.messages is None
    assert prepared.skip_reason == COUPON_GONE
    assert prepared.dropped == (Dropped(0, reason),)


def test_without_a_public_address_pictures_and_coupons_stay_here(db):
    coupon = make_coupon()
    friend = make_friend().id
    text_only, nothing = ready(
        [item(friend, CARD), item(friend, [Image(upload="a")])], public_url=None
    )
    assert len(text_only.messages) == 1
    assert nothing.skip_reason == NO_PUBLIC_URL
    assert Coupon.get_by_id(coupon.id).issued == 0


def test_a_batch_costs_the_same_number_of_queries_whatever_its_size(db, monkeypatch):
    make_coupon()

    def queries(friends):
        seen = []
        execute = type(db).execute_sql

        def counting(self, *arguments, **more):
            seen.append(arguments[0])
            return execute(self, *arguments, **more)

        with monkeypatch.context() as patch:
            patch.setattr(type(db), "execute_sql", counting)
            ready([item(friend, CARD) for friend in friends])
        return len(seen)

    few, many = make_friends(2), make_friends(200)
    assert queries(few) == queries(many)


def test_one_message_in_its_stored_form(db):
    make_coupon()
    friend = make_friend()
    prepared = prepare_one(
        [{"text": "{name}"}, {"coupon": "bento20"}],
        friend_id=friend.id,
        name=friend.display_name,
        origin="greeting",
        public_url=BASE,
        now=NOON,
    )
    assert [message["type"] for message in prepared.messages] == ["text", "flex"]
