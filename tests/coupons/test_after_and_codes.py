"""The screens of a partner's codes and of what follows a redemption, as a browser posts them."""

from __future__ import annotations

import io
import json
import re

import pytest

from lineadmin.coupons.models import Coupon, PartnerCode
from lineadmin.coupons.redeem import redeem, undo
from lineadmin.friends import tags
from lineadmin.friends.models import FriendTag
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend
from tests.panel import hidden_of, panel_of


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


@pytest.fixture
def movie(manager):
    return make_coupon(code="movie", title="電影票折 NT$50", code_kind="list")


def _address(coupon):
    return f"/admin/coupon_codes/?id={coupon.id}"


def _counts(page):
    """Codes, given out, left."""
    return [int(told.replace(",", "")) for told in re.findall(r"<b>([\d,]+)</b>", page)]


def test_pasted_codes_are_counted_and_each_one_given_out_is_no_longer_left(manager, movie):
    done = manager.post(_address(movie), {"codes": "V-1\nV-2\nV-3\n"}, follow_redirects=True)
    assert "已加入 3 組代碼" in done.text
    give(movie, make_friend().id)
    assert _counts(manager.get(_address(movie)).text) == [3, 1, 2]


def test_a_list_with_a_code_twice_is_refused_whole_and_stays_to_be_mended(manager, movie):
    manager.post(_address(movie), {"codes": "V-1\nV-2"})
    for typed, sentence in (
        ("V-3\nV-4\nV-3", "第 3 行：「V-3」已經在第 1 行"),
        ("V-5\nV-2", "第 2 行：「V-2」已經在清單裡"),
    ):
        refused = manager.post(_address(movie), {"codes": typed})
        assert refused.status_code == 400
        assert sentence in refused.text
        assert f">{typed}</textarea>" in refused.text
        assert _counts(refused.text) == [2, 0, 2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "big5"])
def test_a_csv_as_excel_saves_it_is_read(manager, movie, encoding):
    file = (io.BytesIO("代碼,說明\nV-1,電影\nV-2,電影\n".encode(encoding)), "codes.csv")
    manager.post(_address(movie), {"file": file})
    stored = [row.code for row in PartnerCode.select().order_by(PartnerCode.id)]
    assert stored == ["V-1", "V-2"]


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        (b"V-1\rV-2\r", ""),  # an old Mac
        (b"code\tnote\nV-1\tx\nV-2\ty\n", ""),
        (b"V-1\nV\x00-2\n", "第 2 行：代碼最多 64 個字，而且不能有看不見的字元"),
        (b"V-1\n" + b"x" * 200_000, "讀不懂第 2 行"),
        (b"\x00\xff\xfe\x81" * 50, "檔案不是文字檔"),
    ],
    ids=["old mac", "tabs", "nul", "one long line", "no text"],
)
def test_odd_files_are_read_or_refused_with_the_line(manager, movie, saved, sentence):
    file = (io.BytesIO(saved), "codes.csv")
    answer = manager.post(_address(movie), {"file": file}, follow_redirects=True)
    assert sentence in answer.text
    assert PartnerCode.select().count() == (0 if sentence else 2)
    assert answer.status_code == (400 if sentence else 200)


def test_throwing_away_asks_first_and_leaves_what_friends_hold(manager, movie):
    manager.post(_address(movie), {"codes": "V-1\nV-2\nV-3"})
    give(movie, make_friend().id)
    drop = "/admin/coupon_codes/drop/"
    asked = manager.post(drop, {"id": movie.id})
    assert "2 組" in asked.text
    assert PartnerCode.select().count() == 3
    manager.post(drop, {"id": movie.id, "confirmed": "1"})
    assert _counts(manager.get(_address(movie)).text) == [1, 1, 0]
    assert "coupon" in Audit.select().order_by(Audit.id.desc()).get().action


def test_codes_belong_to_coupons_with_a_list_and_only_managers_add_them(app, manager, movie):
    assert manager.get(_address(make_coupon())).status_code == 404
    for role in ("staff", "viewer"):
        other = panel_of(app, role)
        assert other.post(_address(movie), {"codes": "V-1"}).status_code == 403
    assert PartnerCode.select().count() == 0


def test_a_tag_and_a_message_set_here_follow_the_redemption_and_go_with_its_undo(manager):
    tag = tags.create_tag("常客", staff=None, now=NOON, wall=NOON)
    coupon = make_coupon()
    address = f"/admin/coupon_after/?id={coupon.id}"
    form = hidden_of(manager.get(address).text)
    posted = form | {
        "after_tags": str(tag.id),
        "after_messages": json.dumps([{"text": "謝謝 {name}！"}]),
    }
    saved = manager.post(address, posted, follow_redirects=True)
    assert "標籤 常客・訊息「謝謝 {name}！」" in saved.text
    stored = Coupon.get()
    assert (stored.after_tags, stored.after_messages) == ([tag.id], [{"text": "謝謝 {name}！"}])

    copy = give(stored, make_friend().id)
    used = redeem(
        copy, staff=manager.staff, how="code", request_key="key-12345", now=NOON, wall=NOON
    )
    assert FriendTag.get().tag_id == tag.id
    assert Delivery.get().state == DeliveryState.QUEUED
    undo(used.redemption, staff=manager.staff, reason="按錯了", now=NOON, wall=NOON)
    assert FriendTag.select().count() == 0
    assert Delivery.get().state == DeliveryState.CANCELED


def test_a_message_that_cannot_be_sent_is_refused_and_nothing_is_kept(manager):
    coupon = make_coupon()
    address = f"/admin/coupon_after/?id={coupon.id}"
    form = hidden_of(manager.get(address).text)
    refused = manager.post(
        address, form | {"after_messages": json.dumps([{"coupon": "nothing-like-it"}])}
    )
    assert refused.status_code == 400
    assert "nothing-like-it" in refused.text
    assert not Coupon.get().after_messages


def test_two_tabs_do_not_overwrite_each_others_follow_up(manager):
    tag = tags.create_tag("常客", staff=None, now=NOON, wall=NOON)
    coupon = make_coupon()
    address = f"/admin/coupon_after/?id={coupon.id}"
    form = hidden_of(manager.get(address).text)
    manager.post(address, form | {"after_tags": str(tag.id), "after_messages": "[]"})
    second = manager.post(address, form | {"after_messages": json.dumps([{"text": "歡迎再來"}])})
    assert second.status_code == 409
    assert Coupon.get().after_tags == [tag.id]
    assert not Coupon.get().after_messages
