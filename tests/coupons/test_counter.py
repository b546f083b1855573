"""The counter screen, without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lineadmin.admin.redeem import read_amount
from lineadmin.coupons import codes, throttle
from lineadmin.coupons.models import Coupon, CouponIssue, Redemption, RedemptionTry
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend
from tests.panel import hidden_of, panel_of

COUNTER = "/admin/redeem/"


@pytest.fixture
def counter(app, clock):
    return panel_of(app, "staff")


@pytest.fixture
def copy(app, clock):
    return give(make_coupon(), make_friend("陳小明").id)


def _look(counter, text, **more):
    return counter.post(f"{COUNTER}check/", {"code": text, **more}, follow_redirects=True)


def _use(counter, page, amount=""):
    hidden = hidden_of(page.text[: page.text.index("data-check")])
    sent = {name: hidden[name] for name in ("issue", "how", "request_key")}
    return counter.post(f"{COUNTER}use/", {**sent, "amount": amount}, follow_redirects=True)


def test_from_code_to_redeemed_to_undone(counter, copy, clock):
    page = _look(counter, codes.shown(copy.code).lower())
    for words in ("可以使用", "雙拼便當 8 折", "陳小明", "最低消費 NT$100", "限內用與外帶"):
        assert words in page.text
    done = _use(counter, page, "NT$ 180")
    assert "已核銷" in done.text
    assert "折抵 NT$36" in done.text
    assert "應付 NT$144" in done.text
    again = _look(counter, copy.code)
    assert "已使用：2026/11/23（一）12:00，由阿德核銷。" in again.text
    row = Redemption.get()
    assert (row.how, row.amount, row.staff_id) == ("code", 180, counter.staff.id)

    undone = counter.post(
        f"{COUNTER}undo/", {"id": row.id, "reason": "按錯了"}, follow_redirects=True
    )
    assert "已撤回" in undone.text
    assert CouponIssue.get_by_id(copy.id).redeemed_at is None
    assert "可以使用" in _look(counter, copy.code).text


def test_what_the_qr_on_the_page_holds_is_taken_too(counter, copy):
    page = counter.get(f"/admin/redeem/{codes.shown(copy.code)}")
    assert "可以使用" in page.text
    for scanned in (
        f"https://shop.example/admin/redeem/{codes.shown(copy.code)}",
        f"https://shop.example/c/{copy.token}",
    ):
        answer = _look(counter, scanned, how="scan")
        assert "可以使用" in answer.text
    _use(counter, answer)
    assert Redemption.get().how == "scan"


def test_a_stranger_who_scans_the_qr_is_asked_to_sign_in(client, copy):
    answer = client.get(f"/admin/redeem/{codes.shown(copy.code)}")
    assert answer.status_code == 302
    assert "sign-in" in answer.location or "login" in answer.location
    assert CouponIssue.get_by_id(copy.id).redeemed_at is None


def test_sending_the_same_form_twice_redeems_once_and_says_so_twice(counter, copy):
    page = _look(counter, copy.code)
    first, second = _use(counter, page), _use(counter, page)
    assert "已核銷" in first.text
    assert "已核銷" in second.text
    assert Redemption.select().count() == 1
    assert RedemptionTry.select().count() == 0


def test_two_tills_one_wins_the_other_is_told_by_whom(app, counter, copy):
    other = panel_of(app, "manager", name="阿芳")
    mine, hers = _look(counter, copy.code), _look(other, copy.code)
    assert "已核銷" in _use(other, hers).text
    late = _use(counter, mine)
    assert "沒有核銷" in late.text
    assert "阿芳" in late.text
    assert Redemption.select().count() == 1


def test_an_amount_that_is_too_small_or_no_number_is_told_and_can_be_corrected(counter, copy):
    page = _look(counter, copy.code)
    small = _use(counter, page, "99")
    assert "NT$99 還不夠" in small.text
    wrong = _use(counter, small, "一百")
    assert "整數金額" in wrong.text
    assert "已核銷" in _use(counter, wrong, "１００").text
    assert Redemption.get().amount == 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "paused"}, "店家暫停中"),
        ({"state": "closed"}, "店家已結束"),
    ],
)
def test_a_paused_or_closed_coupon_has_its_own_answer(counter, copy, change, words):
    Coupon.update(**change).execute()
    page = _look(counter, copy.code)
    assert words in page.text
    assert 'name="request_key"' not in page.text


def test_expired_forged_foreign_and_incomplete_each_have_their_own_answer(counter, copy, clock):
    clock.forward(days=8)
    texts = {
        "已過期": copy.code,
        "可能輸入錯誤或是偽造": codes.new_code(),
        "不是本店的優惠券，請顧客": "https://example.com/",
        "代碼共有 12 個": "ABCD",
    }
    for words, typed in texts.items():
        assert words in _look(counter, typed).text
    listed = counter.get(f"{COUNTER}tries/").text
    assert listed.count("<tr>") == 1 + 3
    assert "不是本店的優惠券" in listed


def test_guessing_is_stopped_with_a_sentence(counter, copy):
    for _ in range(throttle.STAFF_CODES.misses):
        counter.get(f"{COUNTER}{codes.new_code()}")
    assert "錯誤次數太多" in _look(counter, copy.code).text


def test_undo_is_offered_for_ten_minutes(counter, copy, clock):
    _use(counter, _look(counter, copy.code))
    row = Redemption.get()
    assert "撤回這次核銷" in counter.get(f"{COUNTER}?done={row.id}").text
    clock.forward(minutes=10)
    assert "撤回這次核銷" not in counter.get(f"{COUNTER}?done={row.id}").text
    late = counter.post(
        f"{COUNTER}undo/", {"id": row.id, "reason": "按錯了"}, follow_redirects=True
    )
    assert "已超過 10 分鐘" in late.text
    assert Redemption.get().undone_at is None


def test_a_viewer_may_not_redeem_and_bad_requests_change_nothing(app, counter, copy):
    viewer = panel_of(app, "viewer")
    assert viewer.get(COUNTER).status_code == 403
    page = _look(counter, copy.code)
    hidden = hidden_of(page.text)
    sent = {name: hidden[name] for name in ("issue", "how", "request_key")}
    assert viewer.post(f"{COUNTER}use/", sent).status_code == 403
    assert counter.client.post(f"{COUNTER}use/", data=sent).status_code == 400  # no CSRF token
    assert counter.post(f"{COUNTER}use/", sent | {"request_key": "short"}).status_code == 400
    assert counter.post(f"{COUNTER}use/", sent | {"issue": "999"}).status_code == 400
    assert Redemption.select().count() == 0


def test_a_request_key_of_another_copy_is_a_bad_request(counter, copy):
    other = give(Coupon.get(), make_friend().id)
    page = _look(counter, copy.code)
    _use(counter, page)
    hidden = hidden_of(page.text)
    sent = {"issue": other.id, "how": "code", "request_key": hidden["request_key"]}
    assert counter.post(f"{COUNTER}use/", sent).status_code == 400


def test_the_list_shows_the_latest_first_with_who_and_how_much(counter, copy, clock):
    _use(counter, _look(counter, copy.code), "180")
    clock.set(NOON + timedelta(hours=1))
    page = counter.get(COUNTER).text
    listed = re.sub(r"<[^>]+>|\s+", " ", page[page.index("latest-head") :])
    for words in ("雙拼便當 8 折", "陳小明", "2026/11/23（一）12:00", "阿德", "NT$180 − NT$36"):
        assert words in re.sub(r"\s+", " ", listed)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("", None), ("180", 180), ("NT$1,200", 1200), ("１８０元", 180), ("12.5", -1), ("-5", -1)],
)
def test_amounts_are_read_as_people_type_them(typed, amount):
    assert read_amount(typed) == amount
