"""The worker process: a few loops side by side, so that no kind of work waits for another.

`inbox` answers friends and must be quick; `programs` starts and advances sequences and plans
broadcasts; `sender` talks to LINE; `chores` fetches profiles, reads the quota and cleans. Every
piece of work is a row in the database: a worker that is killed anywhere loses nothing, and its
successor goes on.
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
from lineadmin.broadcasts import narrow_line
from lineadmin.config import Config
from lineadmin.errors import ConfigError
from lineadmin.family import end_with_supervisor
from lineadmin.inbox import run as inbox
from lineadmin.inbox.models import InboundEvent
from lineadmin.line import exchange
from lineadmin.line.errors import LineError
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import pauses
from lineadmin.outbox.place import Place
from lineadmin.outbox.sender import Sender
from lineadmin.settings import heartbeat
from lineadmin.tasks import chores, doorbell, programs, timetable
from lineadmin.tasks.loops import Loop
from lineadmin.tasks.sending import Rooms, preparer

BEAT_SECONDS = 5.0
STOP_SECONDS = 8.0
PORTIONS = 5
STUCK_SECONDS = 120.0  # a loop that has not come round for so long says that nothing is well

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
        self._gateway = Gateway(config)
        self._sender = Sender(
            self._gateway,
            preparer(config, clock.now),
            Rooms(),
            now=clock.now,
            wall=clock.wall,
            lock_file=config.var_dir / "worker.lock",
        )
        self._dispatcher = inbox.Dispatcher(self._gateway, public_url=config.public_url)
        self._inbox = Loop(
            "inbox", self._dispatch, is_due=lambda: inbox.is_due(clock.wall()), poll=0.5
        )
        self._programs = Loop(
            "programs", self._advance, is_due=lambda: programs.are_due(clock.now()), poll=1.0
        )
        self._chores = Loop(
            "chores", self._run_chores, is_due=lambda: narrow_line.is_due(clock.wall()), poll=2.0
        )
        self._inbox.wakes = [self._programs.wake, self._sender.wake, self._chores.wake]
        self._programs.wakes = [self._sender.wake]
        self._chores.wakes = [self._sender.wake]
        self._loops = [self._inbox, self._programs, self._chores]
        self._sending = threading.Thread(
            target=self._sender.pump, args=(self._stop,), name="sender", daemon=True
        )
        self._bell = doorbell.Listener(config, self.wake)
        self._inbox_place = Place(config.var_dir / "inbox.lock")
        self._huey: Timetable | None = None

    def wake(self) -> None:
        """Have everybody look at once."""
        for loop in self._loops:
            loop.wake()
        self._sender.wake()

    def run(self) -> int:
        """Work until told to stop; answers the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._free_events()
        self._beat()  # before the chores look for it and find that nobody has ever worked here
        self._bell.start()
        for loop in self._loops:
            loop.start()
        self._sending.start()
        # Now rather than within the first friend's greeting, which would wait for it.
        self._gateway.load_sdk()
        logger.info("worker %s is at work", os.getpid())
        self._start_huey()
        self._try_line_again()
        healthy = self._watch()
        self._finish()
        return 0 if healthy else 1

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # A second signal changes nothing: platforms send it to every process, more than once.
        self._stop.set()

    def _watch(self) -> bool:
        while not self._stop.wait(BEAT_SECONDS):
            threads = [*self._loops, self._sending]
            dead = [thread.name for thread in threads if not thread.is_alive()]
            if dead:
                logger.critical("%s ended by itself; the worker gives up", ", ".join(dead))
                self._stop.set()
                return False
            self._beat()
        return True

    def _beat(self) -> None:
        """Say that we are alive, unless one of the loops is stuck."""
        now = time.monotonic()
        passed = {loop.name: loop.passed_at for loop in self._loops}
        passed["sender"] = self._sender.passed_at
        stuck = [name for name, at in passed.items() if now - at > STUCK_SECONDS]
        if stuck:
            logger.error("%s: stuck, so there is no heartbeat", ", ".join(stuck))
            return
        try:
            database.ensure_connection()
            heartbeat.beat("worker", wall=clock.wall())
        except Exception:
            logger.warning("no heartbeat: the database does not answer", exc_info=True)
            if not database.db.is_closed():
                database.db.close()

    def _try_line_again(self) -> None:
        """Whoever renewed the token has started us again: see whether LINE accepts it."""
        if pauses.current().line_since is None:
            return
        try:
            self._gateway.bot_info()
        except LineError as error:
            logger.warning("LINE still does not accept our access: %s", error)
            return
        pauses.line_is_well(staff=None, wall=clock.wall())

    def _free_events(self) -> None:
        """Take up at once what a predecessor died over: a reply token does not wait for leases.

        Should somebody else be at it after all, fences and the one use of a token keep it right.
        """
        if self._inbox_place.take():
            waiting = InboundEvent.handled_at.is_null() & InboundEvent.set_aside_at.is_null()
            InboundEvent.update(lease_until=None).where(
                waiting & InboundEvent.lease_until.is_null(False)
            ).execute()

    def _start_huey(self) -> None:
        huey = timetable.open_huey(self._config)
        timetable.register(huey, self.wake, self._run_chore)
        self._huey = Timetable(
            huey, workers=1, max_delay=2, scheduler_interval=5, check_worker_health=False
        )
        self._huey.start()

    def _finish(self) -> None:
        """Let everybody end what they are at; the next worker takes up what is not done by then."""
        deadline = time.monotonic() + STOP_SECONDS
        if self._huey is not None:
            self._huey.stop_flag.set()
        self._sender.wake()
        for loop in self._loops:
            loop.request_stop()
        self._bell.stop()
        threads = [*self._loops, self._sending]
        for thread in threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        replies = threading.Thread(target=self._dispatcher.close, name="replies", daemon=True)
        replies.start()
        replies.join(max(0.1, deadline - time.monotonic()))
        late = [thread.name for thread in (*threads, replies) if thread.is_alive()]
        if late:
            logger.warning("%s did not finish in time; the next worker goes on", ", ".join(late))

    def _dispatch(self) -> int:
        return self._dispatcher.run(clock.now(), clock.wall(), wait=False)

    def _advance(self) -> int:
        # A walk through everybody goes on from pass to pass, so that nobody waits for its end.
        advanced = programs.advance(clock.now(), clock.wall(), self._stop.is_set, most=PORTIONS)
        for error in advanced.errors.values():
            raise error  # the loop starts again over a fresh connection, after a pause
        return advanced.total

    def _run_chores(self) -> int:
        return chores.run_due(self._gateway, clock.now(), clock.wall())

    def _run_chore(self, name: str) -> None:
        database.ensure_connection()
        chores.run(name, self._gateway, clock.now(), clock.wall())


def run_worker() -> int:
    """What `flask worker` and the supervisor start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # A line for each of 100,000 pushes would drown what matters; shipments keep their ids.
    exchange.logger.setLevel(logging.WARNING)
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
