"""`./run test`: the whole suite on SQLite, then the whole suite on PostgreSQL with Redis.

Arguments go to pytest. What this machine lacks is named first; with CI=true it is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tests import services

# These never open the shop's database, so once is enough; nor does it change how a screen looks.
NO_DATABASE = ("tests/line", "tests/simulator")

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
    print("== SQLite", flush=True)
    first = _pytest(arguments, environment)
    if "PostgreSQL" in missing or "Redis" in missing:
        return first
    with services.postgres() as database_url, services.redis() as redis_url:
        environment["TEST_DATABASE_URL"] = database_url
        environment["TEST_REDIS_URL"] = redis_url
        print("== PostgreSQL and Redis", flush=True)
        without = [*(f"--ignore={folder}" for folder in NO_DATABASE), "-m", "not looks"]
        second = _pytest([*arguments, *without], environment)
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


def _pytest(arguments: Sequence[str], environment: dict[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
