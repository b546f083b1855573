"""Whose page it is: the friend's by LINE's word, or whoever has the link; and what a tap claims."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from lineadmin.coupons import claim
from lineadmin.coupons.models import Coupon, CouponIssue, RedemptionTry
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.messages import uploads
from lineadmin.messages.cutting import Cut, store_cut
from tests.conftest import make_config
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend

LOGIN_CHANNEL = "1234567890"


@pytest.fixture
def coupon(app, clock):
    return make_coupon(claim_token="A" * 22)


def _form(page):
    return {"form_token": re.search(r'name="form_token" value="([^"]+)"', page.text)[1]}


# --- by the link ---------------------------------------------------------------------------------


def test_the_browser_that_opens_it_first_sees_all_her_coupons_and_nobody_elses_does(
    app, client, coupon
):
    hana = make_friend("花")
    copy = give(coupon, hana.id)
    other = give(make_coupon(code="tea", title="紅茶"), hana.id)
    assert "我的優惠券" in client.get(f"/c/{copy.token}").text
    listed = client.get("/c/mine").text
    assert "紅茶" in listed
    assert other.token in listed
    forwarded = app.test_client()
    page = forwarded.get(f"/c/{copy.token}").text
    assert "我的優惠券" not in page
    assert "持有這個連結的人" in page
    assert other.token not in forwarded.get("/c/mine").text


def test_who_has_blocked_the_account_is_asked_to_add_it_first_and_then_sees_it_again(
    client, coupon
):
    hana = make_friend()
    copy = give(coupon, hana.id)
    Friend.update(status=BLOCKED).execute()
    gate = client.get(f"/c/{copy.token}")
    assert "請先加入好友" in gate.text
    assert "<svg" not in gate.text
    assert client.get(f"/c/{copy.token}/state").json == {"state": "gate"}
    Coupon.update(redeem="self").execute()
    assert "請先加入好友" in client.post(f"/c/{copy.token}/use").text
    Friend.update(status="friend").execute()
    assert "可以使用" in client.get(f"/c/{copy.token}").text
    Friend.update(status=BLOCKED).execute()
    Coupon.update(friends_only=False).execute()
    assert "可以使用" in client.get(f"/c/{copy.token}").text


# --- claiming ------------------------------------------------------------------------------------


def _personal(app, coupon, friend):
    return f"/c/{claim.personal_token(coupon, friend.id, app.secret_key)}"


def test_looking_takes_nothing_and_taps_on_two_phones_give_one_copy(app, client, coupon):
    hana = make_friend()
    link = _personal(app, coupon, hana)
    phones = [client, app.test_client()]
    pages = [phone.get(link) for phone in phones]
    assert "領取這張優惠券" in pages[0].text
    assert CouponIssue.select().count() == 0
    answers = [
        phone.post(f"{link}/claim", data=_form(page))
        for phone, page in zip(phones, pages, strict=True)
    ]
    copy = CouponIssue.get()
    assert (copy.friend_id, copy.origin) == (hana.id, "claim")
    assert {answer.location for answer in answers} == {f"/c/{copy.token}"}
    assert Coupon.get().issued == 1


def test_a_link_that_was_changed_or_a_form_from_elsewhere_claims_nothing(app, client, coupon):
    hana, taro = make_friend(), make_friend()
    link = _personal(app, coupon, hana)
    forged = link.replace(f"-{hana.id}-", f"-{taro.id}-")
    assert client.get(forged).status_code == 404
    assert client.post(f"{forged}/claim").status_code == 404
    assert client.post(f"{link}/claim", data={"form_token": "x"}).status_code == 303
    assert CouponIssue.select().count() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stock": 0}, "已經領完了"),
        ({"per_day": 1, "stock": None}, "今天的份數已經領完"),
        ({"who": {"field": "gender", "op": "is", "value": "male"}}, "開放給其他好友"),
        ({"state": "closed"}, "已結束這張優惠券"),
    ],
)
def test_why_there_is_none_is_told(app, client, coupon, change, words):
    if "per_day" in change:
        give(coupon, make_friend().id)
    link = _personal(app, coupon, make_friend())
    form = _form(client.get(link))
    Coupon.update(**change).execute()
    page = client.post(f"{link}/claim", data=form)
    assert page.status_code == 409
    assert words in page.text


def test_blocking_and_unblocking_farms_nothing(app, client, coupon):
    hana = make_friend()
    link = _personal(app, coupon, hana)
    form = _form(client.get(link))
    Friend.update(status=BLOCKED).execute()
    assert "請先加入好友" in client.post(f"{link}/claim", data=form).text
    for _again in range(3):
        Friend.update(status="friend").execute()
        client.post(f"{link}/claim", data=form)
        Friend.update(status=BLOCKED).execute()
    assert CouponIssue.select().count() == 1


def test_a_public_link_asks_a_stranger_to_come_by_line_and_serves_a_friend_it_knows(
    app, client, coupon
):
    link = f"/c/{coupon.claim_token}"
    assert "在 LINE 裡打開" in app.test_client().get(link).text
    hana = make_friend()
    client.get(f"/c/{give(make_coupon(code='tea'), hana.id).token}")
    client.post(f"{link}/claim", data=_form(client.get(link)))
    assert CouponIssue.get(CouponIssue.coupon == coupon).friend_id == hana.id


def test_a_page_with_a_picture_stays_under_60_kb(client, coupon):
    noise = Image.effect_noise((1200, 900), 90).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG")
    source = uploads.store(file.getvalue(), name="x.png", staff_id=None, now=NOON)
    token = store_cut(Cut(source.token, 20, 80, 150), staff_id=None, now=NOON)
    Coupon.update(picture=token, terms="限" * 2000).execute()
    page = client.get(f"/c/{give(Coupon.get(), make_friend().id).token}")
    urls = [url for url in re.findall(r'src="(/[^"]+)"', page.text)]
    size = len(page.data) + sum(len(client.get(url).data) for url in urls)
    assert any("/media/" in url for url in urls)
    assert size < 60_000, size


# --- by LINE -------------------------------------------------------------------------------------


@pytest.fixture
def line_config(line, database_url, tmp_path):
    return make_config(
        database_url,
        tmp_path,
        LINE_API_BASE=line.base_url,
        LINE_DATA_API_BASE=line.base_url,
        LIFF_ID=f"{LOGIN_CHANNEL}-AbCdEfGh",
        LINE_LOGIN_CHANNEL_ID=LOGIN_CHANNEL,
    )


def test_with_liff_a_copy_opens_for_its_own_friend_only(line, app, clock):
    hana, taro = (
        make_friend(name, line_user_id=line.client.add_phone(name)["user_id"])
        for name in ("花", "太郎")
    )
    copy = give(make_coupon(claim_token="A" * 22), hana.id)
    tab = app.test_client()
    unknown = tab.get(f"/c/{copy.token}", follow_redirects=True)
    assert unknown.request.path == f"/e/c/{copy.token}"  # below the LIFF app's address
    assert "static.line-scdn.net/liff" in unknown.text
    assert copy.code not in unknown.text

    def tell(browser, token):
        return browser.post("/c/identity", json={"id_token": token})

    assert tell(tab, "forged").status_code == 400
    other = line.client.id_token(taro.line_user_id, "999")
    assert tell(tab, other).status_code == 400  # meant for another channel
    assert tell(tab, line.client.id_token(taro.line_user_id, LOGIN_CHANNEL)).status_code == 200
    foreign = tab.get(f"/c/{copy.token}")
    assert foreign.status_code == 403
    assert "屬於另一位好友" in foreign.text
    assert RedemptionTry.get().outcome == "not_hers"

    hers = app.test_client()
    assert tell(hers, line.client.id_token(hana.line_user_id, LOGIN_CHANNEL)).status_code == 200
    page = hers.get(f"/c/{copy.token}").text
    assert "可以使用" in page
    assert "LINE 已確認" in page


def test_with_liff_a_stranger_is_shown_the_way_to_becoming_a_friend(line, app, clock):
    coupon = make_coupon(claim_token="A" * 22)
    tab = app.test_client()
    stranger = line.client.add_phone("路人", status="stranger")["user_id"]
    told = tab.post("/c/identity", json={"id_token": line.client.id_token(stranger, LOGIN_CHANNEL)})
    assert told.json == {"friend": False}
    page = tab.get(f"/c/{coupon.claim_token}")
    assert "請先加入好友" in page.text
    assert "領取這張優惠券" not in page.text
    assert CouponIssue.select().count() == 0


def test_a_friend_we_never_heard_of_is_one_if_line_shows_her_to_us(line, app, clock):
    coupon = make_coupon(claim_token="A" * 22)
    tab = app.test_client()
    unknown = line.client.add_phone("花")["user_id"]
    token = line.client.id_token(unknown, LOGIN_CHANNEL)
    assert tab.post("/c/identity", json={"id_token": token}).json == {"friend": True}
    link = f"/c/{coupon.claim_token}"
    tab.post(f"{link}/claim", data=_form(tab.get(link)))
    assert Friend.get_by_id(CouponIssue.get().friend_id).line_user_id == unknown
