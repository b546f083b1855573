"""A ring costs next to nothing, never fails, and is heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineadmin import config as configuration
from lineadmin import tasks
from lineadmin.config import Config
from lineadmin.tasks import doorbell, timetable
from tests.cli.processes import wait_for
from tests.conftest import PATIENCE, make_config

WITHOUT_DATABASE = "sqlite:///{}/x.db"


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    before = configuration._current
    made = configuration.use(make_config(WITHOUT_DATABASE.format(tmp_path), tmp_path))
    yield made
    configuration._current = before


def test_a_ring_is_heard_at_once_and_a_burst_as_one(shop: Config) -> None:
    heard: list[str] = []
    at_once, all_rung = threading.Event(), threading.Event()

    def hear() -> None:
        heard.append("a burst")
        at_once.set()
        all_rung.wait(PATIENCE)  # waking the loops takes as long as the ringing

    listener = doorbell.Listener(shop, hear)
    listener.start()
    try:
        tasks.ring()
        assert at_once.wait(PATIENCE)
        for _number in range(500):
            tasks.ring()
        all_rung.set()
        assert wait_for(lambda: len(heard) == 2, PATIENCE)
        time.sleep(0.3)
        assert len(heard) == 2
    finally:
        listener.stop()


def test_ringing_with_nobody_there_is_harmless(shop: Config) -> None:
    tasks.ring()
    listener = doorbell.Listener(shop, lambda: None)
    listener.start()
    listener.stop()
    tasks.ring()  # the address is there, but nobody listens


def test_a_successor_takes_the_address_over(shop: Config) -> None:
    heard = threading.Event()
    first = doorbell.Listener(shop, lambda: None)
    first.start()
    second = doorbell.Listener(shop, heard.set)
    second.start()
    try:
        first.stop()
        tasks.ring()
        assert heard.wait(PATIENCE)
    finally:
        second.stop()


def test_a_deep_folder_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90) / ("y" * 90)
    deep.mkdir(parents=True)
    config = make_config(WITHOUT_DATABASE.format(tmp_path), deep)
    assert len(doorbell.socket_path(config)) < 104
    heard = threading.Event()
    listener = doorbell.Listener(config, heard.set)
    listener.start()
    before = configuration._current
    configuration.use(config)
    try:
        tasks.ring()
        assert heard.wait(PATIENCE)
    finally:
        configuration._current = before
        listener.stop()
        Path(doorbell.socket_path(config)).unlink()


def test_a_ring_costs_the_webhook_next_to_nothing(shop: Config) -> None:
    listener = doorbell.Listener(shop, lambda: None)
    listener.start()
    try:
        started = time.thread_time()
        for _number in range(1000):
            tasks.ring()
        assert time.thread_time() - started < 2  # 2 ms each, on the slowest of machines
    finally:
        listener.stop()


def test_a_ring_never_raises_into_a_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_config: Config) -> str:
        raise RuntimeError("no")

    monkeypatch.setattr(doorbell, "socket_path", fail)
    tasks.ring()


def test_a_ring_that_meets_a_restarted_server_is_rung_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    heard = threading.Event()

    def far_wake(config: Config) -> Callable[[], object]:
        def wake() -> None:
            rung.append(config.database_url)
            if len(rung) == 1:
                raise ConnectionError("terminated by the administrator")
            heard.set()

        return wake

    monkeypatch.setattr(timetable, "far_wake", far_wake)
    config = make_config("postgresql://nobody@127.0.0.1:9/elsewhere", tmp_path)
    doorbell._FarBell().ring(config)
    assert heard.wait(PATIENCE)
    assert rung == [config.database_url] * 2
