"""A friend's own pages: hers alone, by her link or by LINE's word."""

from __future__ import annotations

import pytest

from lineadmin.coupons import throttle
from lineadmin.members.links import page_path, read_token, token_for
from lineadmin.members.pages import PAGES
from lineadmin.messages.check import check_parts
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.messages.preview import preview
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.web import my_page
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend

BASE = "https://shop.example"


@pytest.fixture
def hana(app, clock):
    return make_friend("小花")


def test_her_page_shows_what_is_hers_with_a_tab_for_each_page(client, hana):
    copy = give(make_coupon(), hana.id)
    page = client.get(page_path(hana.id))
    assert page.status_code == 200
    assert len(page.data) < 60_000
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert "小花，您好" in page.text
    assert "1 張可以使用" in page.text
    coupons = client.get(page_path(hana.id, "coupons")).text
    assert f"/c/{copy.token}" in coupons
    assert f'href="{page_path(hana.id)}"' in coupons


def test_pages_speak_the_language_of_the_phone(client, hana):
    for said, words in (("ja-JP", "マイページ"), ("en-GB", "My page"), ("zh-TW", "我的專頁")):
        page = client.get(page_path(hana.id), headers={"Accept-Language": said})
        assert words in page.text


def test_forged_tokens_and_ids_in_the_address_open_nothing_and_guessing_is_slowed(client, hana):
    taro = make_friend("太郎")
    copy = give(make_coupon(), taro.id)
    mine = token_for(hana.id)
    forged = mine.replace(f"{hana.id}-", f"{taro.id}-", 1)
    assert read_token(forged) is None
    for token in (forged, mine[:-1], "nonsense", str(hana.id)):
        assert client.get(f"/me/{token}/coupons").status_code == 404
    asked = {"userId": taro.line_user_id, "friend_id": taro.id}
    page = client.get(page_path(hana.id, "coupons"), query_string=asked)
    assert copy.token not in page.text
    assert client.get(page_path(hana.id, "nowhere")).status_code == 404
    for _try in range(throttle.ADDRESS.misses):
        client.get(f"/me/{forged}")
    assert client.get(page_path(hana.id)).status_code == 429


def test_without_line_login_a_menu_for_everybody_opens_nobodys_page(client, hana):
    token_for(hana.id)
    page = client.get("/me/mine")
    assert page.status_code == 200
    assert "聊天室" in page.text
    assert client.get(f"/e/me/{token_for(hana.id)}").status_code == 404


def test_every_page_has_its_name(app):
    assert set(my_page._sections) == set(PAGES)


# In messages --------------------------------------------------------------------------------


def test_the_card_carries_each_friends_own_link(db):
    written = [{"my_page": "coupons"}]
    parts = parse_parts(written)
    assert dump_parts(parts) == written
    assert is_personal(parts)
    assert summarise(parts)
    friends = [make_friend().id, make_friend().id]
    items = [Item(friend, None, parts, "broadcast", 1) for friend in friends]
    for friend, one in zip(friends, prepare(items, public_url=BASE, now=NOON), strict=True):
        [message] = one.messages
        assert message["altText"].startswith("我的優惠券")
        button = message["contents"]["footer"]["contents"][0]
        assert button["action"]["uri"] == f"{BASE}{page_path(friend, 'coupons')}"


def test_a_card_for_no_page_is_refused_and_drawn_as_far_as_it_can_be(db):
    [problem] = check_parts(parse_parts([{"my_page": "nowhere"}]), public_url=BASE)
    assert "coupons" in problem.sentence
    shown = preview([{"my_page": "nowhere"}, {"my_page": "home"}], now=NOON, public_url=BASE)
    assert [message["altText"][:4] for message in shown.messages] == ["我的專頁"]
    [problem] = check_parts(parse_parts([{"my_page": "home"}]), public_url=None)
    assert "PUBLIC_URL" in problem.sentence
