"""Huey: the timetable of everything that recurs, and the bell between machines.

No task carries work. Each only says "look now": losing one, doubling one or running two at once
changes nothing, since every storage of Huey forgets a task that is killed halfway.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer

from lineadmin.config import Config
from lineadmin.tasks import chores

NAME = "lineadmin"
QUIET_SECONDS = 60.0
HUEY_ASKS = ("huey.consumer.Worker", "huey.consumer.Scheduler")  # who talks to the storage
STORAGE_FAILED = ("Error reading", "Error enqueueing")

# Minutes are UTC; Taipei is eight hours ahead, so 19:00 there is three in the morning here.
TIMETABLE: tuple[tuple[str, Callable[..., bool]], ...] = (
    ("look", crontab(minute="*")),
    ("quota", crontab(minute="*/10")),
    ("connection", crontab(minute="5", hour="*/6")),
    ("friends", crontab(minute="35", hour="*/6")),
    ("broadcasts", crontab(minute="15,45")),
    ("dormant", crontab(minute="7,22,37,52")),
    ("audiences", crontab(minute="25,55")),
    ("files", crontab(minute="50", hour="19")),
    ("sessions", crontab(minute="20", hour="*/6")),
)


def open_huey(config: Config, *, immediate: bool = False) -> Huey:
    """The queue for this configuration: Redis, PostgreSQL, or a file beside the SQLite database."""
    common: dict[str, Any] = {"results": False, "utc": True}
    # Tasks are pickles: what others may write there must carry our signature, and two shops on
    # one server must not take each other's.
    name = f"{NAME}-{hashlib.sha256(config.secret_key.encode()).hexdigest()[:8]}"
    common["serializer"] = SignedSerializer(secret=config.secret_key)
    if immediate:
        return Huey(NAME, immediate=True, **common)
    if config.redis_url is not None:
        return RedisHuey(name, url=config.redis_url, **common)
    if config.database_url.startswith("sqlite"):
        path = config.database_url.removeprefix("sqlite:///")
        # Of its own: taking a task locks the whole file, and losing it loses nothing.
        return SqliteHuey(NAME, filename=f"{path}.huey", fsync=False, **common)
    return PostgresHuey(name, dsn=config.database_url, **common)


class Seldom(logging.Filter):
    """Of a storage that does not answer one line, and that once a minute.

    Huey tries its storage many times a second and would tell of each try with a traceback, while
    all that a Redis that is down costs us is the far doorbell.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        words = str(record.msg)
        if not record.exc_info or not words.startswith(STORAGE_FAILED):
            return True
        now = time.monotonic()
        if now - self._told.get(words, float("-inf")) < QUIET_SECONDS:
            return False
        self._told[words] = now
        record.msg = f"{record.getMessage().rstrip('.')}: {record.exc_info[1]}"
        record.args, record.exc_info = None, None
        return True


def register(huey: Huey, look: Callable[[], None], run: Callable[[str], None]) -> None:
    """Write the timetable into `huey`: `look` wakes every loop, `run` does one chore by name."""
    logging.getLogger("huey").setLevel(logging.WARNING)
    for name in HUEY_ASKS:
        logger = logging.getLogger(name)
        logger.filters = [one for one in logger.filters if not isinstance(one, Seldom)]
        logger.addFilter(Seldom())

    # Defined here, not handed in: Huey finds a task by the module of its function and its name.
    def wake() -> None:
        look()

    huey.task(name="wake")(wake)
    for name, when in TIMETABLE:
        if name == "look":
            huey.periodic_task(when, name=name)(wake)
        else:
            huey.periodic_task(when, name=name)(_chore(run, name))
    missing = set(chores.NAMES) - {name for name, _when in TIMETABLE}
    if missing:
        raise LookupError(f"not in the timetable: {', '.join(sorted(missing))}")


def far_wake(config: Config) -> Callable[[], object]:
    """A function that wakes a worker on another machine."""
    huey = open_huey(config)

    def nothing() -> None:
        """Runs in the worker under this name, not here."""

    task = huey.task(name="wake")(nothing)
    return lambda: task()


def _chore(run: Callable[[str], None], name: str) -> Callable[[], None]:
    def do() -> None:
        run(name)

    return do
