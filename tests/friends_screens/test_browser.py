"""The friends' screens in a browser, wide and on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from lineadmin import clock, journal
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.outbox.models import Delivery
from lineadmin.segments import tag_jobs
from tests.browse import (
    NARROW,
    WIDE,
    english_on,
    serious_violations,
    sideways_overflow,
    sign_in,
)
from tests.conftest import NOON
from tests.factories import LONG_AGO, make_friend, make_friends
from tests.panel import PASSWORD, with_password

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def signed_in(live, page):
    """The owner at the panel; answers the address."""
    owner = with_password("owner", name="小美")
    sign_in(page, live, owner.email, PASSWORD)
    return live


def busy_friend():
    tag = Tag.create(name="愛吃雙拼", color="#e07a2f", created_at=LONG_AGO)
    Tag.create(name="一個名字特別特別長而且沒有空白的標籤用來測試版面", created_at=LONG_AGO)
    friend = make_friend("王" * 30, gender="female", gender_origin="self", note="備註" * 80)
    FriendTag.create(friend=friend, tag=tag, at=LONG_AGO)
    now = clock.now()
    for number in range(40):
        journal.record(friend.id, "postback", value={"data": "x" * 200}, at=now)
        journal.record(friend.id, "tag.added", object_id=tag.id, at=now - timedelta(days=number))
    InboundMessage.create(
        friend_id=friend.id,
        message_id="m",
        kind="text",
        text="請問" * 300,
        at=now,
        token_at=clock.wall(),
        reply_token="living",
    )
    wall = clock.wall()
    InboundEvent.create(
        event_id="e",
        type="message",
        line_user_id="U" * 33,
        raw="{}",
        at=wall,
        received_at=wall,
        try_at=wall,
        set_aside_at=wall,
        error="ValueError: " + "x" * 300,
    )
    return friend


@pytest.mark.looks
def test_every_screen_fits_a_phone_is_accessible_and_speaks_chinese(signed_in, page):
    friend = busy_friend()
    paths = (
        "/admin/friends/",
        "/admin/friends/?search=nobody",
        f"/admin/friends/{friend.id}/",
        f"/admin/friends/{friend.id}/edit/",
        "/admin/friends/import/",
        "/admin/inbox/",
        "/admin/inbox/events/",
    )
    wrong = []
    for path in paths:
        page.goto(signed_in + path)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            if sideways_overflow(page):
                wrong.append(f"{path} at {size['width']}: {sideways_overflow(page)} px too wide")
        wrong += [f"{path}: {one}" for one in serious_violations(page)]
        wrong += [f"{path}: English {text!r}" for text in english_on(page)]
    assert not wrong, "\n".join(wrong)


def test_everybody_of_a_filter_is_tagged_by_clicks(signed_in, page):
    Tag.create(name="常客", created_at=LONG_AGO)
    make_friends(60)
    make_friend("封鎖", status="blocked")
    page.goto(signed_in + "/admin/friends/")
    page.get_by_label("狀態").select_option(label="好友")
    page.wait_for_url("**status=friend**")
    assert page.locator("[data-bulk-bar]").is_hidden()
    page.get_by_label("選取本頁全部").check()
    page.locator("[data-bulk-bar] select").select_option(label="常客")
    page.get_by_label(re.compile("全部符合條件的好友")).check()
    page.get_by_role("button", name="加上標籤").click()
    page.get_by_role("heading", name="為 60 位好友加上標籤「常客」？").wait_for()
    page.locator(".form-actions button").click()
    page.get_by_text("進行中").wait_for()
    tag_jobs.advance(NOON)
    page.get_by_text("已變更 60 位好友").wait_for()  # the page looks again by itself
    assert FriendTag.select().count() == 60


def test_a_friend_is_tagged_answered_and_corrected_by_clicks(signed_in, page):
    friend = make_friend("小花")
    Tag.create(name="常客", created_at=LONG_AGO)
    page.set_viewport_size(NARROW)
    page.goto(f"{signed_in}/admin/friends/")
    page.get_by_role("link", name="小花").click()
    page.get_by_label("標籤", exact=True).select_option(label="常客")
    page.get_by_role("button", name="加上標籤").click()
    page.get_by_role("button", name="拿掉標籤「常客」").wait_for()

    page.get_by_role("link", name="傳送訊息").click()
    page.get_by_label(re.compile("回覆")).fill("明天見！")
    page.locator("#answer").get_by_role("button", name="傳送").click()
    page.get_by_role("heading", name="傳送這則訊息給「小花」？").wait_for()
    page.get_by_role("button", name="傳送", exact=True).click()
    page.get_by_text("訊息傳送中").wait_for()
    assert Delivery.get().content.parts == [{"text": "明天見！"}]

    page.get_by_role("link", name="編輯").click()
    page.get_by_label("地區").select_option(label="台北市")
    page.get_by_role("button", name="儲存").click()
    page.get_by_text("台北市").first.wait_for()
    assert Friend.get_by_id(friend.id).region == "tw_01"


def test_the_free_minute_counts_down(signed_in, page):
    friend = busy_friend()
    page.goto(f"{signed_in}/admin/friends/{friend.id}/")
    badge = page.locator("[data-free-seconds]")
    first = badge.inner_text()
    assert re.fullmatch(r"免費，還有 \d+ 秒", first)
    expect(badge).not_to_have_text(first)


def test_a_file_is_imported_by_clicks(signed_in, page):
    page.goto(f"{signed_in}/admin/friends/import/")
    text = f"line_user_id,display_name\nU{'a' * 32},小花\n錯的,太郎\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "好友.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_role("button", name="繼續").click()
    page.get_by_text("匯入「好友.csv」的預覽").wait_for()
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        assert sideways_overflow(page) == 0
        assert serious_violations(page) == []
    assert english_on(page) == []
    page.get_by_role("button", name="匯入 1 列").click()
    page.get_by_text("已匯入「好友.csv」").first.wait_for()
    assert serious_violations(page) == []
    assert english_on(page) == []
    assert Friend.select().count() == 1
