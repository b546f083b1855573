"""Coupons that are not for everybody, carry a partner's codes and bring something with them."""

from __future__ import annotations

import pytest

from lineadmin import shopfile
from lineadmin.coupons import partner_codes
from lineadmin.coupons.models import Coupon
from lineadmin.shopfile import ShopFileError
from tests.coupons.making import NOON, give
from tests.factories import make_friend

SHOP = """
version: 1
tags: [{name: 愛吃雙拼}]
segments: [{name: 年輕人, where: {field: age, op: less_than, value: 25}}]
coupons:
  - code: film
    title: 電影票折扣
    benefit: {type: amount, value: 50}
    per_day: 20
    friends_only: false
    who: {field: segment, op: is, value: 年輕人}
    codes: list
    code_list: [A-1, B-2]
    claim_link: true
    after: {add_tags: [愛吃雙拼], messages: [{text: "謝謝 {name}！"}, {coupon: tea}]}
  - {code: tea, title: 紅茶, benefit: {type: gift, text: 紅茶}, codes: shared, shared_code: TEA}
"""


def test_everything_about_a_coupon_comes_back_out_and_twice_is_once(load):
    load(SHOP)
    film = Coupon.get(Coupon.code == "film")
    assert (film.per_day, film.friends_only, film.code_kind) == (20, False, "list")
    assert partner_codes.left(film) == partner_codes.Left(2, 2)
    assert film.claim_token
    dumped = shopfile.as_data()["coupons"]
    wanted = {one["code"]: one for one in dumped}
    for key, value in {
        "who": {"field": "segment", "op": "is", "value": "年輕人"},
        "after": {
            "add_tags": ["愛吃雙拼"],
            "messages": [{"text": "謝謝 {name}！"}, {"coupon": "tea"}],
        },
        "code_list": ["A-1", "B-2"],
        "claim_link": True,
    }.items():
        assert wanted["film"][key] == value
    assert wanted["tea"]["shared_code"] == "TEA"
    again = load(SHOP)
    assert (again.created, again.changed) == ([], [])
    assert "coupon" not in dict(load(shopfile.dump()).changed)


def test_a_code_that_was_given_out_is_not_dumped_and_not_taken_in_again(load):
    load(SHOP.replace("who: {field: segment, op: is, value: 年輕人}", "who: null"))
    give(Coupon.get(Coupon.code == "film"), make_friend().id, now=NOON)
    codes = {one["code"]: one.get("code_list") for one in shopfile.as_data()["coupons"]}
    assert codes["film"] == ["B-2"]
    load("version: 1\ncoupons: [{code: film, code_list: [A-1, C-3]}]")
    assert partner_codes.left(Coupon.get(Coupon.code == "film")) == partner_codes.Left(3, 2)


@pytest.mark.parametrize(
    ("wrong", "line", "place"),
    [
        ("who: {field: segment, op: is, value: 誰}", 11, "who"),
        ("after: {add_tags: [沒有]}", 11, "add_tags"),
        ("after: {messages: [{coupon: nothing}]}", 11, "messages"),
        ("archived: true", 5, "coupons"),
    ],
)
def test_a_mistake_names_line_and_field_and_nothing_changes(load, wrong, line, place):
    text = SHOP.replace("who: {field: segment, op: is, value: 年輕人}", wrong)
    text = text.replace(
        '    after: {add_tags: [愛吃雙拼], messages: [{text: "謝謝 {name}！"}, {coupon: tea}]}\n',
        "",
    )
    with pytest.raises(ShopFileError) as refused:
        load(text)
    assert place in str(refused.value)
    assert abs(refused.value.line - line) <= 1
    assert Coupon.select().count() == 0
