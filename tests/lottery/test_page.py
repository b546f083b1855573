"""The friend's page of a lottery, and drawing in the chat."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lineadmin.coupons import throttle
from lineadmin.coupons.models import CouponIssue
from lineadmin.lottery import actions, chance
from lineadmin.lottery.links import page_path, token_for
from lineadmin.lottery.models import Lottery, LotteryDraw
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.prepare import Item, prepare
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend, make_staff
from tests.inbox.conftest import inbox, shop  # noqa: F401 - fixtures
from tests.lottery.making import make_lottery, prize


@pytest.fixture
def hana(app, clock):
    return make_friend("小花")


@pytest.fixture
def sure(hana):
    """A lottery everybody wins."""
    make_coupon()
    return make_lottery(prize("免費便當", "bento20", "100", stock=5), terms="限內用。")


def words(answer):
    return re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.S)


def test_looking_draws_nothing_and_the_button_draws_once(client, sure, hana):
    address = page_path(sure, hana.id)
    page = client.get(address)
    assert len(page.data) < 60_000
    assert "Set-Cookie" not in page.headers
    assert sure.seed_hash in page.text
    assert sure.seed not in page.text
    for piece in ("免費便當", "100%", "馬上抽", "限內用", "每位好友一次"):
        assert piece in words(page)
    assert not LotteryDraw.select().exists()
    for _tap in range(2):
        answer = client.post(f"{address}/draw")
        assert answer.status_code == 303
        assert answer.location == address
    assert LotteryDraw.select().count() == 1
    page = client.get(address)
    [copy] = CouponIssue.select()
    assert "恭喜抽中" in words(page)
    assert "馬上抽" not in words(page)
    assert f"/c/{copy.token}" in page.text
    assert client.get(f"/c/{copy.token}").status_code == 200


def test_who_wins_nothing_is_told_so(client, hana):
    make_coupon()
    lottery = make_lottery(prize("免費便當", "bento20", "0"), rule="daily")
    address = page_path(lottery, hana.id)
    client.post(f"{address}/draw")
    assert "這次沒抽中" in words(client.get(address))
    assert "明天再來" in words(client.get(address))


def test_a_closed_lottery_shows_its_secret_and_the_draw_can_be_checked(client, sure, hana):
    address = page_path(sure, hana.id)
    client.post(f"{address}/draw")
    actions.close(sure.id, staff=make_staff(), now=NOON, wall=NOON)
    page = client.get(address)
    lottery, drawn = Lottery.get(), LotteryDraw.get()
    assert lottery.seed in page.text
    entry = f"{lottery.code}:{hana.id}:0"
    assert entry in page.text
    assert f"{drawn.number:,}" in page.text
    assert chance.number_of(lottery.seed, lottery.code, hana.id, 0) == drawn.number
    stranger = make_friend()
    refused = client.post(f"{page_path(sure, stranger.id)}/draw")
    assert refused.status_code == 400
    assert "抽獎已經結束" in words(refused)


def test_somebody_elses_or_a_forged_link_draws_nothing_and_guessing_is_slowed(client, sure, hana):
    token = token_for(sure, hana.id)
    other = make_friend()
    forged = re.sub(r"-\d+-", f"-{other.id}-", token)
    assert client.get(f"/c/l/{forged}").status_code == 404
    assert client.post(f"/c/l/{forged}/draw").status_code == 404
    assert client.get("/c/l/nonsense").status_code == 404
    for _try in range(throttle.ADDRESS.misses):
        client.get(f"/c/l/{forged}")
    assert client.get(f"/c/l/{token}").status_code == 429
    assert not LotteryDraw.select().exists()


def test_a_blocked_friend_is_asked_to_add_us_first(client, sure, hana):
    hana.status = "blocked"
    hana.save()
    refused = client.post(f"{page_path(sure, hana.id)}/draw")
    assert refused.status_code == 400
    assert "先加入" in words(refused)


# In messages --------------------------------------------------------------------------------


def test_the_card_carries_each_friends_own_link(db):
    make_coupon()
    lottery = make_lottery(prize("免費便當", "bento20"), code="opening")
    parts = parse_parts([{"lottery": "opening"}])
    friends = [make_friend().id, make_friend().id]
    items = [Item(friend, None, parts, "broadcast", 1) for friend in friends]
    prepared = prepare(items, public_url="https://shop.example", now=NOON)
    for friend, one in zip(friends, prepared, strict=True):
        assert f"https://shop.example{page_path(lottery, friend)}" in str(one.messages)
    assert not LotteryDraw.select().exists()


def test_a_lottery_that_is_over_is_left_out_of_the_message_with_its_reason(db):
    make_coupon()
    make_lottery(prize("免費便當", "bento20"), code="opening", ends_at=NOON + timedelta(days=1))
    parts = parse_parts([{"text": "嗨"}, {"lottery": "opening"}, {"lottery": "gone"}])
    item = Item(make_friend().id, None, parts, "broadcast", 1)
    later = NOON + timedelta(days=1)
    [prepared] = prepare([item], public_url="https://shop.example", now=later)
    assert [message["type"] for message in prepared.messages] == ["text"]
    assert [one.reason for one in prepared.dropped] == ["lottery_over", "deleted"]


def test_a_tap_in_the_chat_draws_with_a_free_reply_and_a_second_is_refused(shop, clock):  # noqa: F811
    make_coupon()
    make_lottery(prize("免費便當", "bento20", "100"), code="opening", way="chat")
    shop.greet({"lottery": "opening"})
    user = shop.phone(status="stranger")
    shop.line.follow(user)
    shop.settle()
    [card] = shop.line.messages(user)
    assert card["type"] == "flex"
    shop.line.tap(user, "馬上抽")
    shop.settle()
    told = shop.line.messages(user, "reply")
    [copy] = CouponIssue.select()
    assert "恭喜您抽中：免費便當" in str(told)
    assert copy.token in str(told)
    shop.line.tap(user, "馬上抽")
    shop.settle()
    assert "已經抽過" in str(shop.line.messages(user, "reply"))
    assert LotteryDraw.select().count() == CouponIssue.select().count() == 1
    assert CouponIssue.get().carried == 1
    assert shop.line.messages(user, "push") == []


def test_a_tap_for_a_lottery_that_is_not_there_is_only_kept(shop, clock):  # noqa: F811
    make_coupon()
    lottery = make_lottery(prize("免費便當", "bento20", "100"), code="opening", way="chat")
    shop.greet({"lottery": "opening"})
    user = shop.phone(status="stranger")
    shop.line.follow(user)
    shop.settle()
    Lottery.update(code="renamed").where(Lottery.id == lottery.id).execute()
    shop.line.tap(user, "馬上抽")
    assert shop.settle() == 1
    assert len(shop.line.messages(user)) == 1
