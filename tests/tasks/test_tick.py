"""A tick does everything that is due in one go, and one broken part does not stop the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin import shopfile
from lineadmin.config import Config
from lineadmin.friends.models import Friend
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.tasks import tick
from tests.conftest import MovableClock
from tests.factories import make_friend

SHOP = """
version: 1
shop: {undo_minutes: 0}
tags: [{name: 熟客}]
coupons: [{code: tea, title: 紅茶, benefit: {type: gift, text: 紅茶}, valid: {days: 3}}]
sequences:
  - name: 養成
    enabled: true
    trigger: {tag_added: 熟客}
    branches:
      - steps:
          - {after_days: 1, at: "10:00", messages: [{text: "{name} 早安"}, {coupon: tea}]}
          - {after_days: 2, at: "10:00", messages: [{text: 第二步}]}
broadcasts:
  - {name: 給大家, to: {all: []}, at: "2026-11-23T12:30:00+08:00", messages: [{text: 大家好}]}
"""


@pytest.fixture
def shop(line: Any, line_config: Config, db: Any, clock: MovableClock) -> Any:
    """A shop whose LINE is the pretend one, with the file above loaded."""
    configuration.use(line_config)
    shopfile.load(SHOP, staff=None, now=clock(), wall=shop_clock.wall())
    return line


def phone(line: Any, name: str) -> Friend:
    """A friend on both sides."""
    user_id = line.client.add_phone(name)["user_id"]
    return make_friend(name, line_user_id=user_id)


def run(clock: MovableClock) -> Any:
    return tick(clock(), shop_clock.wall())


def test_nothing_due_is_nothing_done(shop: Any, clock: MovableClock) -> None:
    counts = run(clock)
    assert counts.line() == (
        "inbox 0 triggers 0 steps 0 broadcasts 0 sent 0 skipped 0 failed 0 unknown 0 "
        "queued 0 waiting 0"
    )
    assert shop.client.received_counts() == {}


def test_one_tick_carries_a_broadcast_from_its_time_to_the_phone(
    shop: Any, clock: MovableClock
) -> None:
    friends = [phone(shop, f"好友 {number}") for number in range(3)]
    assert run(clock).outbox.sent == 0
    clock.forward(minutes=31)
    counts = run(clock)
    assert counts.outbox.sent == 3, counts.line()
    for friend in friends:
        assert shop.client.texts(friend.line_user_id) == ["大家好"]
    from lineadmin.broadcasts.models import Broadcast

    assert Broadcast.get().state == "sent"
    assert run(clock).outbox.sent == 0


def test_one_tick_carries_a_fact_to_the_first_step_when_its_day_has_come(
    shop: Any, clock: MovableClock
) -> None:
    from lineadmin.friends.actions import add_tag
    from lineadmin.friends.models import Tag

    hana = phone(shop, "Hana")
    with database.atomic():
        add_tag(hana.id, Tag.get().id, at=clock())
    assert run(clock).triggers == 1
    clock.forward(days=1)
    counts = run(clock)
    assert (counts.steps, counts.outbox.sent) == (1, 1), counts.line()  # the broadcast is late
    assert "Hana 早安" in shop.client.texts(hana.line_user_id)
    clock.forward(days=2)
    assert run(clock).outbox.sent == 1
    assert shop.client.texts(hana.line_user_id)[-1] == "第二步"
    assert shop.client.abuse() == []


def test_a_part_that_fails_is_told_and_stops_nothing_else(
    shop: Any, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone(shop, "Hana")
    clock.forward(minutes=31)

    def fail(*_arguments: Any) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("lineadmin.sequences.triggers.advance", fail)
    counts = run(clock)
    assert counts.failed == ["triggers"]
    assert counts.outbox.sent == 1
    assert counts.line().endswith("errors in triggers")


def test_what_is_in_backoff_is_left_alone_and_counted_as_waiting(
    shop: Any, clock: MovableClock
) -> None:
    phone(shop, "Hana")
    shop.client.fail("500", endpoint="push", times=1)
    clock.forward(minutes=31)
    counts = run(clock)
    assert (counts.outbox.sent, counts.outbox.waiting) == (0, 1), counts.line()
    later = tick(clock(), shop_clock.wall() + timedelta(minutes=2))
    assert later.outbox.sent == 1, later.line()


def test_profiles_are_fetched_on_the_way(shop: Any, clock: MovableClock) -> None:
    user_id = shop.client.add_phone("花子")["user_id"]
    make_friend("", line_user_id=user_id, profile_due_at=shop_clock.wall())
    run(clock)
    assert Friend.get(Friend.line_user_id == user_id).display_name == "花子"


def test_a_gateway_handed_in_is_left_open(
    shop: Any, clock: MovableClock, line_config: Config
) -> None:
    gateway = Gateway(line_config)
    tick(clock(), shop_clock.wall(), gateway=gateway)
    assert gateway.bot_info().user_id
    gateway.close()
    assert Delivery.select().where(Delivery.state == int(DeliveryState.UNKNOWN)).count() == 0
