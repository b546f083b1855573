"""The real processes: one dyno that opens, keeps its data, stops and dies as a whole."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.cli.commands import shell
from tests.cli.processes import children_of, is_alive, wait_for
from tests.conftest import PATIENCE
from tests.served import serve
from tests.services import free_port

pytestmark = pytest.mark.slow

if not sys.platform.startswith("linux"):
    pytest.skip("reads /proc", allow_module_level=True)


def test_a_demo_opens_stops_in_time_and_starts_again_with_its_data(
    tmp_path: Path, database_url: str
) -> None:
    http = urllib3.PoolManager(retries=False)
    with serve(tmp_path, database_url) as served:
        health = json.loads(http.request("GET", f"{served.address}/healthz").data)
        assert health["status"] == "ok"
        assert wait_for(lambda: "sign in as owner@example.com" in served.log.read_text(), PATIENCE)
        password = served.password
        assert password in served.log.read_text()

        hana = served.line.add_phone("Hana")["user_id"]
        served.line.follow(hana, wait_ms=30_000)
        assert wait_for(lambda: len(served.line.messages(hana)) >= 2, PATIENCE), (
            served.log.read_text()
        )
        greeted = len(served.line.messages(hana))

        family = children_of(served.process.pid)
        assert len(family) == 4, family
        # As a platform does it: to every process of the dyno, and more than once.
        for _time in range(2):
            for pid in (served.process.pid, *family):
                if is_alive(pid):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
        assert served.process.wait(PATIENCE) == 0
        assert "did not stop in time" not in served.log.read_text()
        assert not any(is_alive(pid) for pid in family)
        assert "Traceback" not in served.log.read_text()

    with serve(tmp_path, database_url) as served:
        assert served.password == password
        assert "applied" not in served.log.read_text()
        time.sleep(1.5)
        assert len(served.line.messages(hana)) == greeted, "greeted again after a restart"

        family = children_of(served.process.pid)
        served.process.kill()
        served.process.wait()
        assert wait_for(lambda: not any(is_alive(pid) for pid in family), PATIENCE), family


def test_web_and_worker_run_apart(tmp_path: Path, database_url: str) -> None:
    """Two dynos that share a database (and Redis, where the tests have one) but no disk."""
    port = free_port()
    more = {"PORT": str(port)}
    if os.environ.get("TEST_REDIS_URL"):
        more["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
    terminals = {}
    for role in ("web", "worker"):
        (tmp_path / role).mkdir()
        terminals[role] = shell(tmp_path / role, database_url, **more)
    http = urllib3.PoolManager(retries=False)

    def health() -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(
                http.request("GET", f"http://127.0.0.1:{port}/healthz").data
            )
        except urllib3.exceptions.HTTPError:
            return {"database": None, "worker": {"last_tick_seconds_ago": None}}
        return found

    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(terminals["web"].start("web", log=tmp_path / "web.log"))
        assert wait_for(lambda: health()["database"] == "ok", 120)
        assert health()["worker"] == {"last_tick_seconds_ago": None}
        processes.append(terminals["worker"].start("worker", log=tmp_path / "worker.log"))
        assert wait_for(lambda: health()["worker"]["last_tick_seconds_ago"] is not None, 120)
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(PATIENCE) for process in processes]
    assert codes == [0, 0]
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


def test_a_taken_port_ends_the_dyno_with_a_reason(tmp_path: Path, database_url: str) -> None:
    with socket.socket() as taken:
        # As another lineadmin has it: open to sharing, which must not happen.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        terminal = shell(tmp_path, database_url, PORT=str(taken.getsockname()[1]))
        log = tmp_path / "log"
        assert terminal.start("serve", log=log).wait(120) == 1
    assert "web ended" in log.read_text()
    assert "in use" in log.read_text()
