"""The sender: packs what is due, claims, sends on a few threads, and records in bulk.

All database work happens in the thread that calls; the sending threads only talk to LINE. A sender
may be killed at any point: what it planned, packed or claimed is found in the database, and what
LINE may already have is asked about under the same retry key.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from lineadmin import db as database
from lineadmin.line.errors import LineUnclear, LineUnreachable
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import (
    claim,
    ends,
    outcomes,
    pack,
    pauses,
    phase,
    queries,
    quota,
    recheck,
    replies,
)
from lineadmin.outbox.counts import Counts
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.pace import backoff
from lineadmin.outbox.place import Place
from lineadmin.outbox.post import Post, Result
from lineadmin.outbox.protocol import Prepare, Programs

THREADS = 24  # at 100 ms an answer, 240 pushes a second; they mostly wait
MOST_THREADS = 48
# Shipments packed ahead. A staff member's answer has to wait for these at most.
PACK_AHEAD = 500
DEEPEST_QUEUE = 256
GATHER_SECONDS = 0.05  # results that come within this time share a transaction
GAP_SECONDS = 0.002
POLL_SECONDS = 1.0
UPKEEP_SECONDS = 5.0
STOP_SECONDS = 6.0
QUOTA_AGAIN = timedelta(minutes=1)  # how soon LINE is asked again while the quota is used up
SHORT_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Sender:
    """Everything between a due delivery and LINE's answer. One per process and place.

    :param now: shop time, :param wall: real time (lineadmin.clock)
    :param place: what to call ourselves in leases; a worker that can lock `lock_file` frees the
        leases its dead predecessor in that place held, instead of waiting for them to run out
    """

    def __init__(
        self,
        gateway: Gateway,
        prepare: Prepare,
        programs: Programs | None = None,
        *,
        now: Callable[[], datetime],
        wall: Callable[[], datetime],
        place: str = "worker",
        lock_file: Path | None = None,
        threads: int = THREADS,
    ) -> None:
        self._gateway = gateway
        self._prepare = prepare
        self._programs = programs or Programs()
        self._now = now
        self._wall = wall
        self._place_name = place
        self._place = None if lock_file is None else Place(lock_file)
        self._owner = claim.owner(place)
        self._post = Post(gateway, threads=max(1, min(threads, MOST_THREADS)))
        self._bell = threading.Event()
        self._results: list[Result] = []
        self._rate = 0.0  # requests a second, smoothed
        self._rate_at = time.monotonic()
        self._upkeep_at = float("-inf")
        self._short_until = float("-inf")
        self._sick: dict[tuple[OriginKind, int], tuple[int, float]] = {}
        self._quota_asked_at: datetime | None = None
        self.passed_at = time.monotonic()  # of the last round, for whoever watches us

    # Doors -----------------------------------------------------------------------------------

    def run_once(self, now: datetime, wall: datetime) -> Counts:
        """Do everything that is due at `now`, wait for what is in the air, and say what was done.

        Leaves alone what is in backoff or leased elsewhere, and what comes due while it runs.
        """
        started = time.monotonic()
        counts = Counts()
        self._upkeep(now, wall, counts)
        self._short_until = float("-inf")
        while True:
            passed = timedelta(seconds=time.monotonic() - started)
            if not self._round(now, wall + passed, counts, due_by=wall) and not self._busy:
                break
        left = queries.left_behind(now)
        counts.queued, counts.waiting = left.queued_due, left.underway
        return counts

    def pump(self, stop: threading.Event) -> None:
        """Send until `stop` is set; then finish or hand back what was claimed, within seconds.

        An error is logged and pauses the pump a little; it never ends it.
        """
        self._take_over()
        failures = 0
        while not stop.is_set():
            try:
                database.ensure_connection()
                if not self.work(Counts()):
                    self._bell.wait(POLL_SECONDS)
                    self._bell.clear()
                failures = 0
            except Exception:
                failures += 1
                logger.exception("the sender stumbled")
                self._drop_connection()
                stop.wait(backoff(min(failures, 5)).total_seconds())
        self.finish()

    def work(self, counts: Counts) -> bool:
        """One round of `pump`; True while there is more to do at once."""
        now, wall = self._now(), self._wall()
        self.passed_at = time.monotonic()
        if self.passed_at - self._upkeep_at >= UPKEEP_SECONDS:
            self._upkeep(now, wall, counts)
        return self._round(now, wall, counts) or self._busy

    def wake(self) -> None:
        """Look at once; any thread may call it."""
        self._bell.set()

    def finish(self) -> Counts:
        """Stop sending: what has left is waited for (a few seconds), the rest is handed back."""
        counts = Counts()
        self._post.halt(True)
        deadline = time.monotonic() + STOP_SECONDS
        try:
            while self._busy and time.monotonic() < deadline:
                self._results += self._post.collect(deadline - time.monotonic())
                self._record(self._now(), self._wall(), counts)
        except Exception:
            logger.exception("what came back at the end could not be written down")
        if self._post.in_air:
            logger.warning(
                "%s requests are still in the air; a successor asks again", self._post.in_air
            )
        self._post.close()
        if self._place is not None:
            self._place.leave()
        return counts

    @property
    def _busy(self) -> bool:
        """Something is in the air, or has come back and is not written down yet."""
        return self._post.in_air > 0 or bool(self._results)

    # One round -------------------------------------------------------------------------------

    def _round(
        self, now: datetime, wall: datetime, counts: Counts, *, due_by: datetime | None = None
    ) -> bool:
        """Collect, record, claim, pack a chunk. True where anything moved."""
        due_by = due_by or wall
        halted = pauses.current().nothing_leaves
        self._post.halt(halted)
        moved = self._gather()
        if self._record_and_claim(now, wall, due_by, counts, halted):
            moved = True
            self._let_others_write()
        if not halted and self._pack(now, wall, due_by, counts):
            moved = True
            self._let_others_write()
        if not moved and self._post.in_air:
            self._results += self._post.collect(GATHER_SECONDS)
        return moved

    @staticmethod
    def _let_others_write() -> None:
        """SQLite has one writer and no queue for it: leave the webhook a gap to get in."""
        if not database.is_postgres():
            time.sleep(GAP_SECONDS)

    def _gather(self) -> bool:
        """Take the results there are, and those that follow on their heels.

        Writing each down by itself would cost more than sending it; what is claimed ahead keeps the
        threads busy meanwhile.
        """
        found = self._post.collect(0)
        if found:
            enough = self._post.in_air // 3
            until = time.monotonic() + GATHER_SECONDS
            while len(found) < enough and (wait := until - time.monotonic()) > 0:
                found += self._post.collect(wait)
        self._results += found
        self._measure(len(found))
        for result in found:
            if isinstance(result.error, (LineUnclear, LineUnreachable)):
                self._post.breaker.failed()
            elif result.accepted is not None or result.error is not None:
                self._post.breaker.answered()
        return bool(self._results)

    def _measure(self, finished: int) -> None:
        now = time.monotonic()
        seconds = max(now - self._rate_at, 0.001)
        if finished or seconds > 0.5:
            weight = min(1.0, seconds / 0.5)
            self._rate += weight * (finished / seconds - self._rate)
            self._rate_at = now

    def _room(self) -> int:
        """How many more to claim: a quarter of a second's work ahead, so that no thread idles."""
        deep = min(DEEPEST_QUEUE, int(self._rate / 4) + 2 * self._post.threads)
        return self._post.breaker.allowed(max(0, deep - self._post.in_air))

    def _record_and_claim(
        self, now: datetime, wall: datetime, due_by: datetime, counts: Counts, halted: bool
    ) -> bool:
        room = 0 if halted else self._room()
        ready = room > 0 and claim.anything_ready(due_by)
        if not ready:
            return self._record(now, wall, counts)
        recorded = outcomes.Recorded()
        with database.atomic():
            if self._results:
                recorded = outcomes.record(self._results, self._programs, now=now, wall=wall)
            with phase.at(phase.CLAIM):
                claimed = claim.claim(
                    room,
                    self._owner,
                    self._programs,
                    now=now,
                    wall=wall,
                    due_by=due_by,
                    only_unclear=quota.is_exhausted(now),
                )
        self._results.clear()
        self._count(recorded, counts)
        counts.add(unknown=claimed.given_up)
        self._post.send(claimed.flights)
        return bool(claimed.flights or claimed.dissolved or claimed.given_up or claimed.parked)

    def _record(self, now: datetime, wall: datetime, counts: Counts) -> bool:
        if not self._results:
            return False
        recorded = outcomes.record(self._results, self._programs, now=now, wall=wall)
        # Only now: results that could not be written are written with the next ones.
        self._results.clear()
        self._count(recorded, counts)
        return True

    @staticmethod
    def _count(recorded: outcomes.Recorded, counts: Counts) -> None:
        counts.add(sent=recorded.sent, failed=recorded.failed, unknown=recorded.unknown)

    def _pack(self, now: datetime, wall: datetime, due_by: datetime, counts: Counts) -> bool:
        """One chunk of the most urgent group that has one."""
        if time.monotonic() < self._short_until:
            return False
        groups = recheck.due_groups(now, singles_only=self._enough_ready(due_by))
        for group in recheck.may_go(groups, self._programs, now):
            if self._is_sick(group.origin):
                continue
            self._ask_quota(now, wall)
            try:
                done = pack.pack_chunk(group, self._prepare, self._programs, now=now, wall=due_by)
            except Exception:
                # One program's bad content must not hold up all the others.
                self._set_aside(group.origin)
                logger.exception("%s %s could not be packed", *group.origin)
                continue
            self._sick.pop(group.origin, None)
            counts.add(packed=done.deliveries, skipped=done.skipped)
            if done.reserve_only:
                # What is kept from this one is there for the others.
                self._sick[group.origin] = (0, time.monotonic() + SHORT_SECONDS)
                if done.moved:
                    return True
                continue
            if done.short:
                self._short_until = time.monotonic() + SHORT_SECONDS
                return done.moved
            if done.moved:
                return True
        return False

    @staticmethod
    def _enough_ready(due_by: datetime) -> bool:
        """Packed ahead as far as it is good: answers to single people need not wait for that."""
        return claim.count_ready(PACK_AHEAD, due_by) >= PACK_AHEAD

    def _is_sick(self, origin: tuple[OriginKind, int]) -> bool:
        return time.monotonic() < self._sick.get(origin, (0, float("-inf")))[1]

    def _set_aside(self, origin: tuple[OriginKind, int]) -> None:
        failures = self._sick.get(origin, (0, 0.0))[0] + 1
        self._sick[origin] = (failures, time.monotonic() + backoff(failures).total_seconds())

    # Upkeep ----------------------------------------------------------------------------------

    def _upkeep(self, now: datetime, wall: datetime, counts: Counts) -> None:
        """Leases that ran out, answers that never came, replies cut short, a quota used up."""
        self._upkeep_at = time.monotonic()
        if self._place is not None:
            self._place.take()
        taken_back = claim.take_back(wall)
        if taken_back:
            logger.warning("took back %s leases that had run out", taken_back)
        counts.add(unknown=ends.give_up_old(now=now, wall=wall))
        replies.sweep(wall=wall)
        if quota.is_exhausted(now):
            self._ask_quota(now, wall)

    def _ask_quota(self, now: datetime, wall: datetime) -> None:
        """Have the ledger read again where it is old; before the month's first sending, too.

        Not while something is in the air: a LINE that hangs would keep its leases from us.
        """
        asked = self._quota_asked_at
        if asked is not None and timedelta() <= wall - asked < QUOTA_AGAIN:
            return
        if self._post.in_air or self._post.breaker.in_trouble:
            return
        self._quota_asked_at = wall
        every = QUOTA_AGAIN if quota.is_exhausted(now) else quota.READ_EVERY
        if quota.refresh(self._gateway, now=now, wall=wall, every=every):
            self._short_until = float("-inf")

    def _take_over(self) -> None:
        try:
            database.ensure_connection()
            if self._place is not None and self._place.take():
                freed = claim.take_over(self._place_name, self._wall())
                if freed:
                    logger.warning("took over %s leases of a worker that died", freed)
        except Exception:
            logger.exception("the leases of a dead worker have to run out")

    @staticmethod
    def _drop_connection() -> None:
        with contextlib.suppress(Exception):
            if not database.db.is_closed():
                database.db.close()
