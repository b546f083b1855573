"""Sending: how fast a broadcast is planned and leaves, through the real worker process.

`python -m bench.sending [--friends N] [--pushes N] [--database URL]`. LINE answers in 20 ms.
Broadcasts of equal words to 100,000 friends, then some with names to 10,000, three each; the best
counts, since a busy machine only ever makes it slower. Floors are those of the design; the
first-to-last times are taken where the requests arrive.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import quick_line
from lineadmin import clock, migrate, settings
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.broadcasts import actions as broadcasts
from lineadmin.broadcasts import confirm as confirming
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.cli.processes import command_of
from lineadmin.config import load_config
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.line.limits import MULTICAST_RECIPIENTS
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.settings import heartbeat
from lineadmin.tasks.doorbell import ring

PLANNED_SECONDS = 5.0  # 100,000 friends
MULTICAST_SECONDS = 3.0  # first to last of 100,000 friends; LINE's own limit would be 1
PUSHES_PER_SECOND = 600
LINE_MS = 20
ROUNDS = 3
ROOT = Path(__file__).parent.parent


@dataclass
class Line:
    """One measured figure beside its floor."""

    name: str
    figure: str
    floor: str
    held: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.held else 'MISS'} {self.name}: {self.figure} (floor: {self.floor})"


def main() -> int:
    """Measure, print, and say by the exit code whether every floor held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--friends", type=int, default=100_000)
    parser.add_argument("--pushes", type=int, default=10_000)
    parser.add_argument("--database", help="an empty database (default: SQLite)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineadmin-sending-") as name:
        folder = Path(name)
        url = wanted.database or f"sqlite:///{folder / 'lineadmin.db'}"
        lines = measure(url, folder, friends=wanted.friends, pushes=wanted.pushes)
    for line in lines:
        print(line)
    return 0 if all(line.held for line in lines) else 1


def measure(url: str, folder: Path, *, friends: int, pushes: int) -> list[Line]:
    """Both broadcasts through one worker."""
    line_port, port = _free_port(), _free_port()
    environ = {
        "SECRET_KEY": "the-secret-key-of-the-benchmark",
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "PORT": str(port),
        "LINE_CHANNEL_SECRET": "secret",
        "LINE_CHANNEL_ACCESS_TOKEN": "token",
        "LINE_API_BASE": f"http://127.0.0.1:{line_port}",
        "LINE_DATA_API_BASE": f"http://127.0.0.1:{line_port}",
        "PUBLIC_URL": "https://shop.example",
    }
    configuration.use(load_config(environ))
    database.open_database(url)
    migrate.migrate()
    make_friends(friends, female=pushes)
    settings.change_shop({"undo_minutes": 0}, staff=None, wall=clock.wall())
    with quick_line.running(line_port, LINE_MS) as line:
        worker = subprocess.Popen(
            command_of("worker"),
            cwd=ROOT,
            env={**os.environ, **environ},
            stderr=(folder / "log").open("wb"),
        )
        try:
            wait_for(lambda: heartbeat.last_beat("worker") is not None, 60)
            lines = measure_equal(line, friends)
            lines += measure_personal(line, min(pushes, friends))
        finally:
            worker.terminate()
            worker.wait(20)
            database.db.close()
    return lines


def measure_equal(line: quick_line.QuickLineClient, friends: int) -> list[Line]:
    """The same words to everybody, a few times: a shared machine only ever makes it slower."""
    planned, left, at_once = [], [], 0
    requests = -(-friends // MULTICAST_RECIPIENTS)
    exact = True
    for number in range(ROUNDS):
        line.reset()
        started = time.monotonic()
        planned_at = send(f"全部 {number}", "本週特價：雙拼便當 120 元", {"all": []})
        planned.append(planned_at - started)
        came = line.counts()["multicast"]
        left.append(came["seconds"])
        at_once = max(at_once, came["at_once"])
        exact &= came["requests"] == came["keys"] == requests and came["recipients"] == friends
    share = friends / 100_000
    return [
        Line(
            f"planning {friends:,} friends",
            f"{min(planned):.2f} s{_others(planned, '.2f')}",
            f"{PLANNED_SECONDS * share:.1f} s",
            min(planned) <= PLANNED_SECONDS * share,
        ),
        Line(
            "first to last multicast",
            f"{min(left):.2f} s{_others(left, '.2f')}, up to {at_once} at once",
            f"{MULTICAST_SECONDS * share:.1f} s",
            min(left) <= MULTICAST_SECONDS * share,
        ),
        Line("multicasts each time", f"{requests if exact else 'wrong'}", f"{requests}", exact),
    ]


def measure_personal(line: quick_line.QuickLineClient, pushes: int) -> list[Line]:
    """Each friend's own name."""
    rates, at_once, exact = [], 0, True
    for number in range(ROUNDS):
        line.reset()
        female = {"field": "gender", "op": "is", "value": "female"}
        send(f"有名字 {number}", "{name} 您好，今天也歡迎來店", female)
        came = line.counts()["push"]
        rates.append(came["requests"] / came["seconds"])
        at_once = max(at_once, came["at_once"])
        exact &= came["requests"] == came["keys"] == pushes
    return [
        Line(
            f"{pushes:,} pushes with a name",
            f"{max(rates):,.0f} a second{_others(rates, ',.0f')}, up to {at_once} at once",
            f"{PUSHES_PER_SECOND} a second",
            max(rates) >= PUSHES_PER_SECOND and exact,
        )
    ]


def _others(figures: list[float], form: str) -> str:
    return f" (of {', '.join(format(figure, form) for figure in figures)})"


def send(name: str, text: str, audience: object) -> float:
    """Confirm a broadcast as staff would and wait until it is sent; the time it was planned."""
    now = clock.wall()
    draft = broadcasts.draft_broadcast(
        name=name, parts=[{"text": text}], audience=audience, staff=None, now=now, wall=now
    )
    confirming.confirm_broadcast(
        draft.id,
        version=draft.version,
        everyone_confirmed=True,
        staff=None,
        now=now,
        wall=now,
        public_url=None,
    )
    ring()
    whole = Broadcast.select().where(
        Broadcast.id == draft.id, Broadcast.plan_whole_at.is_null(False)
    )
    wait_for(whole.exists, 120)
    planned_at = time.monotonic()
    ended = Broadcast.select().where(Broadcast.id == draft.id, Broadcast.state == states.SENT)
    wait_for(ended.exists, 300)
    wrong = Delivery.select().where(
        Delivery.origin_id == draft.id, Delivery.state != int(DeliveryState.SENT)
    )
    if wrong.exists():
        raise RuntimeError("some deliveries were not sent")
    return planned_at


def make_friends(count: int, *, female: int) -> None:
    """`count` friends by one statement; the first `female` of them are."""
    columns = {
        field.column_name: _literal(field.default)
        for field in Friend._meta.sorted_fields
        if field.default is not None
    }
    columns |= {
        "line_user_id": f"'U{'0' * 25}' || (1000000 + i)",
        "display_name": "'友' || i",
        "status": f"'{FRIEND}'",
        "first_seen_at": "0",
        "gender": f"CASE WHEN i <= {female} THEN 'female' ELSE 'male' END",
    }
    database.db.execute_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {count}) INSERT INTO friend ({', '.join(columns)})"
        f" SELECT {', '.join(columns.values())} FROM n"
    )


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, int) else f"'{value}'"


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """
    :raises TimeoutError: it did not come true
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the worker did not get it done")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
