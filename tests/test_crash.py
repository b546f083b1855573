"""kill -9 at random moments, the short form: `./run chaos` is the long one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.chaos import kills
from bench.chaos.report import PROVES_NOTHING
from tests.conftest import empty_database

pytestmark = pytest.mark.slow

# Where the kills fall is luck. A run that hit too little says nothing, so another is made.
MOST_RUNS = 3


def test_every_phone_has_each_message_once_through_ten_kills(
    migrated_database: str, tmp_path: Path
) -> None:
    for number in range(MOST_RUNS):
        folder = tmp_path / f"chaos{number}"
        folder.mkdir()
        url = empty_database(migrated_database, folder)
        seed = time.time_ns() % 10**6
        report = kills.run(url, folder, friends=500, kills=10, seed=seed)
        if not report.problems or not all(
            one.startswith(PROVES_NOTHING) for one in report.problems
        ):
            break
    log = (folder / "log").read_text(errors="replace")[-4_000:] if report.problems else ""
    assert report.problems == [], "\n".join([*report.lines(), f"seed {seed}", log])
