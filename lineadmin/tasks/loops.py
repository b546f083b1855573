"""A thread that does one kind of work whenever it is rung, finds something due, or time is up."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from lineadmin import db as database

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Loop(threading.Thread):
    """Calls `work` until stopped.

    `work` answers how much it did. Anything but 0 calls `wakes`, those whose work comes after it,
    and looks again at once. `is_due` is one cheap indexed question, asked every `poll` seconds;
    `work` runs in any case every `full` seconds. An error is logged, pauses the loop longer each
    time, and never ends it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], int],
        *,
        is_due: Callable[[], bool],
        poll: float,
        full: float = 10.0,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._is_due = is_due
        self._poll = poll
        self._full = full
        self._event = threading.Event()
        self._stopping = False
        self.wakes: list[Callable[[], None]] = []
        self.passed_at = time.monotonic()
        self.passes = 0

    def wake(self) -> None:
        """Look at once."""
        self._event.set()

    def request_stop(self) -> None:
        """End after the pass that is running."""
        self._stopping = True
        self._event.set()

    @property
    def stopping(self) -> bool:
        """True once the loop was asked to end; long work looks here between its pieces."""
        return self._stopping

    def run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        worked_at = float("-inf")
        while not self._stopping:
            rung = self._event.wait(self._poll)
            self._event.clear()
            if self._stopping:
                break
            try:
                database.ensure_connection()
                overdue = time.monotonic() - worked_at >= self._full
                if rung or overdue or self._is_due():
                    worked_at = time.monotonic()
                    if self._work():
                        self._event.set()
                        for wake in self.wakes:
                            wake()
                pause = FIRST_PAUSE_SECONDS
            except Exception:
                logger.exception("%s failed; trying again in %.1f s", self.name, pause)
                self._drop_connection()
                self._sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
            self.passes += 1
            self.passed_at = time.monotonic()
        self._drop_connection()

    def _drop_connection(self) -> None:
        with contextlib.suppress(Exception):
            if not database.db.is_closed():
                database.db.close()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.1)
