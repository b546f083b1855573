"""`./run chaos`: kill -9 the real web and worker processes while messages go out.

5,000 friends get two messages each through a LINE that answers after 20-200 ms and fails 5 % of the
time in every way. Processes are killed again and again at random moments; some of the time the
moment is drawn anew until it falls into a kind of work that was not hit yet. The verdict comes from
the phones alone: each has each message exactly once. A run whose kills hit nothing worth hitting
fails as proving nothing.

`python -m bench.chaos [--friends N] [--kills N] [--database URL] [--seed N]`; without --database it
runs on SQLite and on a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from peewee import fn

from bench import line
from lineadmin import clock, migrate, settings
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.broadcasts import actions as broadcasts
from lineadmin.broadcasts import confirm as confirming
from lineadmin.broadcasts.models import Broadcast
from lineadmin.cli.processes import command_of
from lineadmin.config import Config, load_config
from lineadmin.friends.models import FRIEND, Friend, FriendTag, Tag
from lineadmin.inbox.models import InboundEvent
from lineadmin.outbox import phase
from lineadmin.outbox.models import Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.simulator.client import SimulatorClient

ROOT = Path(__file__).parent.parent
LATENCY_MS = (20, 200)
FAULTS = (("500", 1.25), ("accept_500", 1.25), ("drop_after", 1.25), ("429", 1.25))
AIM_SECONDS = 2.0
AIM_UNTIL_HIT, AIM_LATER = 0.75, 0.3
BOOT_SECONDS = 60.0
FINISH_SECONDS = 600.0
WEB_TOO = 0.25  # of the kills hit the web process as well


@dataclass(frozen=True)
class Floors:
    """Less than this proves nothing."""

    kills: int
    in_air: int  # kills that left a shipment in the air
    conflicts: int  # requests answered 409: LINE had them already
    leases: int  # leases taken back
    each_phase: int  # kills within planning, packing, claiming and recording, each

    @classmethod
    def for_kills(cls, kills: int) -> Floors:
        """Those of the long run (50 kills: 20, 10, 10, 1 each), in proportion."""
        return cls(kills, kills * 2 // 5, kills // 5, kills // 5, 1)


@dataclass
class Report:
    """What a run saw."""

    friends: int
    floors: Floors
    kills: int = 0
    web_kills: int = 0
    in_air: int = 0
    conflicts: int = 0
    leases_taken_back: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    events_answered: int = 0
    problems: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Add what the run failed to prove to its problems."""
        wanted = {
            "kills": (self.kills, self.floors.kills),
            "kills with a shipment in the air": (self.in_air, self.floors.in_air),
            "answers 409": (self.conflicts, self.floors.conflicts),
            "leases taken back": (self.leases_taken_back, self.floors.leases),
        }
        for name in phase.NAMES:
            wanted[f"kills within {name}"] = (self.phases[name], self.floors.each_phase)
        for name, (seen, floor) in wanted.items():
            if seen < floor:
                self.problems.append(f"proves nothing: {seen} {name}, at least {floor} needed")

    def lines(self) -> Iterator[str]:
        """For people."""
        yield (
            f"{self.kills} kills of the worker, {self.web_kills} of the web process,"
            f" in {self.seconds:.0f} s; {self.in_air} left a shipment in the air"
        )
        hit = ", ".join(f"{name} {self.phases[name]}" for name in phase.NAMES)
        yield f"kills within: {hit}"
        yield (
            f"{self.conflicts} requests answered 409, {self.leases_taken_back} leases taken back,"
            f" {self.events_answered} webhook events answered and stored"
        )
        for problem in self.problems:
            yield f"FAILED: {problem}"
        if not self.problems:
            yield f"passed: {self.friends:,} phones have each of 2 messages exactly once"


class Chaos:
    """One run on one database."""

    def __init__(self, url: str, folder: Path, *, friends: int, kills: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.report = Report(friends, Floors.for_kills(kills))
        self.folder = folder
        self.url = url
        self.port, self.line_port = _free_ports(2)
        self.environ = {
            "SECRET_KEY": "the-secret-key-of-the-crash-test",
            "DATABASE_URL": url,
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "LINE_CHANNEL_SECRET": line.SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line.TOKEN,
            "LINE_API_BASE": f"http://127.0.0.1:{self.line_port}",
            "LINE_DATA_API_BASE": f"http://127.0.0.1:{self.line_port}",
            "PUBLIC_URL": "https://shop.example",
        }
        self.config: Config = load_config(self.environ)
        self.phase_file = folder / "phase"
        self.log = (folder / "log").open("ab")
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.left_flying: dict[int, int] = {}  # shipment -> its fence when its holder died
        self.wanted: dict[str, list[str]] = {}  # user id -> texts
        # Two broadcasts to each, one for each kill: there is something to hit until the last.
        self.groups = kills // 2
        self.waiting: list[Broadcast] = []  # drafts, the next one last
        self.started = 0.0

    def run(self) -> Report:
        """Kill until enough was killed and everything is sent; the verdict."""
        self.phase_file.write_bytes(b"0" * len(phase.NAMES))
        configuration.use(self.config)
        database.open_database(self.url)
        migrate.migrate()
        with line.running(self.line_port, f"http://127.0.0.1:{self.port}/webhook") as phones:
            self.started = time.monotonic()
            try:
                self._prepare(phones)
                self._start("web")
                self._start("worker")
                self._write_broadcasts()
                self._confirm_next()
                self._kill_again_and_again(phones)
                while self.waiting:
                    self._confirm_next()
                self._finish(phones)
            finally:
                for role in list(self.children):
                    self._kill(role)
                self.report.seconds = time.monotonic() - self.started
                database.db.close()
                self.log.close()
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
            tag = Tag.create(name=f"第{group}組", created_at=now)
            with database.atomic():
                for start in range(0, size, 500):
                    Friend.insert_many(
                        {
                            "line_user_id": user_id,
                            "display_name": f"友{user_id[-6:]}",
                            "status": FRIEND,
                            "first_seen_at": now,
                        }
                        for user_id in ids[start : start + 500]
                    ).execute()
                rows = Friend.select(Friend.id).where(Friend.line_user_id.in_(ids))
                FriendTag.insert_many(
                    [{"friend": row.id, "tag": tag.id, "at": now} for row in rows]
                ).execute()
            for user_id in ids:
                self.wanted[user_id] = [f"早安 友{user_id[-6:]}", self._second(group, user_id)]
        phones.latency(*LATENCY_MS, endpoint="push")
        phones.latency(*LATENCY_MS, endpoint="multicast")
        for kind, percent in FAULTS:
            for endpoint in ("push", "multicast"):
                phones.fail(kind, endpoint=endpoint, percent=percent)

    @staticmethod
    def _second(group: int, user_id: str = "") -> str:
        """Groups get it as multicasts and as pushes by turns."""
        return f"第{group}組特價" if group % 2 else f"友{user_id[-6:]} 的特價"

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
        if not self.waiting:
            return
        draft, now = self.waiting.pop(), clock.wall()
        confirming.confirm_broadcast(
            draft.id,
            version=draft.version,
            staff=None,
            now=now,
            wall=now,
            public_url=self.config.public_url,
        )

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
                self._kill("web")
                self.report.web_kills += 1
                self._start("web")
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
            self._start("worker")

    def _aim(self) -> str | None:
        """Mostly nothing, once everything has been hit; before that mostly what was not."""
        rarest = min(phase.NAMES, key=lambda name: (self.report.phases[name], self.chance.random()))
        likely = AIM_UNTIL_HIT if not self.report.phases[rarest] else AIM_LATER
        return rarest if self.chance.random() < likely else None

    def _kill_worker(self, aim: str | None) -> None:
        """kill -9, when `aim` is what it is doing; after a while without that, anyway."""
        pid = self.children["worker"].pid
        until = time.monotonic() + (AIM_SECONDS if aim else 0)
        while aim is not None and time.monotonic() < until:
            # Frozen, so that what is read is what it is killed in.
            os.kill(pid, signal.SIGSTOP)
            self._wait_until_frozen(pid)
            if self._phases()[aim]:
                break
            os.kill(pid, signal.SIGCONT)
            time.sleep(self.chance.uniform(0, 0.002))
        self._kill("worker")
        self.report.kills += 1
        self.report.phases.update(name for name, busy in self._phases().items() if busy)
        self.phase_file.write_bytes(b"0" * len(phase.NAMES))
        flying = Shipment.select(Shipment.id, Shipment.fence).where(
            Shipment.state == int(ShipmentState.FLYING)
        )
        found = {row.id: row.fence for row in flying}
        self.report.in_air += bool(found)
        self._count_taken_back()
        self.left_flying |= found

    @staticmethod
    def _wait_until_frozen(pid: int) -> None:
        stat = Path(f"/proc/{pid}/stat")
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            try:
                if stat.read_text().rpartition(")")[2].split()[0] in "Tt":
                    return
            except OSError:
                return

    def _phases(self) -> dict[str, bool]:
        marks = self.phase_file.read_bytes()
        return {
            name: marks[place : place + 1] == phase.BUSY for place, name in enumerate(phase.NAMES)
        }

    def _count_taken_back(self) -> None:
        """Leases of the dead that somebody else has held since."""
        if not self.left_flying:
            return
        rows = Shipment.select(Shipment.id, Shipment.fence, Shipment.state).where(
            Shipment.id.in_(list(self.left_flying))
        )
        for row in rows:
            if row.fence > self.left_flying[row.id]:
                del self.left_flying[row.id]
                self.report.leases_taken_back += 1

    def _wait_until_at_work(self) -> None:
        """Until the worker has claimed something, or has had its time to."""
        until = time.monotonic() + BOOT_SECONDS
        before = self._claims()
        while time.monotonic() < until:
            if self.children["worker"].poll() is not None:
                raise RuntimeError(f"the worker ended by itself; see {self.folder}/log")
            if self._claims() != before or any(self._phases().values()):
                return
            time.sleep(0.02)
        self.report.problems.append("a worker did nothing for a minute")

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
        self._count_taken_back()
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

    # Processes -------------------------------------------------------------------------------

    def _start(self, role: str) -> None:
        environ = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        }
        environ |= self.environ
        if role == "worker":
            environ[phase.VARIABLE] = str(self.phase_file)
        self.children[role] = subprocess.Popen(
            command_of(role),
            cwd=ROOT,
            env=environ,
            start_new_session=True,
            stdout=self.log,
            stderr=self.log,
        )

    def _kill(self, role: str) -> None:
        child = self.children.pop(role, None)
        if child is not None:
            # The whole group: gunicorn's own worker must not outlive it.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def run(url: str, folder: Path, *, friends: int, kills: int, seed: int) -> Report:
    """One run on the database at `url`; its files stay in `folder`."""
    return Chaos(url, folder, friends=friends, kills=kills, seed=seed).run()


@contextmanager
def databases(chosen: str | None, folder: Path) -> Iterator[dict[str, str]]:
    """{name: URL} of empty databases to run on."""
    sqlite = f"sqlite:///{folder / 'sqlite' / 'lineadmin.db'}"
    if chosen:
        yield {chosen.split(":", 1)[0]: chosen}
        return
    from tests import services

    if services.postgres_programs() is None:
        print("Left out for want of PostgreSQL: the run on it (Debian: apt-get install postgresql)")
        yield {"SQLite": sqlite}
        return
    with services.postgres() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE chaos")
        yield {"SQLite": sqlite, "PostgreSQL": server.rsplit("/", 1)[0] + "/chaos"}


def main() -> int:
    """Run on each database; the exit code says whether anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--friends", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", help="run on this empty database only")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lineadmin-chaos-"))
    failed = False
    with databases(wanted.database, folder) as found:
        for name, url in found.items():
            print(f"== {name}: {wanted.friends:,} friends, 2 messages, seed {wanted.seed}")
            own = folder / name.lower()
            own.mkdir()
            report = run(url, own, friends=wanted.friends, kills=wanted.kills, seed=wanted.seed)
            for text in report.lines():
                print(text, flush=True)
            failed = failed or bool(report.problems)
    if failed:
        print(f"The logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _free_ports(count: int) -> list[int]:
    from tests.services import free_port

    return [free_port() for _ in range(count)]


if __name__ == "__main__":
    sys.exit(main())
