"""Canceling, holding and releasing, and what screens are told."""

from __future__ import annotations

from lineadmin.outbox import cancel, queries, quota, reasons, resolve
from lineadmin.outbox.models import (
    Delivery,
    DeliveryState,
    OriginKind,
    Shipment,
    ShipmentState,
)
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_staff
from tests.outbox.conftest import Shop, states

BROADCAST = OriginKind.BROADCAST


def test_canceling_takes_back_what_has_not_left(shop: Shop):
    friends = shop.friends(4)
    shop.broadcast()
    assert cancel.cancel_program(BROADCAST, 1, now=shop.now, wall=shop.wall) == 4
    assert cancel.cancel_program(BROADCAST, 1, now=shop.now, wall=shop.wall) == 0
    shop.send()
    assert all(shop.texts(friend) == [] for friend in friends)
    assert {row.reason for row in Delivery.select()} == {reasons.CANCELED}


def test_canceling_reaches_shipments_line_has_certainly_not_taken(shop: Shop):
    shop.phones.quota(100)
    shop.friends(2)
    shop.broadcast(text="{name} 你好")
    shop.phones.fail("429", endpoint="push", times=1)
    shop.phones.fail("accept_500", endpoint="push", times=1)
    shop.send(threads=1)
    assert cancel.cancel_program(BROADCAST, 1, now=shop.now, wall=shop.wall) == 1
    assert quota.meter(shop.now).reserved == 1
    # The other one may be with its friend already: it is asked about, not forgotten.
    shop.later(minutes=1)
    shop.send()
    assert states() == {"canceled": 1, "sent": 1}


def test_another_program_is_left_alone(shop: Shop):
    shop.friend()
    shop.broadcast(1)
    shop.broadcast(2)
    cancel.cancel_program(BROADCAST, 1, now=shop.now, wall=shop.wall)
    assert states() == {"canceled": 1, "queued": 1}


def test_steps_of_friends_who_left_are_canceled(shop: Shop):
    hana, taro = shop.friend("花"), shop.friend("太郎")
    shop.broadcast()
    count = cancel.cancel_for_friends(BROADCAST, 1, [hana.id], now=shop.now)
    assert count == 1
    assert Delivery.get(Delivery.friend_id == hana.id).reason == reasons.LEFT
    assert Delivery.get(Delivery.friend_id == taro.id).state == DeliveryState.QUEUED


def hold_everything() -> None:
    """What a restore does."""
    Shipment.update(state=int(ShipmentState.HELD)).where(
        Shipment.state == int(ShipmentState.READY)
    ).execute()
    Delivery.update(state=int(DeliveryState.HELD), reason=reasons.RESTORED).where(
        Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.PACKED))
    ).execute()


def test_what_a_restore_holds_waits_until_staff_release_it(shop: Shop):
    shop.phones.quota(100)
    friends = shop.friends(2)
    shop.broadcast(1)
    shop.phones.fail("500", endpoint="multicast")
    shop.send()
    shop.broadcast(2, "第二則")
    hold_everything()
    shop.later(minutes=1)
    assert (shop.send().done, states()) == (0, {"held": 4})

    owner = make_staff()
    count = resolve.release_held(BROADCAST, [1], staff=owner, now=shop.now, wall=shop.wall)
    assert count == 2
    assert quota.meter(shop.now).reserved == 0
    shop.send()
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 2

    count = resolve.cancel_held(staff=owner, now=shop.now, wall=shop.wall)
    assert count == 2
    assert states() == {"sent": 2, "canceled": 2}
    assert [row.action for row in Audit.select().order_by(Audit.id)] == [
        "delivery.release",
        "delivery.cancel",
    ]


def test_screens_are_told_what_is_underway(shop: Shop):
    shop.friends(3)
    shop.broadcast(1)
    shop.broadcast(2, "第二則")
    shop.phones.fail("500", endpoint="multicast", times=1)
    shop.programs.paused.add((BROADCAST, 2))
    shop.send()

    assert queries.live() == queries.Live(queued=3, sending=3, unknown=0)
    assert queries.left_behind(NOON) == queries.LeftBehind(queued_due=3, underway=3)
    assert queries.counts_by_state(BROADCAST, [1, 2, 3]) == {
        1: {DeliveryState.PACKED: 3},
        2: {DeliveryState.QUEUED: 3},
    }
    assert queries.unfinished(BROADCAST, [1, 2, 3]) == {1: 3, 2: 3}
    assert queries.has_unfinished(BROADCAST, 2)
    assert not queries.has_unfinished(BROADCAST, 3)
    assert queries.is_due(shop.now, shop.wall)

    shop.later(hours=24)
    shop.send()
    assert queries.live() == queries.Live(queued=3, sending=0, unknown=3)
    assert queries.reasons_of(BROADCAST, 1) == {reasons.NO_ANSWER: 3}
    [trouble] = queries.in_trouble()
    assert trouble.recipients == 3
    friend_id = Delivery.get().friend_id
    assert [row.origin_id for row in queries.of_friend(friend_id)] == [2, 1]


def test_counts_fit_on_one_line(shop: Shop):
    shop.friends(2)
    shop.broadcast()
    line = str(shop.send())
    assert line == ("planned 0 packed 2 sent 2 failed 0 unknown 0 skipped 0 queued 0 waiting 0")
