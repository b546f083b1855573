"""How fast: LINE's published rates, backoff between tries, and holding still while LINE is down."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from lineadmin.line import limits
from lineadmin.outbox.models import NARROWCAST

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
FIRST_HOLD_SECONDS = 0.1
LONGEST_HOLD_SECONDS = 10.0
# How much of a second's allowance may leave at once; the size of LINE's buckets is unpublished.
BURST = 0.1
WHOLE = 1 - 1e-6  # a token, give or take what floating point lost
TROUBLE_AFTER = 10  # failures in a row; injected or natural ones in between never get that far


def backoff(tries: int, chance: Callable[[], float] = random.random) -> timedelta:
    """The wait after a try that got no clear answer: 1 s doubling to 60 s, half of it by chance.

    Without the chance, everything that failed together would come back together.
    """
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(max(tries, 1) - 1, 10))
    return timedelta(seconds=longest * (0.5 + 0.5 * chance()))


class Bucket:
    """A token bucket for one endpoint, shared by the sending threads."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = per_second
        self._size = max(1.0, per_second * BURST)
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._size
        self._at = clock()
        self._refused = 0  # times in a row LINE found us too fast
        self._lock = threading.Lock()

    def take(self, deadline: float) -> bool:
        """Wait for a token; False when none comes before `deadline` (same clock)."""
        while True:
            with self._lock:
                now = self._clock()
                gained = max(0.0, now - self._at) * self._rate
                self._tokens = min(self._size, self._tokens + gained)
                self._at = max(self._at, now)
                if self._tokens >= WHOLE:
                    self._tokens -= 1
                    return True
                wait = self._at - now + (1 - self._tokens) / self._rate
            if now + wait > deadline:
                return False
            self._sleep(wait)

    def too_fast(self, retry_after: float | None = None) -> None:
        """LINE says too fast: nothing for a moment, longer each time it says so again.

        The first time the moment is short, since LINE uses the same answer (429) where only one
        friend got too much.
        """
        with self._lock:
            self._refused += 1
            seconds = min(LONGEST_HOLD_SECONDS, FIRST_HOLD_SECONDS * 2 ** min(self._refused - 1, 9))
            self._tokens = 0.0
            self._at = max(self._at, self._clock() + (retry_after or seconds))

    def fine(self) -> None:
        """LINE took one: it was not too fast after all."""
        self._refused = 0


def buckets() -> dict[str, Bucket]:
    """A bucket per kind of shipment, at LINE's rates."""
    return {
        "push": Bucket(limits.PUSH_PER_SECOND),
        "multicast": Bucket(limits.MULTICAST_PER_SECOND),
        # 60 an hour: a shop that sends more is told so by LINE, and waits as it says.
        NARROWCAST: Bucket(limits.OTHERS_PER_SECOND),
    }


class Breaker:
    """Counts failures in a row. While LINE is down one probe at a time goes out, not everything."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0

    def answered(self) -> None:
        """LINE gave an answer of its own, whichever."""
        self._failures = 0
        self._closed_until = 0.0

    def failed(self) -> None:
        """No answer, or LINE's own error."""
        self._failures += 1
        if self._failures >= TROUBLE_AFTER:
            wait = backoff(self._failures - TROUBLE_AFTER + 1).total_seconds()
            self._closed_until = self._clock() + wait

    @property
    def in_trouble(self) -> bool:
        """LINE has not answered for a while."""
        return self._failures >= TROUBLE_AFTER

    def allowed(self, wanted: int) -> int:
        """How many requests may start now."""
        if not self.in_trouble:
            return wanted
        return min(1, wanted) if self._clock() >= self._closed_until else 0
