"""`./run chaos --at-size`: 100,000 friends in a segment, and all that may happen in the middle.

Four broadcasts to the same segment. Equal words and personal ones are each killed with -9 in every
kind of work and run into LINE's monthly limit half way (the limit falls at LINE, unknown to us);
while they wait the worker is killed once more, then the limit is raised and they must go on by
themselves. Then one of each kind is stopped in the middle, the worker killed the moment staff press
stop. LINE fails now and then throughout. Judged by the phones, and our own states and counts by
what the phones have.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import line
from bench.chaos.shop import Shop, name_of
from lineadmin import clock, settings
from lineadmin.broadcasts import actions as broadcasts
from lineadmin.broadcasts import control, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.line.limits import MULTICAST_RECIPIENTS
from lineadmin.outbox import phase, quota, reasons
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import Delivery, DeliveryState, QuotaMonth
from lineadmin.outbox.queries import live
from lineadmin.simulator.client import SimulatorClient
from lineadmin.tasks.doorbell import ring

SEGMENT = "分眾"
# Slow enough for a multicast that the middle of 200 of them can be hit.
LATENCY_MS = {"multicast": (1_000, 2_000), "push": (20, 100)}
FAULTS = ("500", "accept_500", "drop_after")
FAULT_PERCENT = 1.0
WAIT_SECONDS = 1_800.0
STILL_SECONDS = 5.0
AIM_SECONDS = 20.0
IN_AIR = "with requests in the air"
BOTH = ("一樣的", "有名字的")


@dataclass
class Sent:
    """One broadcast and what became of it."""

    id: int
    name: str
    personal: bool
    stopped: bool = False
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    at_limit: int = 0  # phones that had it while LINE's limit held it
    refused: int = 0  # requests answered 429
    phones: int = 0
    requests: int = 0  # accepted by LINE

    def __str__(self) -> str:
        how = "pushes" if self.personal else "multicasts"
        shown = [name for name in (*phase.NAMES, IN_AIR) if self.kills[name]]
        hit = ", ".join(f"{name} {self.kills[name]}" for name in shown)
        stopped = "; stopped in the middle"
        limit = f"; at LINE's limit {self.at_limit:,} had it, {self.refused} requests refused"
        return (
            f"{self.name}: {self.phones:,} phones by {self.requests:,} {how},"
            f" {self.seconds:.0f} s; kills: {hit or 'none'}"
            f"{stopped if self.stopped else limit}"
        )


class AtSize:
    """One run on one database."""

    def __init__(self, url: str, folder: Path, *, friends: int, seed: int) -> None:
        self.friends = friends
        self.shop = Shop(url, folder, random.Random(seed))
        self.sent: list[Sent] = []
        self.problems: list[str] = []
        self.seconds = 0.0
        self.events = ""

    def run(self) -> AtSize:
        """All four broadcasts; afterwards `problems` is empty, or says what is false."""
        self.shop.open()
        started = time.monotonic()
        with line.running(self.shop.line_port, self.shop.webhook_url) as phones:
            try:
                self._prepare(phones)
                for personal in (False, True):
                    self._through_kills_and_limit(phones, personal)
                for personal in (False, True):
                    self._stopped_half_way(phones, personal)
                self._judge(phones)
            finally:
                self.shop.close()
                self.seconds = time.monotonic() - started
        return self

    def lines(self) -> Iterator[str]:
        """For people."""
        for one in self.sent:
            yield str(one)
        yield f"{self.events}, in {self.seconds:.0f} s"
        for problem in self.problems:
            yield f"FAILED: {problem}"
        if not self.problems:
            yield (
                f"passed: of {self.friends:,} nobody has a message twice, nobody was lost,"
                " and our states and counts are what the phones have"
            )

    # What happens ----------------------------------------------------------------------------

    def _prepare(self, phones: SimulatorClient) -> None:
        now = clock.wall()
        settings.change_shop({"undo_minutes": 0}, staff=None, wall=now)
        ids = [
            user_id
            for start in range(0, self.friends, 10_000)
            for user_id in phones.add_phones(min(10_000, self.friends - start), seed=f"size{start}")
        ]
        self.shop.add_friends(ids, tag=SEGMENT, now=now)
        for endpoint, milliseconds in LATENCY_MS.items():
            phones.latency(*milliseconds, endpoint=endpoint)
            for kind in FAULTS:
                phones.fail(kind, endpoint=endpoint, percent=FAULT_PERCENT)
        self.shop.start("worker")
        self._wait(lambda: quota.ledger(clock.now()).read_at is not None, "LINE's quota unread")

    def _through_kills_and_limit(self, phones: SimulatorClient, personal: bool) -> None:
        one = self._leave("送完", personal)
        started = time.monotonic()
        refused = self._refused(phones)
        self._kill(one, phase.PLAN)
        self._kill(one, phase.PACK)
        self._kill(one, phase.CLAIM)
        # The limit falls at LINE: we go on believing in the one we read before.
        begun = phones.state()["used"] // self.friends * self.friends
        self._wait(lambda: phones.state()["used"] - begun >= self.friends * 2 // 5, "not under way")
        phones.quota(begun + self.friends // 2)
        self._kill(one, phase.RECORD)
        self._wait(lambda: self._at_limit(one), "never waited for LINE's limit")
        self._wait_until_still(phones)
        one.at_limit = phones.state()["used"] - begun
        one.refused = self._refused(phones) - refused
        self._kill(one, None)
        phones.quota(20 * self.friends)
        self._wait(lambda: self._state(one) == states.SENT, "did not go on after the limit")
        one.seconds = time.monotonic() - started
        if one.at_limit > self.friends // 2 or not one.refused:
            self.problems.append(f"{one.name}: proves nothing about the limit: {one}")

    def _stopped_half_way(self, phones: SimulatorClient, personal: bool) -> None:
        one = self._leave("停掉", personal)
        started = time.monotonic()
        used = phones.state()["used"]
        share = self.friends // (10 if personal else 3)
        self._wait(lambda: phones.state()["used"] - used >= share, "not under way")
        control.stop(one.id, staff=None, wall=clock.wall())
        one.stopped = True
        self._kill(one, None)
        self._wait(lambda: self._state(one) == states.CANCELED, "not stopped")
        one.seconds = time.monotonic() - started

    def _leave(self, word: str, personal: bool) -> Sent:
        """Confirm one more broadcast to the segment."""
        self._wait(self._enough_left, "LINE's raised limit unread")
        name, now = f"{word}{BOTH[personal]}", clock.wall()
        draft = broadcasts.draft_broadcast(
            name=name,
            parts=[{"text": f"{name} {{name}}" if personal else name}],
            audience={"field": "tag", "op": "is", "value": SEGMENT},
            staff=None,
            now=now,
            wall=now,
        )
        self.shop.confirm(draft, now)
        ring()
        self.sent.append(Sent(draft.id, name, personal))
        return self.sent[-1]

    def _enough_left(self) -> bool:
        left = quota.remaining(clock.now())
        return left is None or left >= self.friends

    def _kill(self, one: Sent, aim: str | None) -> None:
        within = self.shop.kill_worker(aim, seconds=AIM_SECONDS)
        if self.shop.note_left_flying():
            within.add(IN_AIR)
        one.kills.update(within)
        self.shop.start("worker")

    @staticmethod
    def _at_limit(one: Sent) -> bool:
        return str(Broadcast.get_by_id(one.id).pause_reason) == reasons.QUOTA

    def _wait_until_still(self, phones: SimulatorClient) -> None:
        """Until LINE has counted nothing more for a while. Unclear requests may go on asking."""
        used, since = -1, time.monotonic()
        while time.monotonic() - since < STILL_SECONDS:
            now = phones.state()["used"]
            if now != used:
                used, since = now, time.monotonic()
            time.sleep(0.2)

    @staticmethod
    def _state(one: Sent) -> str:
        return str(Broadcast.get_by_id(one.id).state)

    @staticmethod
    def _refused(phones: SimulatorClient) -> int:
        counters = phones.counters()
        return counters.get("push.429", 0) + counters.get("multicast.429", 0)

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        """
        :raises TimeoutError: it did not come true
        """
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.shop.expect_running("worker")
            if time.monotonic() > until:
                raise TimeoutError(f"{otherwise}; see {self.shop.folder}/log")
            time.sleep(0.1)

    # The verdict -----------------------------------------------------------------------------

    def _judge(self, phones: SimulatorClient) -> None:
        self._settle_quota()
        counters = phones.counters()
        conflicts = counters.get("push.409", 0) + counters.get("multicast.409", 0)
        taken = self.shop.count_taken_back()
        self.events = f"{conflicts} requests answered 409, {taken} leases taken back"
        names: dict[str, int] = dict(rows(Friend.select(Friend.line_user_id, Friend.id)))
        got = self._received(phones, names)
        for one in self.sent:
            self._judge_one(one, got[one.name], set(names.values()))
        self._judge_quota(phones)
        self.problems += [f"LINE complains: {found}" for found in phones.abuse()[:5]]
        if not conflicts or not taken:
            self.problems.append(f"proves nothing: {self.events}")

    def _received(self, phones: SimulatorClient, names: dict[str, int]) -> dict[str, Counter[int]]:
        """{broadcast: {friend: how often the phone has it}}; counts accepted requests, too."""
        got: dict[str, Counter[int]] = {one.name: Counter() for one in self.sent}
        requests: dict[str, set[str]] = {one.name: set() for one in self.sent}
        for user_id, items in phones.received().items():
            for _how, request_id, _at, messages in items:
                for message in messages:
                    name, _space, friend = message["text"].partition(" ")
                    if friend not in ("", name_of(user_id)):
                        self.problems.append(f"{user_id} has what was for {friend}")
                    got[name][names[user_id]] += 1
                    requests[name].add(request_id)
        for one in self.sent:
            one.phones, one.requests = len(got[one.name]), len(requests[one.name])
        return got

    def _judge_one(self, one: Sent, got: Counter[int], everybody: set[int]) -> None:
        def false(what: str) -> None:
            self.problems.append(f"{one.name}: {what}")

        twice = [friend for friend, times in got.items() if times > 1]
        if twice:
            false(f"{len(twice)} phones have it twice")
        query = Delivery.select(Delivery.friend_id, Delivery.state).where(
            Delivery.origin_id == one.id
        )
        deliveries: dict[int, int] = dict(rows(query))
        sent = {friend for friend, state in deliveries.items() if state == DeliveryState.SENT}
        rest = Counter(DeliveryState(state).name for state in deliveries.values())
        del rest[DeliveryState.SENT.name]
        if sent != set(got):
            false(
                f"{len(sent - set(got))} sent to nobody, {len(set(got) - sent)} sent unknown to us"
            )
        if set(deliveries) != everybody:
            false(f"{len(everybody - set(deliveries))} friends are in no record")
        if not one.stopped and sent != everybody:
            false(f"lost: {dict(rest)}")
        if one.stopped and (not sent or not rest or set(rest) != {DeliveryState.CANCELED.name}):
            false(f"stopped with {len(sent)} sent and {dict(rest)}")
        row = Broadcast.get_by_id(one.id)
        if row.sent_count != len(got):
            false(f"{row.sent_count} counted as sent")
        wanted = self.friends if one.personal else -(-self.friends // MULTICAST_RECIPIENTS)
        if not one.stopped and one.requests != wanted:
            false(f"{one.requests} requests, not {wanted}")
        missed = set(phase.NAMES) - set(one.kills)
        if not one.stopped and missed:
            false(f"proves nothing about {', '.join(sorted(missed))}")

    def _settle_quota(self) -> None:
        """Nothing is in the air any more: nothing may stay reserved."""
        self._wait(lambda: not live().sending and not live().queued, "something is still under way")
        self.shop.kill("worker")

    def _judge_quota(self, phones: SimulatorClient) -> None:
        used = phones.state()["used"]
        row = QuotaMonth.get(QuotaMonth.month == quota.month_of(clock.now(), settings.shop()))
        counted = (row.sent_total, row.reserved, row.unknown)
        if counted != (used, 0, 0):
            self.problems.append(f"LINE counts {used}; we sent, reserve, doubt {counted}")


def run(url: str, folder: Path, *, friends: int, seed: int) -> AtSize:
    """One run on the database at `url`; its files stay in `folder`."""
    return AtSize(url, folder, friends=friends, seed=seed).run()
