"""The real processes, as `./run` starts them: supervisor, web server, worker, pretend LINE."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from lineadmin.simulator.client import SimulatorClient
from tests.services import free_port

START_SECONDS = 120
STOP_SECONDS = 60
WEBHOOK_MS = 60_000
ROOT = Path(__file__).parent.parent


@dataclass
class Served:
    """A running demo shop."""

    address: str
    line: SimulatorClient
    email: str
    password: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serve(var_dir: Path, database_url: str, **more: str) -> Iterator[Served]:
    """`flask serve` in simulator mode on free ports, until the block ends."""
    log = var_dir / "serve.log"
    address, line_address, process = _opened(var_dir, database_url, log, more)
    try:
        secrets = json.loads((var_dir / "secrets.json").read_text())
        line = SimulatorClient(line_address)
        # LINE waits two seconds for the panel; a machine that does much else may need longer.
        line.settings(webhook_timeout_ms=WEBHOOK_MS)
        yield Served(address, line, "owner@example.com", secrets["owner_password"], process, log)
    finally:
        _end(process)


def _opened(
    var_dir: Path, database_url: str, log: Path, more: dict[str, str]
) -> tuple[str, str, subprocess.Popen[bytes]]:
    """Its address, its LINE's and the process, once it answers; on other ports if need be."""
    for _try in range(3):
        port, line_port = free_port(), free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LINE_", "PYTEST_", "TEST_"))
        }
        environment |= {
            "VAR_DIR": str(var_dir),
            "DATABASE_URL": database_url,
            "PORT": str(port),
            "LINE_API_BASE": f"http://127.0.0.1:{line_port}",
            "SIMULATOR": "1",
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        if os.environ.get("TEST_REDIS_URL"):
            environment.setdefault("REDIS_URL", os.environ["TEST_REDIS_URL"])
        flask = str(Path(sys.executable).parent / "flask")
        with log.open("wb") as file:
            process = subprocess.Popen(
                [flask, "serve"], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        address = f"http://127.0.0.1:{port}"
        if _is_healthy_soon(address, process):
            return address, f"http://127.0.0.1:{line_port}", process
        _end(process)
        if "in use" not in log.read_text():
            break  # nobody else took a port meanwhile: trying again would change nothing
    raise AssertionError(f"the shop did not open:\n{log.read_text()[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_healthy_soon(address: str, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + START_SECONDS
    http = urllib3.PoolManager(retries=False)
    while time.monotonic() < end and process.poll() is None:
        try:
            answer = http.request("GET", f"{address}/healthz", timeout=10.0)
            if answer.status == 200:
                return True
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    return False
