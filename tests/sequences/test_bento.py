"""The bento shop's own example: three age bands, four Mondays at eleven, two sources."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import journal, settings, shopfile
from lineadmin.friends.models import Friend, Source
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.sequences import actions, drafts, dry_run
from lineadmin.sequences.models import Sequence
from tests.sequences.playing import phone, play, texts_on
from tests.sequences.rehearsing import prepare_at, rehearse
from tests.sequences.stage import TAIPEI, at, run_of

BANDS = ("25 歲以下", "25–44 歲", "45 歲以上")
SHOP = """
version: 1
shop: {quiet_hours: {from: "21:00", until: "09:00"}, cap: {messages: 3, days: 7}}
sources:
  - {code: storefront, name: 門市 QR}
  - {code: line_pay, name: LINE Pay}
  - {code: ad, name: 廣告}
sequences:
  - name: 週一雙拼
    enabled: true
    trigger: {follow: [storefront, line_pay]}
    branches:
      - name: 25 歲以下
        where: {field: age, op: less_than, value: 25}
        steps: [FOUR a]
      - name: 25–44 歲
        where:
          all: [{field: age, op: at_least, value: 25}, {field: age, op: less_than, value: 45}]
        steps: [FOUR b]
      - name: 45 歲以上
        otherwise: true
        steps: [FOUR c]
"""
SATURDAY = at("2026-11-21", "15:00")
MONDAYS = ("2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14")


def _four(band: str) -> str:
    return ", ".join(
        f'{{after_days: {7 if number else 1}, at: "11:00", weekday: mon, '
        f'messages: [{{text: "{{name}}，週一快樂 {band}{number + 1}"}}]}}'
        for number in range(4)
    )


@pytest.fixture
def shop(line: Any, line_config: Any, db: Any) -> Any:
    """The shop, with the example loaded from its file."""
    configuration.use(line_config)
    text = SHOP
    for band in "abc":
        text = text.replace(f"FOUR {band}", _four(band))
    shopfile.load(text, staff=None, now=SATURDAY, wall=shop_clock.wall())
    return line


def add(line: Any, name: str, source: str, now: datetime, **known: Any) -> Friend:
    """Somebody adds the account through a source."""
    row = Source.get(Source.code == source)
    friend = phone(line, name, source=row, followed_at=now, first_followed_at=now, **known)
    journal.record(friend.id, "followed", at=now)
    return friend


def arrived(friend: Friend) -> list[str]:
    """When each of her messages left, on the shop's clock."""
    rows = Delivery.select().where(
        Delivery.friend_id == friend.id, Delivery.state == DeliveryState.SENT
    )
    return [
        f"{row.done_at.astimezone(TAIPEI):%Y-%m-%d %H:%M}" for row in rows.order_by(Delivery.id)
    ]


def test_the_dry_run_shows_twelve_messages_and_the_phones_get_exactly_these(shop: Any) -> None:
    sequence = Sequence.get()
    outlooks = dry_run.every_branch(
        sequence,
        actions.definition_of(sequence),
        now=SATURDAY,
        prepare=prepare_at,
        name="小明",
    )
    assert [outlook.branch_name for outlook in outlooks] == list(BANDS)
    expected = {
        outlook.branch_name: [
            (f"{one.at.astimezone(TAIPEI):%Y-%m-%d %H:%M}", one.messages[0]["text"])
            for one in outlook.own
        ]
        for outlook in outlooks
    }
    assert sum(map(len, expected.values())) == 12
    ages = {"25 歲以下": 2005, "25–44 歲": 2000, "45 歲以上": None}
    friends = {
        band: add(shop, "小明", source, SATURDAY, birth_year=year)
        for (band, year), source in zip(
            ages.items(), ("storefront", "line_pay", "storefront"), strict=True
        )
    }
    stranger = add(shop, "路人", "ad", SATURDAY)
    play(SATURDAY, SATURDAY + timedelta(weeks=5))
    for band, friend in friends.items():
        assert list(zip(arrived(friend), texts_on(shop, friend), strict=True)) == expected[band]
        assert arrived(friend) == [f"{day} 11:00" for day in MONDAYS]
    assert texts_on(shop, stranger) == []
    assert shop.client.abuse() == []


def test_who_joins_at_2350_on_a_sunday_starts_on_the_monday_of_the_week_after(shop: Any) -> None:
    """Sunday's day after is Monday: ten minutes later, but at eleven."""
    sunday = at("2026-11-22", "23:50")
    hana = add(shop, "花", "line_pay", sunday)
    monday = at("2026-11-23", "00:10")
    taro = add(shop, "太郎", "line_pay", monday)
    play(sunday, sunday + timedelta(minutes=5))
    play(monday, monday + timedelta(weeks=5))
    assert arrived(hana) == [f"{day} 11:00" for day in MONDAYS]
    assert arrived(taro) == [f"{day} 11:00" for day in (*MONDAYS[1:], "2026-12-21")]


def test_over_the_end_of_a_year_and_around_quiet_hours(shop: Any) -> None:
    settings.change_shop({"quiet_from": "10:30", "quiet_until": "11:45"}, staff=None, wall=SATURDAY)
    late = at("2026-12-26", "08:00")
    hana = add(shop, "花", "line_pay", late)
    play(late, late + timedelta(weeks=5))
    days = ("2026-12-28", "2027-01-04", "2027-01-11", "2027-01-18")
    assert arrived(hana) == [f"{day} 11:45" for day in days]


def test_three_days_without_a_server_in_the_middle(shop: Any) -> None:
    hana = add(shop, "花", "line_pay", SATURDAY)
    play(SATURDAY, at("2026-11-29"))
    back = at("2026-12-02", "12:00")
    play(back, back + timedelta(weeks=3))
    assert arrived(hana) == ["2026-11-23 11:00", "2026-12-07 11:00", "2026-12-14 11:00"]
    left_out = Delivery.get(Delivery.state == DeliveryState.SKIPPED)
    assert (left_out.reason, left_out.due_at) == ("late", at("2026-11-30", "11:00"))


def test_blocking_unblocking_and_adding_again_through_the_phone(shop: Any) -> None:
    hana = add(shop, "花", "line_pay", SATURDAY)
    play(SATURDAY, at("2026-11-24"))
    away = at("2026-11-25")
    Friend.update(status="blocked", blocked_at=away).where(Friend.id == hana.id).execute()
    journal.record(hana.id, "blocked", at=away)
    play(away, away + timedelta(days=1))
    back = at("2026-11-27")
    Friend.update(status="friend", followed_at=back).where(Friend.id == hana.id).execute()
    for kind in ("unblocked", "followed"):
        journal.record(hana.id, kind, at=back)
    play(back, back + timedelta(weeks=4))
    assert arrived(hana) == ["2026-11-23 11:00"]
    assert run_of(hana).reason == "blocked"


def test_edited_midway_each_gets_the_version_she_started(shop: Any) -> None:
    sequence = Sequence.get()
    hana = add(shop, "花", "line_pay", SATURDAY)
    play(SATURDAY, at("2026-11-24"))
    raw = {
        "trigger": {"follow": ["line_pay"]},
        "branches": [{"steps": [{"after_days": 2, "at": "12:00", "messages": [{"text": "新版"}]}]}],
    }
    drafts.save_draft(sequence.id, raw, version=None, staff=None, wall=SATURDAY)
    now = at("2026-11-24")
    actions.publish(sequence.id, version=None, staff=None, now=now, wall=now, public_url=None)
    assert rehearse(Sequence.get(), hana, now=now).own[-1].at == at("2026-12-14", "11:00")
    taro = add(shop, "太郎", "line_pay", now)
    play(now, now + timedelta(weeks=4))
    assert arrived(hana) == [f"{day} 11:00" for day in MONDAYS]
    assert texts_on(shop, taro) == ["新版"]


def test_every_message_comes_once_however_often_the_worker_looks(shop: Any) -> None:
    hana = add(shop, "花", "line_pay", SATURDAY)
    for _ in range(2):
        play(SATURDAY, at("2026-11-30", "11:00"))
    received: dict[str, int] = defaultdict(int)
    for text in texts_on(shop, hana):
        received[text] += 1
    assert set(received.values()) == {1}
    assert len(received) == 2
