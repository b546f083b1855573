"""kill -9 at random moments, the short form: `./run chaos` is the long one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.chaos import kills

pytestmark = pytest.mark.slow


def test_every_phone_has_each_message_once_through_ten_kills(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "chaos"
    folder.mkdir()
    seed = time.time_ns() % 10**6
    report = kills.run(database_url, folder, friends=500, kills=10, seed=seed)
    log = (folder / "log").read_text(errors="replace")[-4_000:] if report.problems else ""
    assert report.problems == [], "\n".join([*report.lines(), f"seed {seed}", log])
