"""Tracked links in messages, and what a tap on one leaves behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.friends.tags import create_tag
from lineadmin.journal.models import Fact
from lineadmin.messages.check import check_parts, require_sendable
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.messages.references import look_up
from lineadmin.messages.render import is_personal
from lineadmin.tracking import tokens
from lineadmin.tracking.models import LinkClick, TrackedLink
from tests.conftest import NOON
from tests.factories import make_friend

BASE = "https://shop.example"
PAGE = "https://bento.example/menu?utm_source=line"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/14.3.0"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/122.0 Mobile Safari/537.36 Line/14.3.1"
)


def message(track="friend", text=f"新菜單 {PAGE}，快來看", **note):
    part = {"track": track}
    if note:
        part["links"] = [{"url": PAGE, **note}]
    return parse_parts([{"text": text}, part])


def sent(parts, *friends, origin="broadcast", origin_id=7, place=0):
    items = [Item(friend.id, "小明", parts, origin, origin_id, place) for friend in friends]
    return [one.messages for one in prepare(items, public_url=BASE, now=NOON)]


def address(messages):
    words = messages[0]["text"]
    return words[words.index("/t/") :].split("，")[0]


def tap(client, path, agent=PHONE, method="GET"):
    return client.open(path, method=method, headers={"User-Agent": agent})


@pytest.fixture
def hana(app):
    return make_friend("花")


@pytest.fixture
def taro(app):
    return make_friend("太郎")


def test_each_friend_has_a_link_of_her_own_and_her_tap_is_a_fact(client, hana, taro, clock):
    parts = message(name="菜單")
    assert is_personal(parts)
    hers, his = (address(one) for one in sent(parts, hana, taro))
    assert hers != his
    assert "快來看" in sent(parts, hana)[0][0]["text"]

    answer = tap(client, hers)
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    link = TrackedLink.get()
    [fact] = Fact.select().where(Fact.kind == "link.clicked")
    assert (fact.friend_id, fact.object_id, fact.at) == (hana.id, link.id, NOON)
    assert fact.value == {"origin_kind": 1, "origin_id": 7, "place": 0}
    assert Friend.get_by_id(hana.id).last_seen_at == NOON


def test_a_message_prepared_again_keeps_its_links(hana):
    parts = message()
    assert sent(parts, hana) == sent(parts, hana)
    assert TrackedLink.select().count() == 1
    sent(parts, hana, origin="step", origin_id=7, place=102)
    sent(parts, hana, origin="step", origin_id=7, place=103)
    assert TrackedLink.select().count() == 3


def test_one_link_for_all_keeps_one_message_for_all_and_only_counts(client, hana, taro):
    parts = message("total")
    assert not is_personal(parts)
    hers, his = sent(parts, hana, taro)
    assert hers is his
    assert tap(client, address(hers)).headers["Location"] == PAGE
    assert LinkClick.select().count() == 1
    assert Fact.select().count() == 0


def test_a_changed_token_leads_on_and_credits_nobody(client, hana, taro):
    path = address(sent(message(tag="看過菜單"), hana)[0])
    code, number, signature = path.removeprefix("/t/").split("-")
    other = tokens.path(code, taro.id).split("-")[1]
    for forged in (
        f"/t/{code}-{other}-{signature}",
        f"/t/{code}-{number}-{'a' * 16}",
        f"/t/{code}-{number}-{signature[:-1]}",
        f"/t/{code}-{number}",
        f"/t/{code}-zzzzzzzzzzzz-{signature}",
        f"/t/{code}",
        f"/t/{code}%2Fhttps:%2F%2Fevil.example",
    ):
        answer = tap(client, forged)
        if "%2F" not in forged:
            assert (answer.status_code, answer.headers["Location"]) == (302, PAGE), forged
        else:
            assert answer.status_code == 404
    assert Fact.select().count() == LinkClick.select().count() == 0


@pytest.mark.parametrize(
    "token", ["2222222222", "x", "https:evil.example", "2222222222-1-" + "a" * 16]
)
def test_an_unknown_link_answers_with_a_page_of_the_shop(client, token):
    answer = tap(client, f"/t/{token}")
    assert answer.status_code == 404
    assert "這個連結已經失效" in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("agent", "method"),
    [
        ("facebookexternalhit/1.1;line-poker/1.0", "GET"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "GET"),
        ("", "GET"),
        (PHONE, "HEAD"),
    ],
)
def test_previews_and_robots_are_led_on_and_not_counted(client, hana, agent, method):
    for parts in (message(), message("total", text=f"另一則 {PAGE}")):
        path = address(sent(parts, hana)[0])
        assert tap(client, path, agent, method).status_code == 302
    assert Fact.select().count() == LinkClick.select().count() == 0


def test_a_prefetch_is_no_tap(client, hana):
    path = address(sent(message(), hana)[0])
    client.get(path, headers={"User-Agent": PHONE, "Sec-Purpose": "prefetch;prerender"})
    assert Fact.select().count() == 0


def test_a_tap_tells_the_system_and_the_newest_wins_but_not_over_staff(client, hana, clock):
    path = address(sent(message(), hana)[0])
    for agent, system in ((PHONE, "ios"), (ANDROID, "android"), (PHONE, "ios")):
        tap(client, path, agent)
        friend = Friend.get_by_id(hana.id)
        assert (friend.os, friend.os_origin) == (system, "observed")
    assert Fact.select().where(Fact.kind == "attribute.set").count() == 3
    Friend.update(os="android", os_origin="staff").execute()
    tap(client, path, PHONE)
    assert Friend.get_by_id(hana.id).os == "android"


def test_a_tap_tags_for_so_many_days_and_another_prolongs_it(client, hana, clock):
    create_tag("看過菜單", kind="dynamic", staff=None, now=NOON, wall=NOON)
    path = address(sent(message(tag="看過菜單", days=30), hana)[0])
    tap(client, path)
    [mark] = FriendTag.select()
    assert (mark.by_kind, mark.until) == ("link", NOON + timedelta(days=30))
    clock.forward(days=10)
    tap(client, path)
    assert FriendTag.get().until == NOON + timedelta(days=40)
    assert Fact.select().where(Fact.kind == "tag.added").count() == 1
    clock.forward(days=40)
    tap(client, path)
    assert FriendTag.get().until == NOON + timedelta(days=80)
    assert Fact.select().where(Fact.kind == "tag.added").count() == 2


def test_a_tag_that_was_put_away_is_not_given_any_more(client, hana):
    create_tag("看過菜單", kind="dynamic", staff=None, now=NOON, wall=NOON)
    path = address(sent(message(tag="看過菜單"), hana)[0])
    Tag.update(archived_at=NOON).execute()
    assert tap(client, path).status_code == 302
    assert FriendTag.select().count() == 0
    assert Fact.select().where(Fact.kind == "link.clicked").count() == 1


def test_quick_replies_are_tracked_and_what_line_opens_itself_is_not(hana):
    parts = parse_parts(
        [
            {"text": "加好友 https://line.me/R/ti/p/%40bento 或打 tel:0212345678"},
            {
                "quick_replies": [
                    {"label": "菜單", "uri": "https://菜單.example/今日"},
                    {"label": "電話", "uri": "tel:0212345678"},
                    {"label": "表單", "uri": "https://liff.line.me/1-abc"},
                ]
            },
            {"track": "friend"},
        ]
    )
    [messages] = sent(parts, hana)
    assert messages[0]["text"] == "加好友 https://line.me/R/ti/p/%40bento 或打 tel:0212345678"
    uris = [item["action"]["uri"] for item in messages[0]["quickReply"]["items"]]
    assert uris[0].startswith(f"{BASE}/t/")
    assert uris[1:] == ["tel:0212345678", "https://liff.line.me/1-abc"]
    assert TrackedLink.get().url == "https://xn--b2rp88h.example/%E4%BB%8A%E6%97%A5"


def test_without_track_every_address_stays_as_it_was_typed(hana):
    parts = parse_parts([{"text": f"看 {PAGE}"}])
    assert sent(parts, hana) == [[{"type": "text", "text": f"看 {PAGE}"}]]
    assert not is_personal(parts)


def test_an_address_that_goes_on_with_the_name_is_left_alone(hana):
    parts = parse_parts([{"text": "https://bento.example/?n={name}"}, {"track": "friend"}])
    assert sent(parts, hana)[0][0]["text"] == "https://bento.example/?n=小明"


def test_a_friend_called_like_an_address_makes_no_link(hana):
    parts = parse_parts([{"text": "{name} 您好"}, {"track": "friend"}])
    item = Item(hana.id, "https://evil.example", parts, "broadcast", 1)
    [prepared] = prepare([item], public_url=BASE, now=NOON)
    assert prepared.messages[0]["text"] == "https://evil.example 您好"
    assert TrackedLink.select().count() == 0


def test_what_is_written_comes_back_and_stands_last(db):
    written = [
        {"text": PAGE},
        {"quick_replies": [{"label": "看", "uri": PAGE}]},
        {"track": "friend", "links": [{"url": PAGE, "name": "菜單"}]},
    ]
    assert dump_parts(parse_parts(written)) == written
    assert dump_parts(parse_parts([{"text": PAGE}, {"track": "total"}]))[1] == {"track": "total"}
    for wrong in (
        [{"track": "friend"}, {"text": PAGE}],
        [{"text": PAGE}, {"track": "everybody"}],
        [{"text": PAGE}, {"track": "friend", "links": [{"adress": PAGE}]}],
    ):
        with pytest.raises(DomainError):
            parse_parts(wrong)


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        ({"url": "https://elsewhere.example/"}, "訊息裡沒有"),
        ({"url": PAGE, "tag": "沒有的"}, "沒有「沒有的」這個標籤"),
        ({"url": PAGE, "tag": "客訴中"}, "連結只能加行為標籤（動態）"),
        ({"url": PAGE, "tag": "看過菜單", "days": 0}, "1～366 天"),
        ({"url": PAGE, "days": 3}, "請選擇"),
        ({"url": PAGE, "name": "長" * 61}, "60"),
    ],
)
def test_what_cannot_be_said_about_a_link(db, note, sentence):
    create_tag("看過菜單", kind="dynamic", staff=None, now=NOON, wall=NOON)
    create_tag("客訴中", staff=None, now=NOON, wall=NOON)
    parts = parse_parts([{"text": PAGE}, {"track": "friend", "links": [note]}])
    [problem] = check_parts(parts, references=look_up(parts), now=NOON)
    assert sentence in problem.sentence
    with pytest.raises(DomainError):
        require_sendable(parts, now=NOON, public_url=BASE)


def test_tracking_needs_an_address_of_this_server(db):
    [problem] = check_parts(message(), public_url=None)
    assert "PUBLIC_URL" in problem.sentence
    assert check_parts(parse_parts([{"text": "嗨"}, {"track": "friend"}]), public_url=None) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("看https://a.example/x。好", ["https://a.example/x"]),
        ("（https://a.example/x）", ["https://a.example/x"]),
        (
            "https://a.example/x, https://b.example/y.",
            ["https://a.example/x", "https://b.example/y"],
        ),
        ("https://zh.example/台北_(城市)", ["https://zh.example/台北_(城市)"]),
        ("HTTPS://A.example", ["HTTPS://A.example"]),
        ("ftp://a.example www.a.example", []),
    ],
)
def test_where_an_address_in_a_text_begins_and_ends(text, found):
    assert list(parse_parts([{"text": text}])[0].uris()) == found
