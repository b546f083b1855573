"""Step messages at size: a minute in which 100,000 are due, and ticks in which nothing is.

`python -m bench.steps [--due N] [--underway N]`. Floors: all that are due are planned in 30 s on
SQLite, a look at everything with nothing due takes under 20 ms, and the coming 30 days are counted
in under 300 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta

from bench.million import make_shop
from lineadmin import clock, config, migrate
from lineadmin import db as database
from lineadmin.config import load_config
from lineadmin.sequences import advance, forecast, triggers
from lineadmin.sequences.models import Enrolment

PLAN_SECONDS, TICK_MS, FORECAST_MS = 30, 20, 300
ROUNDS = 7


def main() -> int:
    """Make the database, measure, print; 1 where a floor was missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--due", type=int, default=100_000)
    options.add_argument("--underway", type=int, default=1_000_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineadmin-steps-") as folder:
        config.use(
            load_config(
                {
                    "SECRET_KEY": "a-key-for-the-benchmark-only",
                    "DATABASE_URL": f"sqlite:///{folder}/steps.db",
                    "VAR_DIR": folder,
                    "LINE_CHANNEL_SECRET": "secret",
                    "LINE_CHANNEL_ACCESS_TOKEN": "token",
                    "LINE_API_BASE": "http://127.0.0.1:9",
                    "LINE_DATA_API_BASE": "http://127.0.0.1:9",
                    "PUBLIC_URL": "https://shop.example",
                }
            )
        )
        database.open_database(config.current().database_url)
        migrate.migrate()
        make_shop(chosen.underway, 0)
        database.db.execute_sql("PRAGMA synchronous=FULL")
        return measure(chosen.due)


def measure(due: int) -> int:
    """Print each figure beside its floor; how many missed it."""
    now, wall = clock.now(), clock.wall()
    count = Enrolment.select().count()
    triggers.advance(now, wall)  # today's dates are looked at once a day
    idle = _median_ms(lambda: triggers.advance(now, wall) + advance.advance(now, wall))
    coming = _median_ms(lambda: forecast.messages(now))
    missed = _told(f"nothing due among {count:,} underway", idle, TICK_MS)
    missed += _told(f"the next 30 days of {count:,} underway", coming, FORECAST_MS)
    # The plan's day lies within the last hours, so that nothing of it is late.
    day = (now - timedelta(days=1)).astimezone(clock.now().tzinfo).date()
    Enrolment.update(next_at=now, base_day=day).where(Enrolment.id <= due).execute()
    began = time.perf_counter()
    planned = advance.advance(now, wall)
    seconds = time.perf_counter() - began
    if planned != due:
        print(f"planned {planned:,} of {due:,}")
        missed += 1
    return missed + _told(f"{due:,} due at once, planned", seconds * 1000, PLAN_SECONDS * 1000)


def _median_ms(look: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        look()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _told(what: str, milliseconds: float, most: float) -> int:
    fine = milliseconds <= most
    print(f"{what}: {milliseconds:,.1f} ms (at most {most:,.0f}) {'ok' if fine else 'MISSED'}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
