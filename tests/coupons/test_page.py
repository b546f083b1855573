"""The friend's page at /c/<token>."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lineadmin.coupons import codes, throttle
from lineadmin.coupons.models import Coupon, CouponIssue, Redemption, RedemptionTry
from lineadmin.coupons.redeem import redeem, undo
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_staff


@pytest.fixture
def coupon(app, clock):
    return make_coupon()


@pytest.fixture
def copy(coupon):
    return give(coupon, make_friend().id)


def _text(answer):
    return re.sub(r"<(style|script|svg).*?</\1>|<[^>]+>", " ", answer.text, flags=re.S)


def _form_token(page):
    return re.search(r'name="form_token" value="([^"]+)"', page.text)[1]


def test_a_page_says_everything_and_marks_it_opened_once(client, copy, clock):
    page = client.get(f"/c/{copy.token}")
    words = _text(page)
    for piece in (
        "8 折",
        "雙拼便當 8 折",
        "最低消費 NT$100",
        "2026/11/30（一）24:00 前有效",
        "可以使用",
    ):
        assert piece in words
    assert codes.shown(copy.code) in words
    assert "持有這個連結的人" in words
    assert "限內用與外帶" in words
    assert "<svg" in page.text
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store"
    assert CouponIssue.get_by_id(copy.id).opened_at == NOON
    clock.forward(hours=1)
    client.get(f"/c/{copy.token}")
    assert CouponIssue.get_by_id(copy.id).opened_at == NOON


def test_a_preview_fetched_by_a_robot_is_no_opening(client, copy):
    agent = {"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"}
    assert client.get(f"/c/{copy.token}", headers=agent).status_code == 200
    client.head(f"/c/{copy.token}")
    client.get(f"/c/{copy.token}/state")
    assert CouponIssue.get_by_id(copy.id).opened_at is None


def test_page_and_script_together_stay_far_under_60_kb(client, copy):
    Coupon.update(terms="限" * 2000, title="券" * 60).execute()
    page = client.get(f"/c/{copy.token}")
    urls = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    size = len(page.data) + sum(len(client.get(url).data) for url in urls)
    assert len(urls) == 2  # the script, and the list of all her coupons
    assert size < 40_000, size


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redeemed_at": NOON}, "已使用 2026/11/23（一）12:00"),
        ({"expires_at": NOON}, "已過期"),
        ({"usable_from": NOON + timedelta(days=1)}, "還不能使用"),
        ({"voided_at": NOON}, "已失效"),
    ],
)
def test_each_state_is_told_and_has_no_qr(client, copy, change, words):
    CouponIssue.update(**change).execute()
    page = client.get(f"/c/{copy.token}")
    assert re.sub(r"\s+", " ", words) in re.sub(r"[\s：]+", " ", _text(page))
    assert "<svg" not in page.text


@pytest.mark.parametrize(("state", "words"), [("paused", "暫停"), ("closed", "已失效")])
def test_a_paused_or_closed_coupon_says_so(client, copy, state, words):
    Coupon.update(state=state).execute()
    assert words in _text(client.get(f"/c/{copy.token}"))


@pytest.mark.parametrize("token", ["A" * 22, "short", "A" * 23, "%00" * 8])
def test_an_unknown_link_is_a_friendly_page_that_is_not_found(client, app, token):
    page = client.get(f"/c/{token}")
    assert page.status_code == 404
    assert "找不到這張優惠券" in page.text
    assert page.headers["X-Robots-Tag"].startswith("noindex")


def test_links_cannot_be_tried_out_one_after_the_other(client, copy):
    for _ in range(throttle.ADDRESS.misses):
        assert client.get(f"/c/{codes.new_token()}").status_code == 404
    answer = client.get(f"/c/{copy.token}")
    assert answer.status_code == 429
    assert "分鐘" in answer.text
    assert RedemptionTry.select().count() == throttle.ADDRESS.misses
    elsewhere = client.get(f"/c/{copy.token}", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    assert elsewhere.status_code == 200


def test_the_page_follows_what_happens_at_the_counter(client, copy, clock):
    staff = make_staff("staff")
    ask = f"/c/{copy.token}/state"
    assert client.get(ask).json == {"state": "valid"}
    done = redeem(copy, staff=staff, how="scan", request_key="key-12345", now=NOON, wall=NOON)
    assert client.get(ask).json == {"state": "used"}
    undo(done.redemption, staff=staff, reason="按錯了", now=NOON, wall=NOON)
    assert client.get(ask).json == {"state": "valid"}


def test_a_friend_uses_hers_by_herself_and_sending_twice_uses_it_once(client, copy):
    Coupon.update(redeem="self").execute()
    page = client.get(f"/c/{copy.token}")
    sent = {"form_token": _form_token(page)}
    for _ in range(2):
        answer = client.post(f"/c/{copy.token}/use", data=sent)
        assert answer.status_code == 303
    assert Redemption.select().count() == 1
    assert "已使用" in client.get(answer.location).text


def test_a_form_made_elsewhere_or_for_another_copy_is_not_taken(client, copy, coupon):
    Coupon.update(redeem="self").execute()
    other = give(coupon, make_friend().id)
    token = _form_token(client.get(f"/c/{other.token}"))
    for form_token in (token, "", "forged"):
        answer = client.post(f"/c/{copy.token}/use", data={"form_token": form_token})
        assert answer.status_code == 400
    assert Redemption.select().count() == 0


def test_staff_mode_cannot_be_used_from_the_page(client, copy):
    Coupon.update(redeem="self").execute()
    token = _form_token(client.get(f"/c/{copy.token}"))
    Coupon.update(redeem="staff").execute()
    page = client.get(f"/c/{copy.token}")
    assert "form_token" not in page.text
    answer = client.post(f"/c/{copy.token}/use", data={"form_token": token})
    assert answer.status_code == 400
    assert "櫃檯" in answer.text
    assert Redemption.select().count() == 0


def test_a_wrong_pin_is_told_and_the_right_one_works(client, copy):
    Coupon.update(redeem="pin", pin="4711").execute()
    token = _form_token(client.get(f"/c/{copy.token}"))
    wrong = client.post(f"/c/{copy.token}/use", data={"form_token": token, "pin": "0000"})
    assert "PIN 不正確" in wrong.text
    again = {"form_token": _form_token(wrong), "pin": "4711"}
    assert client.post(f"/c/{copy.token}/use", data=again).status_code == 303


@pytest.mark.parametrize(
    ("language", "words"), [("en-US", "20% off"), ("ja", "20%OFF"), ("fr", "8 折"), ("", "8 折")]
)
def test_the_page_speaks_the_phones_language_where_it_can(client, copy, language, words):
    page = client.get(f"/c/{copy.token}", headers={"Accept-Language": language})
    assert words in _text(page)
