"""The worker process: a few loops side by side, so that no kind of work waits for another.

`inbox` answers friends and must be quick; `programs` starts and advances sequences and plans
broadcasts; `sending` talks to LINE; `chores` fetches profiles and cleans. Every piece of work is a
row in the database: a worker that is killed anywhere loses nothing, its successor goes on.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from huey.consumer import Consumer

from lineadmin import clock, migrate
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.config import Config
from lineadmin.errors import ConfigError
from lineadmin.family import end_with_supervisor
from lineadmin.settings import heartbeat
from lineadmin.tasks import chores, doorbell, timetable
from lineadmin.tasks.loops import Loop
from lineadmin.tasks.tick import dispatch_inbox

BEAT_SECONDS = 5.0
STOP_SECONDS = 8.0
STUCK_SECONDS = 120.0  # a loop that has not come round for so long says nothing is well

logger = logging.getLogger(__name__)


class Timetable(Consumer):  # type: ignore[misc]
    """Huey's consumer, minus its signal handling: the worker decides when to stop, once."""

    def _set_signal_handlers(self) -> None:
        pass


class Worker:
    """Everything that runs in the worker process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stop = threading.Event()
        inbox = Loop("inbox", self._inbox, is_due=lambda: False, poll=0.5)
        upkeep = Loop("chores", self._chores, is_due=lambda: False, poll=1.0)
        self._loops = [inbox, upkeep]
        self._bell = doorbell.Listener(config, self.wake)
        self._huey: Timetable | None = None

    def wake(self) -> None:
        """Have every loop look at once."""
        for loop in self._loops:
            loop.wake()

    def run(self) -> int:
        """Work until told to stop; answers the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        heartbeat.beat("worker", wall=clock.wall())
        self._bell.start()
        for loop in self._loops:
            loop.start()
        self._start_huey()
        logger.info("worker %s is at work", os.getpid())
        healthy = self._watch()
        self._finish()
        return 0 if healthy else 1

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # A second signal changes nothing: platforms send it to every process, more than once.
        self._stop.set()

    def _watch(self) -> bool:
        while not self._stop.wait(BEAT_SECONDS):
            dead = [loop.name for loop in self._loops if not loop.is_alive()]
            if dead:
                logger.critical("the %s loop has ended; the worker gives up", ", ".join(dead))
                return False
            self._beat()
        return True

    def _beat(self) -> None:
        now = time.monotonic()
        stuck = [loop.name for loop in self._loops if now - loop.passed_at > STUCK_SECONDS]
        if stuck:
            logger.error("the %s loop is stuck", ", ".join(stuck))
            return
        try:
            database.ensure_connection()
            heartbeat.beat("worker", wall=clock.wall())
        except Exception:
            logger.warning("no heartbeat: the database does not answer", exc_info=True)
            if not database.db.is_closed():
                database.db.close()

    def _start_huey(self) -> None:
        huey = timetable.open_huey(self._config)
        timetable.register(huey, self.wake, self._run_chore)
        self._huey = Timetable(
            huey, workers=1, max_delay=2, scheduler_interval=5, check_worker_health=False
        )
        self._huey.start()

    def _finish(self) -> None:
        """Let every loop end its pass; what is not done by then is taken up by the next worker."""
        deadline = time.monotonic() + STOP_SECONDS
        if self._huey is not None:
            self._huey.stop_flag.set()
        for loop in self._loops:
            loop.request_stop()
        self._bell.stop()
        for loop in self._loops:
            loop.join(max(0.1, deadline - time.monotonic()))
        late = [loop.name for loop in self._loops if loop.is_alive()]
        if late:
            logger.warning("%s did not finish in time; the next worker goes on", ", ".join(late))

    def _inbox(self) -> int:
        return dispatch_inbox(clock.now(), clock.wall())

    def _chores(self) -> int:
        return chores.run_due(clock.now(), clock.wall())

    def _run_chore(self, name: str) -> None:
        database.ensure_connection()
        chores.run(name, clock.now(), clock.wall())


def run_worker() -> int:
    """What `flask worker` and the supervisor start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    end_with_supervisor()
    try:
        config = configuration.current()
        database.open_database(config.database_url)
        clock.allow_moving(config.simulator)
        database.ensure_connection()
        migrate.refuse_if_pending()
    except ConfigError as error:
        print(f"lineadmin: {error}", file=sys.stderr)
        return 1
    return Worker(config).run()


if __name__ == "__main__":
    code = run_worker()
    logging.shutdown()
    # Not sys.exit: a thread still waiting for LINE must not hold the process beyond its time.
    os._exit(code)
