"""`./run chaos [--at-size]`; `python -m bench.chaos` is the same.

Without --database it runs on SQLite and on a PostgreSQL of its own.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.chaos import kills, size
from bench.chaos.report import Report
from tests import services


def main() -> int:
    """Run on each database; the exit code says whether anything failed."""
    parser = argparse.ArgumentParser(description="kill -9 while messages go out")
    parser.add_argument("--at-size", action="store_true", help="one segment of 100,000")
    parser.add_argument("--friends", type=int)
    parser.add_argument("--kills", type=int, default=50, help="without --at-size")
    parser.add_argument("--database", help="run on this empty database only")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    friends = wanted.friends or (100_000 if wanted.at_size else 5_000)
    folder = Path(tempfile.mkdtemp(prefix="lineadmin-chaos-"))
    failed = False
    with databases(wanted.database, folder) as found:
        for name, url in found.items():
            print(f"== {name}: {friends:,} friends, seed {wanted.seed}", flush=True)
            own = folder / name.lower()
            own.mkdir()
            report: size.AtSize | Report
            if wanted.at_size:
                report = size.run(url, own, friends=friends, seed=wanted.seed)
            else:
                report = kills.run(url, own, friends=friends, kills=wanted.kills, seed=wanted.seed)
            for text in report.lines():
                print(text, flush=True)
            failed = failed or bool(report.problems)
    if failed:
        print(f"The logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


@contextmanager
def databases(chosen: str | None, folder: Path) -> Iterator[dict[str, str]]:
    """{name: URL} of empty databases to run on."""
    sqlite = f"sqlite:///{folder / 'sqlite' / 'lineadmin.db'}"
    if chosen:
        yield {chosen.split(":", 1)[0]: chosen}
        return
    if services.postgres_programs() is None:
        print("Left out for want of PostgreSQL: the run on it (Debian: apt-get install postgresql)")
        yield {"SQLite": sqlite}
        return
    with services.postgres() as server:
        _make_database(server)
        yield {"SQLite": sqlite, "PostgreSQL": server.rsplit("/", 1)[0] + "/chaos"}


def _make_database(server: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute("CREATE DATABASE chaos")
            return
        except psycopg.OperationalError:  # its port is open before it is ready
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
