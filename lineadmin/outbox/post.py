"""The sending threads: they post frozen bodies and hand back what came of it, nothing else.

They never touch the database. A request that could outlive its lease is not started.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

from lineadmin.line.answers import Accepted
from lineadmin.line.errors import LineError, LineRateLimited, LineUnclear
from lineadmin.line.exchange import CONNECT_SECONDS, READ_SECONDS
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.claim import LEASE, Flight
from lineadmin.outbox.models import NARROWCAST
from lineadmin.outbox.pace import Breaker, buckets

# The longest a request can take, and a moment to hand its result over.
LONGEST_TRY_SECONDS = CONNECT_SECONDS + READ_SECONDS + 2

logger = logging.getLogger(__name__)


class Result(NamedTuple):
    """What came of one flight; neither `accepted` nor `error`: it was not tried."""

    flight: Flight
    accepted: Accepted | None = None
    error: LineError | None = None


class _Order(NamedTuple):
    flight: Flight
    start_until: float  # monotonic


class Post:
    """A few threads and LINE's published rates. Made once per sender."""

    def __init__(self, gateway: Gateway, *, threads: int) -> None:
        self.threads = threads
        self.breaker = Breaker()
        self._gateway = gateway
        self._buckets = buckets()
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._halted = threading.Event()
        self._in_air = 0
        self._workers: list[threading.Thread] = []

    @property
    def in_air(self) -> int:
        """Flights handed in whose results were not collected yet."""
        return self._in_air

    def send(self, flights: Iterable[Flight]) -> None:
        """Have these posted; they were claimed just now."""
        start_until = time.monotonic() + LEASE.total_seconds() - LONGEST_TRY_SECONDS
        for flight in flights:
            self._in_air += 1
            self._orders.put(_Order(flight, start_until))
        while len(self._workers) < min(self.threads, self._in_air):
            worker = threading.Thread(
                target=self._work, name=f"post-{len(self._workers)}", daemon=True
            )
            self._workers.append(worker)
            worker.start()

    def collect(self, wait: float) -> list[Result]:
        """Every result there is; where there is none yet, the first to come within `wait` s."""
        results: list[Result] = []
        if not self._in_air:
            return results
        try:
            results.append(self._results.get(timeout=max(wait, 0.0001)))
            while True:
                results.append(self._results.get_nowait())
        except queue.Empty:
            pass
        self._in_air -= len(results)
        return results

    def halt(self, halted: bool) -> None:
        """While halted, what is waiting for a thread comes back untried."""
        if halted:
            self._halted.set()
        else:
            self._halted.clear()

    def close(self) -> None:
        """Let the threads end once the queue is empty."""
        for _worker in self._workers:
            self._orders.put(None)
        self._workers.clear()

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                result = self._try(order)
            except Exception as error:
                # Whatever this was, LINE may have the request: only a repeat under its key is safe.
                logger.exception("sending shipment %s failed", order.flight.id)
                result = Result(order.flight, error=LineUnclear(message=repr(error)[:200]))
            self._results.put(result)

    def _try(self, order: _Order) -> Result:
        flight = order.flight
        bucket = self._buckets[flight.kind]
        too_late = time.monotonic() > order.start_until
        if too_late or self._halted.is_set() or not bucket.take(order.start_until):
            return Result(flight)
        post = {
            "push": self._gateway.push,
            "multicast": self._gateway.multicast,
            NARROWCAST: self._gateway.narrowcast,
        }[flight.kind]
        try:
            accepted = post(flight.body.encode(), flight.retry_key)
        except LineError as error:
            if isinstance(error, LineRateLimited):
                bucket.too_fast(error.retry_after_seconds)
            return Result(flight, error=error)
        bucket.fine()
        return Result(flight, accepted=accepted)
