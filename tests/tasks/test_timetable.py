"""Huey is the timetable: everything is in it, and a task only says "look now"."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from huey import RedisHuey, SqliteHuey
from huey.api import PostgresHuey

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import settings, tasks
from lineadmin.config import Config
from lineadmin.friends.models import Friend
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import quota
from lineadmin.staff.models import Audit
from lineadmin.tasks import chores, timetable
from lineadmin.tasks.worker import Timetable
from tests.conftest import NOON, PATIENCE, make_config
from tests.factories import make_staff


@pytest.fixture
def gateway(line: Any, line_config: Config, db: Any) -> Any:
    configuration.use(line_config)
    made = Gateway(line_config)
    yield made
    made.close()


def test_the_storage_follows_the_settings(tmp_path: Path) -> None:
    sqlite = make_config(f"sqlite:///{tmp_path}/shop.db", tmp_path)
    huey = timetable.open_huey(sqlite)
    assert isinstance(huey, SqliteHuey)
    assert not huey.results
    assert huey.storage.filename == f"{tmp_path}/shop.db.huey", "never in the shop's own file"
    redis = make_config(f"sqlite:///{tmp_path}/x.db", tmp_path, REDIS_URL="redis://127.0.0.1:9/0")
    assert isinstance(timetable.open_huey(redis), RedisHuey)
    server = os.environ.get("TEST_DATABASE_URL")
    if server:
        assert isinstance(timetable.open_huey(make_config(server, tmp_path)), PostgresHuey)


def test_every_chore_is_in_the_timetable(config: Config) -> None:
    huey = timetable.open_huey(config, immediate=True)
    looked: list[str] = []
    timetable.register(huey, lambda: looked.append("look"), looked.append)
    night = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    minutes = (night + timedelta(minutes=number) for number in range(24 * 60))
    due = {task.__class__.__name__ for at in minutes for task in huey.read_periodic(at)}
    assert due == {"look", *chores.NAMES}
    for task in huey.read_periodic(datetime(2026, 11, 23, 18, 5, tzinfo=UTC)):
        huey.execute(task)
    assert set(looked) == {"look", "connection"}


def test_of_a_redis_that_is_down_one_line_a_minute_is_told(
    tmp_path: Path, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    timetable.register(timetable.open_huey(config, immediate=True), lambda: None, print)
    logger = logging.getLogger("huey.consumer.Worker")
    with caplog.at_level(logging.WARNING):
        for _try in range(5):
            try:
                raise ConnectionError("connection refused")
            except ConnectionError:
                logger.exception("Error reading from queue")
    assert [record.getMessage() for record in caplog.records] == [
        "Error reading from queue: connection refused"
    ]
    assert "Traceback" not in caplog.text


def test_a_chore_is_done_once_however_many_workers_want_to(gateway: Gateway) -> None:
    wall = shop_clock.wall()
    assert chores.run("quota", gateway, NOON, wall)
    assert not chores.run("quota", gateway, NOON, wall + timedelta(seconds=30))
    assert quota.ledger(NOON).read_at == wall
    assert chores.run("quota", gateway, NOON, wall + timedelta(minutes=10))


def test_without_huey_the_worker_finds_overdue_chores_itself(gateway: Gateway, line: Any) -> None:
    wall = shop_clock.wall()
    assert chores.run_due(gateway, NOON, wall) == len(chores.NAMES)
    assert chores.run_due(gateway, NOON, wall + timedelta(minutes=1)) == 0
    assert chores.run_due(gateway, NOON, wall + timedelta(minutes=21)) == 1
    line.client.fail("500", times=5)
    assert chores.run_due(gateway, NOON, wall + timedelta(hours=24)) == len(chores.NAMES)


@pytest.mark.parametrize("verified", [True, False])
def test_all_friends_are_imported_in_the_background(
    gateway: Gateway, line: Any, verified: bool
) -> None:
    staff = make_staff("manager")
    line.client.settings(verified=verified)
    ids = line.client.add_phones(7)
    assert not chores.followers_state().running
    wall = shop_clock.wall()
    chores.want_followers(staff, wall=wall)
    assert chores.followers_state().running
    chores.run_due(gateway, NOON, wall)
    state = chores.followers_state()
    assert (state.running, state.problem, state.allowed) == (False, "", verified)
    if verified:
        assert (state.seen, state.new) == (7, 7)
        assert Friend.select().count() == len(ids)
        assert Audit.get(Audit.action == "friend.import").staff == staff
    assert settings.get(chores.FOLLOWERS_WANTED) is None


def test_a_ring_wakes_a_worker_on_another_machine(config: Config, tmp_path: Path) -> None:
    """Neither shares a disk: the ring goes through Huey's queue."""
    more = {}
    if os.environ.get("TEST_REDIS_URL"):
        more["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
    elif config.database_url.startswith("sqlite"):
        pytest.skip("a worker that shares a SQLite file is on the same machine")
    here = make_config(config.database_url, tmp_path / "web", **more)
    there = make_config(config.database_url, tmp_path / "worker", **more)
    woken = threading.Event()
    huey = timetable.open_huey(there)
    huey.flush()
    timetable.register(huey, woken.set, lambda _name: None)
    consumer = Timetable(huey, workers=1, max_delay=1, periodic=False, check_worker_health=False)
    consumer.start()
    before = configuration._current
    configuration.use(here)
    try:
        time.sleep(0.5)
        for _number in range(50):
            tasks.ring()
        assert woken.wait(PATIENCE)
    finally:
        configuration._current = before
        consumer.stop()
        for _worker, thread in consumer.worker_threads:
            thread.join(PATIENCE)
        consumer.scheduler.join(PATIENCE)


def test_a_file_that_cannot_be_imported_keeps_no_chore_from_its_turn(
    db, line, gateway, monkeypatch
):
    def broken(now, wall):
        raise OSError("no space left")

    monkeypatch.setattr(chores.csv_job, "run_due", broken)
    assert chores.run_due(gateway, NOON, shop_clock.wall()) == len(chores.NAMES)
