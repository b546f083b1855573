"""The webhook: events kept per second, and how long LINE waits, against a bare Flask route.

`python -m bench.webhook [--events N] [--rounds N] [--friends N]`. Rounds of single
events at concurrency 8 alternate between the floor (bench/floor.py) and the product, so that a
busy machine is busy for both; what counts are the ratios. Then the same beside a slow report, and
while a broadcast is planned and sent.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from bench import load, quick_line, sending
from lineadmin import clock, migrate, settings
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.cli.processes import command_of
from lineadmin.cli.web_server import THREADS
from lineadmin.config import Config, load_config
from lineadmin.inbox.models import InboundEvent
from lineadmin.settings import heartbeat
from lineadmin.staff import actions as staff

RATE_FLOOR = 0.8
P99_FLOOR = 1.5
BUSY_P99_MS = 200
CONCURRENCY = 8
LINE_MS = 20
EXPORT = "/admin/friends/export/csv/"
SECRET = "secret-of-the-channel"
OWNER, PASSWORD = "owner@example.com", "three otters paddle slowly"
ROOT = Path(__file__).parent.parent


def main() -> int:
    """Measure, print, and say by the exit code whether every floor held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1500, help="in each round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--friends", type=int, default=100_000, help="of the broadcast")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineadmin-webhook-") as name:
        config, environ = _shop(Path(name))
        lines = alone(config, environ, wanted.rounds, wanted.events)
        sending.make_friends(wanted.friends, female=0)
        lines += beside_a_report(config, environ, wanted.rounds, wanted.events)
        lines += during_a_broadcast(config, environ, wanted.friends)
        database.db.close()
    for line in lines:
        print(line)
    return 0 if all(line.held for line in lines) else 1


def alone(config: Config, environ: dict[str, str], rounds: int, events: int) -> list[sending.Line]:
    """The floor, the product as it is served, and the product on the other server."""
    ports = {name: _free_port() for name in ("floor", "gunicorn", "granian")}
    with (
        _served(_floor(ports["floor"]), environ, ports["floor"]),
        _served(_gunicorn(ports["gunicorn"]), environ, ports["gunicorn"]),
        _served(_granian(ports["granian"]), environ, ports["granian"]),
    ):
        measured = _alternate(ports, rounds, events)
    _tell("alone", measured)
    floor, ours = measured["floor"], measured["granian"]
    rate = load.median([a.rate / b.rate for a, b in zip(ours, floor, strict=True)])
    late = load.median(
        [a.percentile(99) / b.percentile(99) for a, b in zip(ours, floor, strict=True)]
    )
    kept = InboundEvent.select().count()
    sent = 2 * rounds * events
    return [
        sending.Line(
            "events kept per second, against the floor",
            f"{rate:.2f} ×",
            f"{RATE_FLOOR} ×",
            rate >= RATE_FLOOR,
        ),
        sending.Line(
            "p99 of the answer, against the floor's",
            f"{late:.2f} ×",
            f"{P99_FLOOR} ×",
            late <= P99_FLOOR,
        ),
        sending.Line("every event kept", f"{kept:,}", f"{sent:,}", kept == sent),
    ]


def beside_a_report(
    config: Config, environ: dict[str, str], rounds: int, events: int
) -> list[sending.Line]:
    """Both servers with somebody exporting all friends again and again."""
    staff.create(OWNER, "店主", "owner", by=None, wall=clock.wall(), password=PASSWORD)
    ports = {name: _free_port() for name in ("gunicorn", "granian")}
    with (
        _served(_gunicorn(ports["gunicorn"]), environ, ports["gunicorn"]),
        _served(_granian(ports["granian"]), environ, ports["granian"]),
    ):
        measured: dict[str, list[load.Round]] = {name: [] for name in ports}
        cookies = {name: _sign_in(port) for name, port in ports.items()}
        for number, name in itertools.product(range(max(3, rounds // 2)), ports):
            with _exporting(ports[name], cookies[name]):
                requests = _requests(f"r{number}{name}-", events)
                measured[name].append(load.run(ports[name], requests, concurrency=CONCURRENCY))
    _tell("beside a report", measured)
    bad = sum(one.bad for listed in measured.values() for one in listed)
    return [sending.Line("refused beside a report", f"{bad}", "0", bad == 0)]


def during_a_broadcast(config: Config, environ: dict[str, str], friends: int) -> list[sending.Line]:
    """How long LINE waits while everybody gets a message."""
    settings.change_shop({"undo_minutes": 0}, staff=None, wall=clock.wall())
    port = _free_port()
    line_port = int(config.line_api_base.rsplit(":", 1)[1])
    with (
        quick_line.running(line_port, LINE_MS),
        _served(_granian(port), environ, port),
        _process(command_of("worker"), environ),
    ):
        sending.wait_for(lambda: heartbeat.last_beat("worker") is not None, 60)
        sent: list[float] = []
        sender = threading.Thread(target=lambda: sent.append(_broadcast()))
        rounds: list[load.Round] = []
        sender.start()
        for number in itertools.count():
            requests = _requests(f"b{number}-", 200)
            rounds.append(load.run(port, requests, concurrency=CONCURRENCY))
            if not sender.is_alive():
                break
        sender.join()
    together = load.Round(
        sum(one.seconds for one in rounds), [late for one in rounds for late in one.latencies]
    )
    for one in rounds:
        for status, count in one.statuses.items():
            together.statuses[status] = together.statuses.get(status, 0) + count
    _tell("during a broadcast", {"granian": [together]})
    p99 = together.percentile(99)
    return [
        sending.Line(
            f"p99 while {friends:,} friends are planned and sent to",
            f"{p99:.0f} ms of {len(together.latencies):,} answers",
            f"{BUSY_P99_MS} ms",
            p99 <= BUSY_P99_MS and together.bad == 0,
        )
    ]


def _broadcast() -> float:
    database.ensure_connection()
    try:
        return sending.send("全部", "本週特價：雙拼便當 120 元", {"all": []})
    finally:
        database.db.close()


def _alternate(ports: dict[str, int], rounds: int, events: int) -> dict[str, list[load.Round]]:
    measured: dict[str, list[load.Round]] = {name: [] for name in ports}
    for name, port in ports.items():
        load.run(port, _requests(f"warm{name}-", 200), concurrency=CONCURRENCY)
    InboundEvent.delete().execute()
    for number, name in itertools.product(range(rounds), ports):
        requests = _requests(f"{number}{name}-", events)
        measured[name].append(load.run(ports[name], requests, concurrency=CONCURRENCY))
    return measured


def _tell(what: str, measured: dict[str, list[load.Round]]) -> None:
    for name, rounds in measured.items():
        rate = load.median([one.rate for one in rounds])
        p50, p99 = (load.median([one.percentile(p) for one in rounds]) for p in (50, 99))
        bad = sum(one.bad for one in rounds)
        times = f"p50 {p50:5.1f} ms   p99 {p99:6.1f} ms"
        print(f"     {what}: {name:9} {rate:6.0f}/s   {times}   bad {bad}", flush=True)


def _requests(prefix: str, count: int) -> list[bytes]:
    return list(itertools.islice(load.events(SECRET, prefix), count))


def _shop(folder: Path) -> tuple[Config, dict[str, str]]:
    environ = {
        "SECRET_KEY": "the-secret-key-of-the-benchmark",
        "DATABASE_URL": f"sqlite:///{folder / 'lineadmin.db'}",
        "VAR_DIR": str(folder),
        "PORT": str(_free_port()),
        "LINE_CHANNEL_SECRET": SECRET,
        "LINE_CHANNEL_ACCESS_TOKEN": "token",
        "LINE_API_BASE": f"http://127.0.0.1:{_free_port()}",
        "LINE_DATA_API_BASE": "http://127.0.0.1:9",
        "PUBLIC_URL": "https://shop.example",
        "FLOOR_DATABASE": str(folder / "floor.db"),
        "FLOOR_SECRET": SECRET,
    }
    config = configuration.use(load_config(environ))
    database.open_database(config.database_url)
    migrate.migrate()
    return config, environ


def _floor(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}"),
        *("--worker-class=gthread", "--workers=1", f"--threads={THREADS}", "--keep-alive=5"),
        *("--no-control-socket", "--log-level=warning", "bench.floor:app"),
    ]


def _gunicorn(port: int) -> list[str]:
    """The alternative: the same application on the floor's server."""
    return [*_floor(port)[:-1], "app:create_app()"]


def _granian(port: int) -> list[str]:
    """As `flask web` serves, on another port."""
    return ["env", f"PORT={port}", *command_of("web")]


@contextmanager
def _process(command: list[str], environ: dict[str, str]) -> Iterator[None]:
    running = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


@contextmanager
def _served(command: list[str], environ: dict[str, str], port: int) -> Iterator[None]:
    with _process(command, environ):
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield


def _sign_in(port: int) -> str:
    """The cookie of somebody who may export."""
    http = urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=30, retries=False)
    page = http.request("GET", "/admin/sign-in")
    token = re.search(rb'name="csrf_token" value="([^"]+)"', page.data)
    assert token, page.data[:300]
    fields = {"csrf_token": token[1].decode(), "email": OWNER, "password": PASSWORD}
    answer = http.request(
        "POST",
        "/admin/sign-in",
        body=urlencode(fields),
        headers={
            "Cookie": page.headers["Set-Cookie"].split(";")[0],
            "Content-Type": "application/x-www-form-urlencoded",
        },
        redirect=False,
    )
    assert answer.status == 302, answer.data[:300]
    return answer.headers["Set-Cookie"].split(";")[0]


@contextmanager
def _exporting(port: int, cookie: str) -> Iterator[None]:
    """Somebody downloads every friend, again and again."""
    done = threading.Event()

    def export() -> None:
        http = urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=60, retries=False)
        while not done.is_set():
            answer = http.request("GET", EXPORT, headers={"Cookie": cookie}, redirect=False)
            assert answer.status == 200, answer.status

    thread = threading.Thread(target=export, daemon=True)
    thread.start()
    time.sleep(0.3)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
