"""The supervisor with small children: signals, deaths, and a kill without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, shell
from tests.cli.processes import is_alive, wait_for
from tests.conftest import PATIENCE
from tests.services import free_port

if not sys.platform.startswith("linux"):
    pytest.skip("reads /proc", allow_module_level=True)

ROLES = ("simulator", "worker", "web")


class Dyno:
    """A running small dyno."""

    def __init__(self, folder: Path, *behaviours: str) -> None:
        self.folder = folder
        environment = shell(folder, f"sqlite:///{folder}/x.db", PORT=str(free_port())).environment
        for name in ("LINE_CHANNEL_SECRET", "LINE_CHANNEL_ACCESS_TOKEN", "LINE_API_BASE"):
            environment.pop(name)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.small_dyno", str(folder), *behaviours],
            cwd=ROOT,
            env={**environment, "SIMULATOR": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert wait_for(lambda: all((folder / f"{role}.pid").exists() for role in ROLES), PATIENCE)
        self.children = {role: int((folder / f"{role}.pid").read_text()) for role in ROLES}

    def signals(self, role: str) -> list[str]:
        """What a child was sent."""
        file = self.folder / f"{role}.signals"
        return file.read_text().split() if file.exists() else []

    def all_dead(self) -> bool:
        return not any(is_alive(pid) for pid in self.children.values())


@pytest.fixture
def dynos(tmp_path: Path) -> Iterator[list[Dyno]]:
    started: list[Dyno] = []
    yield started
    for dyno in started:
        dyno.process.kill()
        dyno.process.wait()
        assert dyno.process.stderr is not None
        dyno.process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_forwarded_once_and_ends_with_0(
    dynos: list[Dyno], tmp_path: Path, number: signal.Signals
) -> None:
    dyno = Dyno(tmp_path)
    dynos.append(dyno)
    for _time in range(3):
        dyno.process.send_signal(number)
        time.sleep(0.01)
    assert dyno.process.wait(PATIENCE) == 0
    assert dyno.all_dead()
    assert {role: dyno.signals(role) for role in ROLES} == {role: ["SIGTERM"] for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_the_death_of_a_child_ends_them_all(dynos: list[Dyno], tmp_path: Path, role: str) -> None:
    dyno = Dyno(tmp_path)
    dynos.append(dyno)
    os.kill(dyno.children[role], signal.SIGKILL)
    assert dyno.process.wait(PATIENCE) == 1
    assert dyno.all_dead()
    assert dyno.process.stderr is not None
    assert f"{role} ended (signal SIGKILL)" in dyno.process.stderr.read()


def test_whoever_does_not_stop_in_time_is_ended(dynos: list[Dyno], tmp_path: Path) -> None:
    dyno = Dyno(tmp_path, "worker=stubborn")
    dynos.append(dyno)
    started = time.monotonic()
    dyno.process.terminate()
    assert dyno.process.wait(PATIENCE) == 0
    assert time.monotonic() - started >= 2
    assert dyno.all_dead()
    # The pretend LINE stays until the worker has said its last word.
    assert dyno.signals("simulator") == ["SIGTERM"]


def test_children_die_with_a_killed_supervisor_even_stubborn_ones(
    dynos: list[Dyno], tmp_path: Path
) -> None:
    dyno = Dyno(tmp_path, "web=stubborn")
    dynos.append(dyno)
    dyno.process.kill()
    dyno.process.wait()
    assert wait_for(dyno.all_dead, PATIENCE)
    assert all(dyno.signals(role) == [] for role in ROLES)
