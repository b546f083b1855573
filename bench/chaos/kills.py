"""`./run chaos`: kill -9 the real web and worker processes while messages go out.

5,000 friends get two messages each through a LINE that answers after 20-200 ms and fails 5 % of the
time in every way. Processes are killed again and again at random moments; some of the time the
moment is drawn anew until it falls into a kind of work that was not hit yet. The verdict comes from
the phones alone: each has each message exactly once. A run whose kills hit nothing worth hitting
fails as proving nothing.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from peewee import fn

from bench import line
from bench.chaos.report import Floors, Report
from bench.chaos.shop import Shop, name_of
from lineadmin import clock, settings
from lineadmin.broadcasts import actions as broadcasts
from lineadmin.broadcasts.models import Broadcast
from lineadmin.inbox.models import InboundEvent
from lineadmin.outbox import phase
from lineadmin.outbox.models import Delivery, DeliveryState, Shipment
from lineadmin.simulator.client import SimulatorClient

LATENCY_MS = (20, 200)
FAULTS = (("500", 1.25), ("accept_500", 1.25), ("drop_after", 1.25), ("429", 1.25))
AIM_UNTIL_HIT, AIM_LATER = 0.75, 0.3
BOOT_SECONDS = 180.0
FINISH_SECONDS = 600.0
WEB_TOO = 0.25  # of the kills hit the web process as well


class Chaos:
    """One run on one database."""

    def __init__(self, url: str, folder: Path, *, friends: int, kills: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.report = Report(friends, Floors.for_kills(kills))
        self.shop = Shop(url, folder, self.chance)
        self.wanted: dict[str, list[str]] = {}  # user id -> texts
        # Two broadcasts to each, one for each kill: there is something to hit until the last.
        self.groups = kills // 2
        self.waiting: list[Broadcast] = []  # drafts, the next one last

    def run(self) -> Report:
        """Kill until enough was killed and everything is sent; the verdict."""
        self.shop.open()
        with line.running(self.shop.line_port, self.shop.webhook_url) as phones:
            started = time.monotonic()
            try:
                self._prepare(phones)
                self.shop.start("web")
                self.shop.start("worker")
                self._write_broadcasts()
                self._confirm_next()
                self._kill_again_and_again(phones)
                while self.waiting:
                    self._confirm_next()
                self._finish(phones)
            finally:
                self.shop.close()
                self.report.seconds = time.monotonic() - started
        self.report.judge()
        return self.report

    # The shop --------------------------------------------------------------------------------

    def _prepare(self, phones: SimulatorClient) -> None:
        """Friends in groups, each with a tag of its own."""
        now = clock.wall()
        size = self.report.friends // self.groups
        settings.change_shop({"undo_minutes": 0}, staff=None, wall=now)
        for group in range(self.groups):
            ids = phones.add_phones(size, seed=f"chaos{group}")
            self.shop.add_friends(ids, tag=f"第{group}組", now=now)
            for user_id in ids:
                self.wanted[user_id] = [f"早安 {name_of(user_id)}", self._second(group, user_id)]
        phones.latency(*LATENCY_MS, endpoint="push")
        phones.latency(*LATENCY_MS, endpoint="multicast")
        for kind, percent in FAULTS:
            for endpoint in ("push", "multicast"):
                phones.fail(kind, endpoint=endpoint, percent=percent)

    @staticmethod
    def _second(group: int, user_id: str = "") -> str:
        """Groups get it as multicasts and as pushes by turns."""
        return f"第{group}組特價" if group % 2 else f"{name_of(user_id)} 的特價"

    def _write_broadcasts(self) -> None:
        """A draft for each group and turn; one is confirmed before each kill."""
        now = clock.wall()
        for turn in range(2):
            for group in range(self.groups):
                text = "早安 {name}" if turn == 0 else self._second(group)
                if turn and not group % 2:
                    text = "{name} 的特價"
                draft = broadcasts.draft_broadcast(
                    name=f"廣播 {turn * self.groups + group}",
                    parts=[{"text": text}],
                    audience={"field": "tag", "op": "is", "value": f"第{group}組"},
                    staff=None,
                    now=now,
                    wall=now,
                )
                self.waiting.insert(0, draft)

    def _confirm_next(self) -> None:
        """Let one more broadcast leave now."""
        if self.waiting:
            self.shop.confirm(self.waiting.pop(), clock.wall())

    # Killing ---------------------------------------------------------------------------------

    def _kill_again_and_again(self, phones: SimulatorClient) -> None:
        users = list(self.wanted)
        while self.report.kills < self.report.floors.kills:
            if self._all_sent():
                self._confirm_next()
            self._wait_until_at_work()
            for user_id in self.chance.sample(users, 3):
                phones.text(user_id, "在嗎")  # gives the web process something to lose
            if self.chance.random() < WEB_TOO:
                self.shop.kill("web")
                self.report.web_kills += 1
                self.shop.start("web")
            self._confirm_next()  # to be planned right now, beside what is being sent
            aim = self._aim()
            if aim is None:
                time.sleep(self.chance.uniform(0.02, 0.4))
            self._kill_worker(aim)
            if self._all_sent() and not self.waiting:
                if self.report.kills == self.report.floors.kills:
                    return
                self.report.problems.append("everything was sent before there were enough kills")
                return
            self.shop.start("worker")

    def _aim(self) -> str | None:
        """Mostly nothing, once everything has been hit; before that mostly what was not."""
        rarest = min(phase.NAMES, key=lambda name: (self.report.phases[name], self.chance.random()))
        likely = AIM_UNTIL_HIT if not self.report.phases[rarest] else AIM_LATER
        return rarest if self.chance.random() < likely else None

    def _kill_worker(self, aim: str | None) -> None:
        self.report.phases.update(self.shop.kill_worker(aim))
        self.report.kills += 1
        # Before what this kill left: of that nothing can have been taken back.
        self.report.leases_taken_back += self.shop.count_taken_back()
        self.report.in_air += self.shop.note_left_flying()

    def _wait_until_at_work(self) -> None:
        """Until the worker has claimed something, or has had its time to."""
        until = time.monotonic() + BOOT_SECONDS
        before = self._claims()
        while time.monotonic() < until:
            self.shop.expect_running("worker")
            if self._claims() != before or self.shop.phases():
                return
            time.sleep(0.02)
        self.report.problems.append("a worker did nothing for three minutes")

    @staticmethod
    def _claims() -> int:
        """How many claims there ever were."""
        return Shipment.select(fn.SUM(Shipment.fence)).scalar() or 0

    def _finish(self, phones: SimulatorClient) -> None:
        """Let the rest go out undisturbed, then look at the phones."""
        until = time.monotonic() + FINISH_SECONDS
        while not self._all_sent():
            if time.monotonic() > until:
                self.report.problems.append(f"not everything went out: {self._states()}")
                break
            time.sleep(0.2)
        self.report.leases_taken_back += self.shop.count_taken_back()
        phones.wait_for_events(30_000)
        counters = phones.counters()
        self.report.conflicts = counters.get("push.409", 0) + counters.get("multicast.409", 0)
        self._judge_phones(phones)
        self._judge_events(phones)
        self.report.problems += [f"LINE complains: {one}" for one in phones.abuse()[:5]]

    def _judge_phones(self, phones: SimulatorClient) -> None:
        received = phones.received()
        wrong = 0
        for user_id, texts in self.wanted.items():
            got = [
                message.get("text")
                for _how, _request, _at, messages in received.get(user_id, [])
                for message in messages
            ]
            if sorted(got) != sorted(texts):
                wrong += 1
                if wrong <= 5:
                    self.report.problems.append(f"{user_id} has {got}, not {texts}")
        if wrong:
            self.report.problems.append(f"{wrong} phones do not have each message exactly once")
        strangers = set(received) - set(self.wanted)
        if strangers:
            self.report.problems.append(f"{len(strangers)} phones got what was not for them")

    def _judge_events(self, phones: SimulatorClient) -> None:
        """What the web process answered 200 to must be stored, once."""
        answered = {one["event_id"] for one in phones.events(10_000) if one["delivered"]}
        stored = Counter(row.event_id for row in InboundEvent.select(InboundEvent.event_id))
        self.report.events_answered = len(answered)
        lost = [event_id for event_id in answered if stored[event_id] != 1]
        if lost:
            self.report.problems.append(f"{len(lost)} answered events are not stored once")

    def _all_sent(self) -> bool:
        unfinished = Broadcast.select().where(Broadcast.state != "sent").exists()
        done = (int(DeliveryState.SENT),)
        return not unfinished and not Delivery.select().where(Delivery.state.not_in(done)).exists()

    def _states(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for state in (row.state for row in Delivery.select(Delivery.state)):
            found[DeliveryState(state).name.lower()] += 1
        return dict(found)


def run(url: str, folder: Path, *, friends: int, kills: int, seed: int) -> Report:
    """One run on the database at `url`; its files stay in `folder`."""
    return Chaos(url, folder, friends=friends, kills=kills, seed=seed).run()
