"""A message that lets friends claim a coupon: the copy is made on the tap."""

from __future__ import annotations

import re

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons import claim
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.line.gateway import Gateway
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.prepare import prepare_one
from lineadmin.messages.preview import preview
from tests.broadcasts.stage import MINUTE, confirmed
from tests.coupons.making import NOON, make_coupon
from tests.factories import make_friend
from tests.sequences.playing import phone, play

BASE = "https://shop.example"
PARTS = [{"text": "點了就領"}, {"coupon": "bento20", "claim": True}]


def _ready(friend):
    return prepare_one(
        PARTS, friend_id=friend.id, name="花", origin="broadcast", public_url=BASE, now=NOON
    )


def _path(messages):
    return re.search(r"https://shop\.example(/c/g[\w-]+)", str(messages))[1]


def _tap(client, path, page=None):
    page = page or client.get(path)
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)[1]
    return client.post(f"{path}/claim", data={"form_token": token})


def test_a_broadcast_takes_nothing_from_stock_until_a_friend_taps_on_her_phone(
    line, line_config, app, client, clock
):
    make_coupon(stock=1)
    hana, taro = phone(line, "花子"), phone(line, "太郎")
    confirmed(parts=PARTS, now=clock())
    clock.set(play(clock(), clock() + 10 * MINUTE, Gateway(line_config)))
    paths = [_path(line.client.messages(one.line_user_id)) for one in (hana, taro)]
    assert paths[0] != paths[1]
    assert "領取優惠券" in str(line.client.messages(hana.line_user_id))
    client.get(paths[0])
    assert (CouponIssue.select().count(), Coupon.get().issued) == (0, 0)

    opened = _tap(client, paths[0])
    copy = CouponIssue.get()
    assert opened.location.endswith(f"/c/{copy.token}")
    sent = Broadcast.get()
    assert (copy.friend_id, Coupon.get().issued) == (hana.id, 1)
    assert (copy.origin, copy.origin_id) == ("broadcast", sent.id)
    assert _tap(client, paths[0]).location == opened.location
    gone = _tap(app.test_client(), paths[1])
    assert gone.status_code == 409
    assert "已經領完了" in gone.text
    assert CouponIssue.select().count() == 1


def test_who_has_blocked_the_account_since_gets_none_by_the_tap(app, client, clock):
    make_coupon()
    hana = make_friend()
    path = _path(_ready(hana).messages)
    page = client.get(path)
    Friend.update(status=BLOCKED).execute()
    assert _tap(client, path, page).status_code == 409
    assert "請先加入好友" in client.get(path).text
    assert CouponIssue.select().count() == 0


@pytest.mark.parametrize("origin", ["greeting", "step", "broadcast", "reply", "thanks", "test"])
def test_what_she_claims_counts_under_the_message_that_offered_it(app, client, clock, origin):
    make_coupon()
    ready = prepare_one(
        PARTS,
        friend_id=make_friend().id,
        name="花",
        origin=origin,
        origin_id=7,
        public_url=BASE,
        now=clock(),
    )
    assert _tap(client, _path(ready.messages)).status_code == 303
    copy = CouponIssue.get()
    assert (copy.origin, copy.origin_id) == (origin, 7)


def test_the_source_in_a_link_cannot_be_changed_and_older_links_without_one_still_work(
    app, client, clock
):
    coupon, hana = make_coupon(), make_friend()
    token = claim.personal_token(coupon, hana.id, app.secret_key, claim.Source("step", 7))
    for forged in (token.replace("step7", "step8"), token.replace("step7", "greeting7")):
        assert client.get(f"/c/{forged}").status_code == 404
    assert client.get(f"/c/{token.replace('-step7', '')}").status_code == 404
    older = claim.personal_token(coupon, hana.id, app.secret_key)
    assert re.fullmatch(rf"g{coupon.id}-{hana.id}-[\w-]{{22}}", older)
    _tap(client, f"/c/{older}")
    assert CouponIssue.get().origin == "claim"


@pytest.mark.parametrize("fields", [{"state": "closed"}, {"state": "paused"}])
def test_what_nobody_can_get_now_is_left_out_of_the_message(db, fields):
    make_coupon(**fields)
    prepared = _ready(make_friend())
    assert [message["type"] for message in prepared.messages] == ["text"]
    assert [one.reason for one in prepared.dropped] == [fields["state"]]


def test_the_preview_shows_the_button_and_hands_out_nothing(db):
    make_coupon()
    shown = preview(PARTS, now=NOON, public_url=BASE)
    assert "領取優惠券" in str(shown.messages)
    assert not shown.problems
    unknown = preview([{"coupon": "x", "claim": True}], now=NOON, public_url=BASE)
    assert [one.part_index for one in unknown.problems] == [0]
    assert CouponIssue.select().count() == 0


def test_the_shop_file_keeps_it_and_writes_nothing_where_the_copy_goes_out_at_once(app, clock):
    assert dump_parts(parse_parts(PARTS)) == PARTS
    assert dump_parts(parse_parts([{"coupon": "a", "claim": False}])) == [{"coupon": "a"}]
    make_coupon()
    file = "version: 1\ngreeting: {messages: [{text: 嗨}, {coupon: bento20, claim: true}]}\n"
    shopfile.load(file, staff=None, now=clock(), wall=shop_clock.wall(), public_url=BASE)
    assert {"coupon": "bento20", "claim": True} in shopfile.as_data()["greeting"]["messages"]
