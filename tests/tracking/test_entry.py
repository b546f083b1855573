"""Where friends come from: entry links joined to the follow, codes sent by hand, late sources."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.checkup import look as checkup
from lineadmin.friends import source_actions
from lineadmin.friends.models import Friend, Source
from lineadmin.journal.models import Fact
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import Reply
from lineadmin.sequences.models import Enrolment
from lineadmin.simulator.client import ControlError
from lineadmin.tasks import tick
from lineadmin.tracking import entry
from lineadmin.tracking.models import EntryVisit
from lineadmin.web import entry as entry_page
from tests.conftest import NOON, make_config
from tests.factories import make_friend

LOGIN = "2000000001"
LIFF = "2000000001-AbCdEfGh"
SHOP = """
version: 1
sources: [{code: storefront, name: 門市 QR}, {code: line_pay, name: LINE Pay}]
sequences:
  - name: 門市來的
    enabled: true
    trigger: {follow: [storefront]}
    branches: [{steps: [{after_days: 1, at: "10:00", messages: [{text: 早安}]}]}]
"""
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Safari"}


@pytest.fixture
def line_config(line, database_url, tmp_path):
    """With a LIFF app."""
    return make_config(
        database_url,
        tmp_path,
        LINE_API_BASE=line.base_url,
        LINE_DATA_API_BASE=line.base_url,
        LINE_LOGIN_CHANNEL_ID=LOGIN,
        LIFF_ID=LIFF,
    )


@pytest.fixture
def shop(app, line, live, clock):
    entry_page._gateway.cache_clear()
    shopfile.load(SHOP, staff=None, now=clock(), wall=shop_clock.wall())
    account = {"name": "熊大", "id": line.world.account.basic_id}
    found = [checkup.Finding("account", "ok", "account", account)]
    checkup.keep(found, wall=clock())
    yield line
    entry_page._gateway.cache_clear()


def stranger(line, name="花"):
    user_id = line.client.add_phone(name, status="stranger")["user_id"]
    return user_id


def at(line, clock):
    """People act at the shop's time."""
    offset = int((clock() - shop_clock.wall()).total_seconds() * 1000)
    line.client.settings(clock_offset_ms=offset)


def follows(line, user_id, clock):
    at(line, clock)
    line.client.follow(user_id, wait_ms=30_000)
    tick(clock(), shop_clock.wall())
    return Friend.get(Friend.line_user_id == user_id)


def says(line, user_id, text, clock):
    at(line, clock)
    line.client.text(user_id, text, wait_ms=30_000)
    tick(clock(), shop_clock.wall())
    return Friend.get(Friend.line_user_id == user_id)


def passes(client, line, user_id, code, **more):
    """Opens the LIFF page; the token is LINE's own."""
    token = line.client.id_token(user_id, LOGIN)
    return client.post("/e", json={"id_token": token, "src": code, **more})


def code_of(friend):
    return None if friend.source_id is None else Source.get_by_id(friend.source_id).code


def enrolled():
    return {row.friend_id for row in Enrolment.select()}


def test_following_after_the_entry_page_gives_the_source_and_starts_its_steps(client, shop, clock):
    hana = stranger(shop)
    answer = passes(client, shop, hana, "storefront", utm_source="flyer", utm_term="x")
    assert answer.get_json()["friend"] is False
    assert answer.get_json()["add"].startswith("https://line.me/R/ti/p/%40")
    clock.forward(minutes=9)
    friend = follows(shop, hana, clock)
    assert (code_of(friend), friend.source_origin) == ("storefront", "observed")
    assert enrolled() == {friend.id}
    visit = EntryVisit.get()
    assert (visit.how, visit.friend_id, visit.campaign) == (
        "liff",
        friend.id,
        {"utm_source": "flyer"},
    )
    assert visit.joined_at is not None


def test_following_eleven_minutes_later_is_from_nobody_knows_where(client, shop, clock):
    hana = stranger(shop)
    passes(client, shop, hana, "storefront")
    clock.forward(minutes=11)
    friend = follows(shop, hana, clock)
    assert friend.source_id is None
    assert enrolled() == set()


def test_somebody_elses_visit_and_no_visit_leave_the_source_unknown(client, shop, clock):
    passes(client, shop, stranger(shop, "別人"), "storefront")
    assert follows(shop, stranger(shop), clock).source_id is None


def test_the_latest_of_several_visits_counts(client, shop, clock):
    hana = stranger(shop)
    passes(client, shop, hana, "line_pay")
    clock.forward(minutes=2)
    passes(client, shop, hana, "storefront")
    assert code_of(follows(shop, hana, clock)) == "storefront"


def test_a_page_passed_right_after_following_counts_as_well_and_starts_the_steps(
    client, shop, clock
):
    hana = stranger(shop)
    friend = follows(shop, hana, clock)
    clock.forward(minutes=3)
    assert passes(client, shop, hana, "storefront").get_json()["friend"] is True
    tick(clock(), shop_clock.wall())
    assert code_of(Friend.get_by_id(friend.id)) == "storefront"
    assert enrolled() == {friend.id}


def test_a_friend_of_old_only_visits(client, shop, clock):
    friend = make_friend("怡君", line_user_id=shop.client.add_phone("怡君")["user_id"])
    assert passes(client, shop, friend.line_user_id, "storefront").get_json()["friend"] is True
    tick(clock(), shop_clock.wall())
    assert Friend.get_by_id(friend.id).source_id is None
    assert [
        fact.value for fact in Fact.select().where(Fact.kind == "source.visited").order_by(Fact.id)
    ] == [{"how": "liff"}]
    assert enrolled() == set()


def test_a_source_that_is_known_stays(client, shop, clock):
    hana = stranger(shop)
    passes(client, shop, hana, "line_pay")
    friend = follows(shop, hana, clock)
    clock.forward(minutes=1)
    says(shop, hana, entry.code_text("storefront"), clock)
    assert code_of(Friend.get_by_id(friend.id)) == "line_pay"


@pytest.mark.parametrize("damage", ["forged", "other channel", "expired", "none", "number"])
def test_a_token_line_does_not_stand_for_changes_nothing(client, shop, clock, damage):
    hana = stranger(shop)
    token: Any = {
        "forged": "x" * 43,
        "other channel": shop.client.id_token(hana, "999"),
        "expired": shop.client.id_token(hana, LOGIN, seconds=-10),
        "none": None,
        "number": 7,
    }[damage]
    answer = client.post("/e", json={"id_token": token, "src": "storefront"})
    assert answer.status_code == 400
    assert "請在 LINE 裡重新打開連結" in answer.get_json()["error"]
    assert EntryVisit.select().count() == 0


def test_line_out_of_order_is_told_as_such(client, shop, clock):
    shop.client.fail("500", endpoint="verify_id_token", times=1)
    answer = passes(client, shop, stranger(shop), "storefront")
    assert answer.status_code == 503
    assert EntryVisit.select().count() == 0


def test_an_unknown_source_is_no_source_but_the_page_works(client, shop, clock):
    assert passes(client, shop, stranger(shop), "nowhere").status_code == 200
    assert EntryVisit.select().count() == 0


def test_the_text_of_a_source_sets_it_for_a_new_friend_and_is_answered_for_free(
    client, shop, clock
):
    hana = stranger(shop)
    friend = follows(shop, hana, clock)
    clock.forward(minutes=30)
    says(shop, hana, "你好！#storefront", clock)
    friend = Friend.get_by_id(friend.id)
    assert code_of(friend) == "storefront"
    assert enrolled() == {friend.id}
    [reply] = Reply.select().where(Reply.origin == "entry")
    assert reply.friend_id == friend.id
    assert "謝謝" in shop.client.texts(hana)[-1]
    assert shop.client.state()["used"] == 0


@pytest.mark.parametrize("text", ["＃StoreFront", "你好！ #storefront ", "#storefront"])
def test_the_text_is_understood_as_people_change_it(client, shop, clock, text):
    hana = stranger(shop)
    follows(shop, hana, clock)
    assert code_of(says(shop, hana, text, clock)) == "storefront"


@pytest.mark.parametrize("text", ["今天吃 #storefront 的便當", "#nowhere", "storefront"])
def test_other_texts_are_ordinary_messages(client, shop, clock, text):
    hana = stranger(shop)
    follows(shop, hana, clock)
    assert says(shop, hana, text, clock).source_id is None
    assert EntryVisit.select().count() == 0


def test_the_text_from_a_friend_of_a_week_is_a_visit(client, shop, clock):
    hana = stranger(shop)
    follows(shop, hana, clock)
    clock.forward(days=7)
    friend = says(shop, hana, "#storefront", clock)
    assert friend.source_id is None
    assert EntryVisit.get().how == "code"
    assert enrolled() == set()


def test_somebody_who_writes_before_adding_us_is_known_by_it(client, shop, clock):
    hana = stranger(shop)
    assert code_of(says(shop, hana, "#line_pay", clock)) == "line_pay"


def test_what_was_printed_of_a_merged_source_leads_to_the_other(client, shop, clock):
    storefront, pay = (Source.get(Source.code == code) for code in ("storefront", "line_pay"))
    make_friend("舊", source=storefront)
    moment = {"staff": None, "now": NOON, "wall": NOON}
    assert source_actions.merge_sources(storefront, pay, **moment) == 1
    assert code_of(Friend.get()) == "line_pay"
    hana = stranger(shop)
    passes(client, shop, hana, "storefront")
    assert code_of(follows(shop, hana, clock)) == "line_pay"
    assert client.get("/e/storefront", headers=PHONE).status_code == 200
    assert {visit.source_id for visit in EntryVisit.select()} == {pay.id}


def test_the_page_for_browsers_leads_into_line_and_counts_people_only(client, shop, clock):
    page = client.get("/e/storefront?utm_source=ig", headers=PHONE)
    assert f"https://liff.line.me/{LIFF}?src=storefront" in page.text
    assert "<svg" in page.text
    assert "Set-Cookie" not in page.headers
    client.get("/e/storefront", headers={"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"})
    client.head("/e/storefront", headers=PHONE)
    [visit] = EntryVisit.select()
    assert (visit.how, visit.campaign) == ("page", {"utm_source": "ig"})
    assert client.get("/e/nowhere", headers=PHONE).status_code == 404


def test_the_page_inside_line_lets_only_lines_script_run(client, shop):
    page = client.get("/e?src=storefront")
    assert "static.line-scdn.net/liff/edge/2/sdk.js" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' https://static.line-scdn.net;" in policy


def test_without_liff_there_is_no_such_page_and_the_way_in_is_the_text(db, clock, tmp_path, config):
    from lineadmin.application import create_app

    app = create_app(config)
    source_actions.create_source("門市", "storefront", staff=None, now=NOON, wall=NOON)
    account = {"id": "@bento"}
    found = [checkup.Finding("account", "ok", "account", account)]
    checkup.keep(found, wall=NOON)
    client = app.test_client()
    assert client.get("/e?src=storefront").status_code == 404
    assert client.post("/e", json={"id_token": "x"}).status_code == 404
    page = client.get("/e/storefront", headers=PHONE)
    assert (
        "https://line.me/R/oaMessage/%40bento/?%E4%BD%A0%E5%A5%BD%EF%BC%81%23storefront"
        in page.text
    )


def test_the_phone_opens_what_line_opens_and_refuses_what_line_refuses(shop, line_config, clock):
    hana = stranger(shop)
    account = shop.world.account.basic_id
    apps = {LIFF: {"endpoint": "https://shop.example/e", "client_id": LOGIN}}
    scanned = shop.client.scan(hana, entry.code_link(account, "storefront"))
    assert scanned == {"type": "prefill", "text": "你好！#storefront"}
    assert shop.client.scan(hana, entry.add_friend_link(account)) == {"type": "profile"}
    opened = shop.client.scan(hana, entry.liff_link(LIFF, "storefront"), liff=apps)["open"]
    assert opened.startswith("https://shop.example/e?src=storefront#id_token=")
    token = opened.split("id_token=")[1].split("&")[0]
    gateway = Gateway(line_config)
    assert gateway.verify_id_token(token, client_id=LOGIN).user_id == hana
    gateway.close()
    for wrong in (
        entry.code_link("@other", "storefront"),
        entry.liff_link("1-x", "storefront"),
        "https://line.me/R/nonsense",
        "line://x",
    ):
        with pytest.raises(ControlError):
            shop.client.scan(hana, wrong, liff=apps)
