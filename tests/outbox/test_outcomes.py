"""What each of LINE's answers leads to (design: never twice, never lost, never guessed)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.line.answers import Accepted
from lineadmin.line.errors import (
    Detail,
    LineAuthFailed,
    LineError,
    LineQuotaExhausted,
    LineRateLimited,
    LineRefused,
    LineUnclear,
    LineUnreachable,
)
from lineadmin.line.posting import Posting
from lineadmin.outbox import claim, ends, pauses, quota, reasons, resolve
from lineadmin.outbox.claim import Flight
from lineadmin.outbox.counts import Counts
from lineadmin.outbox.models import Delivery, OriginKind, Shipment, ShipmentState
from lineadmin.outbox.outcomes import Fate, fate_of
from lineadmin.outbox.post import Result
from tests.conftest import NOON, PATIENCE
from tests.factories import make_friend, make_staff
from tests.outbox.conftest import Shop, shipments, states


def flight(recipients: int = 500, *, unclear: bool = False) -> Flight:
    return Flight(
        1, "multicast", 1, 1, "{}", "key", recipients, 1, 1, 5 if unclear else None, "2026-11"
    )


REFUSED = LineRefused(400, None, "The property, 'to[2]', is invalid")
CONTENT = LineRefused(400, None, "1 error", (Detail("too long", "messages[0].text"),))


@pytest.mark.parametrize(
    ("error", "fate", "fate_after_unclear"),
    [
        (LineUnclear(), Fate.AGAIN, Fate.AGAIN),
        (LineUnclear(500), Fate.AGAIN, Fate.AGAIN),
        (LineUnreachable(), Fate.AGAIN, Fate.AGAIN),
        (LineRateLimited(429), Fate.AGAIN, Fate.AGAIN),
        (LineAuthFailed(401), Fate.AGAIN, Fate.AGAIN),
        (LineAuthFailed(403), Fate.AGAIN, Fate.AGAIN),
        (LineQuotaExhausted(429), Fate.DISSOLVE, Fate.AGAIN),
        (REFUSED, Fate.SPLIT, Fate.UNKNOWN),
        (CONTENT, Fate.REFUSED, Fate.UNKNOWN),
        (LineRefused(413), Fate.REFUSED, Fate.UNKNOWN),
        (None, Fate.NOT_TRIED, Fate.NOT_TRIED),
    ],
)
def test_the_fate_of_a_multicast(error: LineError | None, fate: Fate, fate_after_unclear: Fate):
    assert fate_of(Result(flight(), error=error)) == fate
    assert fate_of(Result(flight(unclear=True), error=error)) == fate_after_unclear


def test_the_fate_of_one_friend():
    assert fate_of(Result(flight(1), error=REFUSED)) == Fate.REFUSED
    assert fate_of(Result(flight(1), accepted=Accepted("id"))) == Fate.ACCEPTED


# Unclear -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["accept_500", "timeout_after", "drop_after"])
def test_what_line_took_without_saying_so_is_not_sent_twice(shop: Shop, fault: str):
    friends = shop.friends(3)
    shop.broadcast()
    shop.phones.fail(fault, endpoint="multicast")

    with shop.patience_for(fault):
        assert shop.send().waiting == 3
    [shipment] = shipments()
    assert shipment.state == ShipmentState.READY
    assert shipment.first_unclear_at is not None

    shop.later(minutes=1)
    assert shop.send().sent == 3
    [shipment] = shipments()
    assert shipment.accepted_request_id
    assert shipment.accepted_request_id != shipment.line_request_id
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 3
    assert shop.phones.counters()["multicast.409"] == 1


@pytest.mark.parametrize("fault", ["500", "timeout_before", "drop_before"])
def test_what_line_did_not_take_is_sent_under_the_same_key(shop: Shop, fault: str):
    friends = shop.friends(3)
    shop.broadcast()
    shop.phones.fail(fault, endpoint="multicast", times=2)
    key = None
    for nth in range(3):
        with shop.patience_for(fault if nth < 2 else ""):
            shop.send()
        [shipment] = shipments()
        assert key in (None, shipment.retry_key)
        key = shipment.retry_key
        shop.later(minutes=1)
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 3
    assert shipment.tries == 3


def test_the_wait_between_tries_grows_to_a_minute(shop: Shop):
    shop.friend()
    shop.broadcast()
    shop.phones.fail("500", endpoint="push", times=20)
    waits = []
    for _try in range(9):
        shop.send()
        [shipment] = shipments()
        waits.append((shipment.try_at - shop.wall).total_seconds())
        shop.later(seconds=waits[-1])
    assert 0.5 <= waits[0] <= 1.5
    assert all(2 ** (n - 1) / 2 <= wait <= 2**n + 0.5 for n, wait in enumerate(waits[:6]))
    assert all(30 <= wait <= 60.5 for wait in waits[6:])


def test_after_23_unclear_hours_staff_decide_and_the_quota_stays_taken(shop: Shop):
    shop.phones.quota(100)
    hana = shop.friend()
    shop.broadcast()
    shop.phones.fail("500", endpoint="push", times=1_000)
    shop.send()
    shop.later(hours=22, minutes=59)
    assert shop.send().waiting == 1
    shop.later(minutes=2)

    counts = shop.send()

    assert (counts.unknown, counts.waiting) == (1, 0)
    row = Delivery.get()
    assert (states(), row.reason) == ({"unknown": 1}, reasons.NO_ANSWER)
    meter = quota.meter(shop.now)
    assert (meter.reserved, meter.unknown, meter.left) == (0, 1, 99)
    shop.phones.clear_faults()
    shop.later(hours=5)
    shop.send()
    assert shop.texts(hana) == []


def test_unknown_ones_are_found_while_all_sending_is_stopped(shop: Shop):
    shop.friend()
    shop.broadcast()
    shop.phones.fail("500", endpoint="push")
    shop.send()
    pauses.stop_all(staff=None, wall=shop.wall)
    shop.later(hours=23, minutes=1)
    assert shop.send().unknown == 1


def test_staff_count_an_unknown_message_as_sent(shop: Shop):
    make_unknown(shop)
    [shipment] = shipments()
    owner = make_staff()
    count = resolve.count_as_sent([shipment.id], staff=owner, now=shop.now, wall=shop.wall)
    assert (count, states()) == (1, {"sent": 1})
    assert quota.meter(shop.now).unknown == 0
    # A second press of the same button changes nothing.
    assert resolve.count_as_sent([shipment.id], staff=owner, now=shop.now, wall=shop.wall) == 0
    assert resolve.send_again([shipment.id], staff=owner, now=shop.now, wall=shop.wall) == 0


def test_staff_send_an_unknown_message_again_under_a_new_key(shop: Shop):
    hana = make_unknown(shop)
    [before] = shipments()
    assert resolve.send_again([before.id], staff=None, now=shop.now, wall=shop.wall) == 1
    shop.phones.clear_faults()
    shop.send()
    assert shop.texts(hana) == ["特價！"]
    assert shipments()[-1].retry_key != before.retry_key


def test_a_message_sent_again_is_rechecked(shop: Shop):
    hana = make_unknown(shop)
    Friend.update(status=BLOCKED).where(Friend.id == hana.id).execute()
    resolve.send_again([shipments()[0].id], staff=None, now=shop.now, wall=shop.wall)
    shop.phones.clear_faults()
    assert shop.send().skipped == 1


def make_unknown(shop: Shop) -> Friend:
    hana = shop.friend()
    shop.broadcast()
    shop.phones.fail("500", endpoint="push", times=1_000)
    shop.send()
    shop.later(hours=23, minutes=1)
    shop.send()
    assert states() == {"unknown": 1}
    return hana


# Certainly not taken -----------------------------------------------------------------------------


def test_a_line_that_cannot_be_reached_leaves_no_doubt(shop: Shop):
    hana = shop.friend()
    shop.broadcast()
    real = shop.gateway._posting
    shop.gateway._posting = Posting("http://127.0.0.1:9", connect=PATIENCE, read=PATIENCE)
    shop.send()
    [shipment] = shipments()
    assert (shipment.state, shipment.first_unclear_at) == (ShipmentState.READY, None)

    shop.later(minutes=11)
    shop.gateway._posting = real
    shop.send()

    assert shop.texts(hana) == ["特價！"]
    before, after = shipments()
    assert before.state == ShipmentState.DISSOLVED
    assert after.retry_key != before.retry_key


def test_too_fast_means_wait_not_fail(shop: Shop):
    hana = shop.friend()
    shop.broadcast()
    shop.phones.fail("429", endpoint="push")
    assert shop.send().waiting == 1
    assert shipments()[0].first_unclear_at is None
    shop.later(minutes=1)
    shop.send()
    assert shop.texts(hana) == ["特價！"]


def test_a_used_up_month_queues_again_tells_the_program_and_goes_on_by_itself(shop: Shop):
    shop.phones.quota(1_000)
    friends = shop.friends(3)
    shop.broadcast()
    shop.phones.fail("monthly", endpoint="multicast")

    counts = shop.send()

    assert (counts.sent, counts.queued, counts.waiting) == (0, 3, 0)
    assert ("waits", 1, reasons.QUOTA) in shop.programs.told
    assert shipments()[0].state == ShipmentState.DISSOLVED
    meter = quota.meter(shop.now)
    assert (meter.exhausted, meter.left, meter.reserved) == (True, 0, 0)
    # The next reading shows that something is left.
    shop.later(minutes=2)
    assert shop.send().sent == 3
    assert shop.programs.told[-1] == ("goes_on", 1, "")
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 3


def test_a_used_up_month_is_told_where_every_answer_is_unclear(shop: Shop):
    shop.phones.quota(1_000)
    friends = shop.friends(3)
    shop.broadcast()
    shop.phones.fail("500", endpoint="multicast")
    shop.phones.fail("monthly", endpoint="multicast")
    shop.send()
    assert not quota.is_exhausted(shop.now)

    shop.later(seconds=5)
    shop.send()

    assert quota.is_exhausted(shop.now)
    assert ("waits", 1, reasons.QUOTA) in shop.programs.told
    assert states() == {"packed": 3}, "LINE may have taken the first try: the same key must ask"
    shop.later(minutes=2)
    shop.send()
    assert states() == {"sent": 3}
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 3


def test_a_batch_is_cut_to_what_is_left_and_the_rest_goes_next_when_it_may(shop: Shop):
    shop.phones.quota(100, used=98)
    friends = shop.friends(5)
    shop.broadcast()

    counts = shop.send()

    assert (counts.sent, counts.queued) == (2, 3)
    assert ("waits", 1, reasons.QUOTA) in shop.programs.told
    shop.phones.quota(1_000)
    shop.later(minutes=6)
    assert shop.send().sent == 3
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 5


@pytest.mark.parametrize("fault", ["401", "403"])
def test_a_refused_access_pauses_everything_until_it_was_tested(shop: Shop, fault: str):
    friends = shop.friends(2)
    shop.broadcast(text="{name} 你好")
    shop.phones.fail(fault, endpoint="push", times=100)
    shop.send(threads=1)
    assert pauses.current().line_status == int(fault)
    asked = shop.requests("push")
    shop.later(minutes=5)
    shop.send()
    assert shop.requests("push") == asked

    shop.phones.clear_faults()
    owner = make_staff()
    assert pauses.line_is_well(staff=owner, wall=shop.wall) is True
    assert pauses.line_is_well(staff=owner, wall=shop.wall) is False
    shop.send()
    assert [shop.texts(friend) for friend in friends] == [["友0 你好"], ["友1 你好"]]


# Refused -----------------------------------------------------------------------------------------


def test_one_bad_id_among_many_is_found_by_halving(shop: Shop):
    friends = shop.friends(40)
    stranger = make_friend("別家的", line_user_id="U" + "0" * 31 + "1")
    shop.phones.settings()
    shop.broadcast()
    refuse_whom_line_does_not_know(shop, stranger)

    counts = shop.send()

    assert (counts.sent, counts.failed) == (40, 1)
    assert [shop.texts(friend) for friend in friends] == [["特價！"]] * 40
    row = Delivery.get(Delivery.friend_id == stranger.id)
    assert row.reason == reasons.REFUSED
    assert row.detail
    parents = {one.id for one in shipments() if one.state == ShipmentState.SPLIT}
    children = [one for one in shipments() if one.parent_id is not None]
    assert {one.parent_id for one in children} == parents
    assert len({one.retry_key for one in shipments()}) == len(shipments())
    assert quota.meter(shop.now).reserved == 0


def refuse_whom_line_does_not_know(shop: Shop, stranger: Friend) -> None:
    """A LINE that answers 400 to a multicast with a foreign id (the documents allow both)."""
    multicast, push = shop.gateway.multicast, shop.gateway.push

    def strict(real: Any) -> Any:
        def send(body: bytes, retry_key: str) -> Accepted:
            if stranger.line_user_id.encode() in body:
                raise LineRefused(400, "req", "Failed to send messages")
            return real(body, retry_key)

        return send

    shop.gateway.multicast, shop.gateway.push = strict(multicast), strict(push)  # type: ignore[method-assign]


def test_refused_words_are_not_tried_on_everybody(shop: Shop):
    shop.friends(600)
    shop.broadcast()

    def refuse(body: bytes, retry_key: str) -> Accepted:
        raise CONTENT

    shop.gateway.multicast = refuse  # type: ignore[method-assign]
    shop.programs.waits = lambda kind, id, reason, now: shop.programs.paused.add((kind, id))  # type: ignore[method-assign]
    counts = shop.send(threads=1)
    assert counts.failed in (500, 600)  # the second request may already have been on its way
    assert counts.sent == 0
    assert "messages[0].text" in Delivery.get().detail


def test_a_refusal_after_an_unclear_try_is_unknown(shop: Shop):
    shop.friends(2)
    shop.broadcast()
    shop.phones.fail("accept_500", endpoint="multicast")
    shop.send()
    shop.later(minutes=1)
    shop.phones.fail("400", endpoint="multicast")
    assert shop.send().unknown == 2
    assert {row.reason for row in Delivery.select()} == {reasons.REFUSED_LATER}
    assert quota.meter(shop.now).unknown == 2


# Leases ------------------------------------------------------------------------------------------


def test_a_lease_that_ran_out_is_taken_back_and_the_request_repeated(shop: Shop):
    hana = shop.friend()
    shop.broadcast()
    dead = shop.sender()
    held = die_in_flight(shop, dead)
    # Its request did reach LINE before it died.
    shop.gateway.push(held.body.encode(), held.retry_key)

    assert shop.send().waiting == 1
    shop.later(seconds=29)
    assert shop.send().waiting == 1
    shop.later(seconds=1)
    assert shop.send().sent == 1
    assert shop.texts(hana) == ["特價！"]
    [shipment] = shipments()
    assert shipment.first_unclear_at == shipment.first_try_at
    assert shipment.accepted_request_id


def die_in_flight(shop: Shop, sender: Any) -> Flight:
    """Pack and claim, as a worker that is killed before its first request's answer."""
    flights: list[Flight] = []
    sender._post.send = flights.extend
    sender._round(shop.now, shop.wall, Counts())
    sender._round(shop.now, shop.wall, Counts())
    [only] = flights
    return only


def test_a_late_result_of_a_lost_lease_changes_nothing(shop: Shop):
    from lineadmin.outbox import outcomes

    shop.friend()
    shop.broadcast()
    held = die_in_flight(shop, shop.sender())
    shop.later(seconds=31)
    claim.take_back(shop.wall)
    before = shipments()[0]
    late = [
        Result(held, accepted=Accepted("late")),
        Result(held, error=LineRefused(400)),
        Result(held, error=LineUnclear()),
        Result(held, error=LineQuotaExhausted(429)),
        Result(held),
    ]
    for result in late:
        outcomes.record([result], shop.programs, now=shop.now, wall=shop.wall)
        after = shipments()[0]
        assert (after.state, after.try_at, after.fence, after.tries) == (
            before.state,
            before.try_at,
            before.fence,
            before.tries,
        )
    assert states() == {"packed": 1}


def test_a_starting_worker_frees_its_dead_predecessors_leases(shop: Shop, tmp_path: Any):
    import threading

    hana = shop.friend()
    shop.broadcast()
    die_in_flight(shop, shop.sender(place="worker"))
    die_elsewhere = Shipment.get()
    assert die_elsewhere.leased_by.split("/")[1] == "worker"

    successor = shop.sender(place="worker", lock_file=tmp_path / "worker.lock")
    other = shop.sender(place="worker", lock_file=tmp_path / "worker.lock")
    successor._take_over()
    assert shipments()[0].state == ShipmentState.READY
    other._take_over()
    assert other._place is not None
    assert other._place._file is None  # somebody lives here
    stop = threading.Event()
    stop.set()
    successor.pump(stop)
    shop.send()
    assert shop.texts(hana) == ["特價！"]


def test_leases_of_other_machines_are_left_alone(shop: Shop, tmp_path: Any):
    shop.friend()
    shop.broadcast()
    die_in_flight(shop, shop.sender(place="worker"))
    Shipment.update(leased_by="elsewhere/worker/1").execute()
    shop.sender(place="worker", lock_file=tmp_path / "worker.lock")._take_over()
    assert shipments()[0].state == ShipmentState.FLYING


def test_a_request_that_could_outlive_its_lease_is_not_started(shop: Shop):
    from lineadmin.outbox.post import Post, _Order

    post = Post(shop.gateway, threads=1)
    assert post._try(_Order(flight(1), start_until=0.0)) == Result(flight(1))


def test_a_stopping_sender_hands_back_what_it_did_not_start(shop: Shop):
    shop.friends(6)
    shop.broadcast(text="{name} 你好")
    shop.phones.latency(300, endpoint="push")
    sender = shop.sender(threads=1)
    counts = Counts()
    sender._round(shop.now, shop.wall, counts)
    sender._round(shop.now, shop.wall, counts)
    assert sender._post.in_air > 1
    sender.finish()
    assert {one.state for one in shipments()} <= {ShipmentState.READY, ShipmentState.ACCEPTED}
    assert all(one.first_unclear_at is None for one in shipments())
    shop.phones.latency(0)
    shop.send()
    assert states() == {"sent": 6}
    assert shop.phones.counters().get("push.409", 0) == 0


def test_while_line_is_down_it_is_probed_not_flooded(shop: Shop):
    friends = shop.friends(100)
    shop.broadcast(text="{name} 你好")
    shop.phones.fail("500", endpoint="push", times=100_000)
    shop.send()
    assert shop.requests("push") <= 40
    shop.phones.clear_faults()
    for _minute in range(3):
        shop.later(minutes=1)
        shop.send()
    assert states() == {"sent": 100}
    assert all(len(shop.texts(friend)) == 1 for friend in friends)


def test_bodies_are_exactly_what_line_expects(shop: Shop):
    shop.friends(2)
    shop.broadcast()
    shop.send()
    body = json.loads(shipments()[0].body)
    assert set(body) == {"messages", "to"}
    assert len(body["to"]) == 2
    assert timedelta(hours=23) == ends.GIVE_UP_AFTER
    assert OriginKind(shipments()[0].origin_kind) == OriginKind.BROADCAST
    assert Delivery.get().due_at == NOON
