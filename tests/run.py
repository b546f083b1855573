"""`./run test`: the whole suite on SQLite, then the whole suite on PostgreSQL with Redis.

Arguments go to pytest. What this machine lacks is named first; with CI=true it is an error.

With CI=true up to three tests that failed are tried once more, alone: a browser or a process that
a crowded machine kept waiting says nothing of the product. Such a test is named as unsteady and
is a bug of its own. Tests of what must never happen even once have one try.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import services

# These never open the shop's database, so once is enough; nor does it change how a screen looks.
NO_DATABASE = ("tests/line", "tests/simulator")

SECOND_TRIES = 3
# Nobody twice, nobody lost, never over the stock: whoever fails here once has failed.
ONE_TRY = (
    "tests/outbox/",
    "tests/test_crash.py",
    "tests/broadcasts/test_cost.py",
    "tests/broadcasts/test_middle.py",
    "tests/coupons/test_concurrency.py",
    "tests/lottery/test_draw.py",
    "tests/members/test_points.py",
)
# Where tests write, if there is room: the disk of a small machine is slow.
MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108

HOW = {
    "PostgreSQL": "the whole suite on PostgreSQL and Redis; Debian: apt-get install postgresql",
    "Redis": "the whole suite on PostgreSQL and Redis; Debian: apt-get install redis-server",
    "Chromium": "the browser tests; Debian: apt-get install chromium fonts-noto-cjk",
}


def main(arguments: Sequence[str]) -> int:
    """Run both halves; the exit code is that of the first half that failed."""
    missing = what_is_missing()
    for name in missing:
        print(f"Left out for want of {name}: {HOW[name]}", flush=True)
    if not os.environ.get("LINE_OPENAPI_DIR"):
        print("Left out: comparison with LINE's OpenAPI files (set LINE_OPENAPI_DIR)", flush=True)
    if missing and os.environ.get("CI") == "true":
        print("CI=true: nothing may be left out.", flush=True)
        return 1
    environment = dict(os.environ)
    for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL"):
        environment.pop(name, None)
    # Many processes are started: each would else compile everything again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if "PYTEST_DEBUG_TEMPROOT" not in environment and _memory_has_room():
        environment["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    print("== SQLite", flush=True)
    first = _pytest("sqlite", arguments, environment)
    if "PostgreSQL" in missing or "Redis" in missing:
        return first
    with services.postgres() as database_url, services.redis() as redis_url:
        environment["TEST_DATABASE_URL"] = database_url
        environment["TEST_REDIS_URL"] = redis_url
        print("== PostgreSQL and Redis", flush=True)
        without = [*(f"--ignore={folder}" for folder in NO_DATABASE), "-m", "not looks"]
        second = _pytest("postgres", [*arguments, *without], environment)
    return first or second


def what_is_missing() -> list[str]:
    """Names of the programs the suite wants and this machine lacks."""
    chromium = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    found = {
        "PostgreSQL": services.postgres_programs(),
        "Redis": shutil.which("redis-server"),
        "Chromium": chromium,
    }
    return [name for name, program in found.items() if not program]


def _memory_has_room() -> bool:
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM


def _pytest(half: str, arguments: Sequence[str], environment: dict[str, str]) -> int:
    cache = Path(".pytest_cache", half)
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    code = subprocess.run(command, env=environment).returncode
    if code != pytest.ExitCode.TESTS_FAILED or environment.get("CI") != "true":
        return code
    failed = list(json.loads((cache / "v" / "cache" / "lastfailed").read_text()))
    if len(failed) > SECOND_TRIES or any(name.startswith(ONE_TRY) for name in failed):
        return code
    print("A second try, alone, of:", *failed, sep="\n  ", flush=True)
    code = subprocess.run([*command, "--last-failed", "-n", "0"], env=environment).returncode
    if code == pytest.ExitCode.OK:
        print("UNSTEADY, to be mended:", *failed, sep="\n  ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
