"""Signed webhook deliveries to the panel: queued, timed, counted, and sent again on request.

Source: Messaging API docs, "Receive messages (webhook)" and "Check webhook error statistics".
"""

import heapq
import json
import random
import threading
from collections import OrderedDict
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zlib import crc32

import urllib3

from lineadmin.simulator import ids
from lineadmin.simulator.world import World

LINE_WAITS_SECONDS = 2.0
WORKERS = 4
IDLE_SECONDS = 1.0
MAX_KEPT = 20_000
NOWHERE = (".invalid", ".example", ".test")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class Attempt:
    """One POST of an event."""

    at_ms: int
    status: int  # 0 = no answer
    reason: str  # OK | COULD_NOT_CONNECT | REQUEST_TIMEOUT | ERROR_STATUS_CODE | UNCLASSIFIED
    took_ms: float
    redelivery: bool


@dataclass(slots=True)
class Delivery:
    """An event on its way to the panel."""

    event: dict[str, Any]
    attempts: list[Attempt] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def delivered(self) -> bool:
        """Whether the panel has answered 2xx once."""
        return any(200 <= attempt.status < 300 for attempt in self.attempts)

    def record(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "event": self.event,
            "event_id": self.event.get("webhookEventId"),
            "delivered": self.delivered,
            "attempts": [asdict(attempt) for attempt in self.attempts],
        }


class Webhooks:
    """Delivers events from a few threads; the events of one person stay in order."""

    def __init__(self, world: World, *, timeout_seconds: float = LINE_WAITS_SECONDS) -> None:
        self._world = world
        self.timeout_seconds = timeout_seconds
        self._http = urllib3.PoolManager(
            num_pools=8, maxsize=WORKERS * 2, retries=False, block=False
        )
        self._queues: list[SimpleQueue[list[Delivery] | None]] = []
        self._threads: list[threading.Thread] = []
        self._recent: OrderedDict[str, Delivery] = OrderedDict()
        self._held: list[Delivery] | None = None
        self._open = 0  # queued or in the air
        self._idle = threading.Condition()
        self._timer = _Timer(self._redeliver_due)
        self._numbers = count()
        self._last_post = 0.0

    def start(self) -> None:
        """Start the delivering threads."""
        self._queues = [SimpleQueue() for _ in range(WORKERS)]
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), daemon=True)
            for queue in self._queues
        ]
        for thread in self._threads:
            thread.start()
        self._timer.start()

    def stop(self) -> None:
        """Stop; what is queued is dropped, as when a platform goes down."""
        self._timer.stop()
        for queue in self._queues:
            try:
                while True:
                    queue.get_nowait()
            except Empty:
                queue.put(None)
        for thread in self._threads:
            thread.join(self.timeout_seconds + 1)
        self._queues, self._threads = [], []
        self._http.clear()
        with self._idle:
            self._open = 0
            self._idle.notify_all()

    def queue(self, event: dict[str, Any]) -> Delivery:
        """Send one event, or hold it while events are held."""
        delivery = Delivery(event)
        key = str(event.get("webhookEventId") or next(self._numbers))
        with self._world.lock:
            self._recent[key] = delivery
            while len(self._recent) > MAX_KEPT:
                self._recent.popitem(last=False)
            if self._held is not None:
                self._held.append(delivery)
                return delivery
        self._dispatch([delivery])
        return delivery

    def queue_raw(self, events: list[dict[str, Any]], *, together: bool = False) -> list[Delivery]:
        """Send events exactly as given; ``together``: in one POST."""
        deliveries = [Delivery(event) for event in events]
        with self._world.lock:
            for delivery in deliveries:
                key = str(delivery.event.get("webhookEventId") or next(self._numbers))
                self._recent[key] = delivery
        if together:
            self._dispatch(deliveries)
        else:
            for delivery in deliveries:
                self._dispatch([delivery])
        return deliveries

    def recent(self, limit: int = 100) -> list[Delivery]:
        """The newest events, newest first."""
        with self._world.lock:
            found = list(self._recent.values())
        return found[::-1][:limit]

    def find(self, event_id: str) -> Delivery | None:
        """An event by its webhookEventId."""
        return self._recent.get(event_id)

    def forget(self) -> None:
        """Drop every event that is kept, held or waiting to be sent again."""
        with self._world.lock:
            self._recent.clear()
            self._held = None
            self._timer.clear()

    def hold(self) -> None:
        """Keep events back until they are released."""
        with self._world.lock:
            if self._held is None:
                self._held = []

    def release(self, order: str = "same", *, together: bool = False, seed: int = 0) -> int:
        """Send what was held: ``same``, ``reverse`` or ``shuffle`` order, perhaps in one POST."""
        with self._world.lock:
            held, self._held = self._held or [], None
        if order == "reverse":
            held.reverse()
        elif order == "shuffle":
            random.Random(seed).shuffle(held)  # noqa: S311 - repeatable, not secret
        if together:
            if held:
                self._dispatch(held)
        else:
            for delivery in held:
                # one queue, or the order is not the one asked for
                self._dispatch([delivery], lane=0)
        return len(held)

    @property
    def held(self) -> int:
        """How many events are kept back."""
        return len(self._held or [])

    def redeliver(self, delivery: Delivery) -> None:
        """Send an event again, marked as a redelivery."""
        delivery.event = deepcopy(delivery.event)
        delivery.event.setdefault("deliveryContext", {})["isRedelivery"] = True
        delivery.done.clear()
        self._dispatch([delivery])

    def wait_idle(self, timeout_seconds: float) -> bool:
        """Wait until nothing is queued or in the air; False when it took too long."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout_seconds)

    @property
    def waiting(self) -> int:
        """Events queued or in the air."""
        return self._open

    def test(self, endpoint: str) -> Attempt:
        """POST an empty, signed webhook, as the console's Verify button does."""
        return self._post(endpoint, [], redelivery=False)

    def _dispatch(self, deliveries: list[Delivery], lane: int | None = None) -> None:
        account = self._world.account
        if account.endpoint is None or not account.webhook_active or not self._queues:
            for delivery in deliveries:
                delivery.done.set()
            return
        if lane is None:
            source = deliveries[0].event.get("source") or {}
            who = source.get("userId") if isinstance(source, dict) else None
            lane = crc32(str(who).encode()) % len(self._queues)
        with self._idle:
            self._open += len(deliveries)
        self._queues[lane].put(deliveries)

    def _work(self, queue: "SimpleQueue[list[Delivery] | None]") -> None:
        while (deliveries := queue.get()) is not None:
            try:
                self._deliver(deliveries)
            finally:
                for delivery in deliveries:
                    delivery.done.set()
                with self._idle:
                    self._open -= len(deliveries)
                    self._idle.notify_all()

    def _deliver(self, deliveries: list[Delivery]) -> None:
        world = self._world
        events = [delivery.event for delivery in deliveries]
        redelivery = any(
            (event.get("deliveryContext") or {}).get("isRedelivery") for event in events
        )
        self._start_reply_tokens(events, redelivery)
        endpoint = world.account.endpoint
        if endpoint is None:
            return
        attempt = self._post(endpoint, events, redelivery=redelivery)
        ok = 200 <= attempt.status < 300
        with world.lock:
            for delivery in deliveries:
                delivery.attempts.append(attempt)
            world.counters["webhook.attempts"] += 1
            world.counters["webhook.ok" if ok else "webhook.failed"] += 1
            delays = world.account.redelivery_delays_ms
            if not ok and world.account.redelivery:
                for delivery in deliveries:
                    turn = len(delivery.attempts) - 1
                    if turn < len(delays):
                        self._timer.at(monotonic() + delays[turn] / 1000, delivery)
            world.touch()

    def _start_reply_tokens(self, events: list[dict[str, Any]], redelivery: bool) -> None:
        with self._world.lock:
            for event in events:
                token = self._world.reply_tokens.get(str(event.get("replyToken")))
                if token is not None and not token.used:
                    token.received_ms = self._world.real_ms()
                    token.redelivered = redelivery
                    self._world.save_reply_token(token)

    def _redeliver_due(self, delivery: Delivery) -> None:
        if self._world.account.redelivery and not delivery.delivered:
            self.redeliver(delivery)

    def _post(self, endpoint: str, events: list[dict[str, Any]], *, redelivery: bool) -> Attempt:
        world = self._world
        payload = {"destination": world.account.user_id, "events": events}
        body = json.dumps(payload, ensure_ascii=False).encode()
        began = monotonic()
        if began - self._last_post > IDLE_SECONDS:
            self._http.clear()  # the panel may be about to close idle connections
        self._last_post = began
        status, reason = 0, "OK"
        address = self._address(endpoint)
        if address is None:
            return Attempt(world.real_ms(), 0, "COULD_NOT_CONNECT", 0.0, redelivery)
        try:
            response = self._http.request(
                "POST",
                address,
                body=body,
                headers={
                    "content-type": "application/json; charset=utf-8",
                    "user-agent": "LineBotWebhook/2.0",
                    "x-line-signature": ids.signature(world.channel_secret, body),
                },
                timeout=urllib3.Timeout(total=self.timeout_seconds),
                redirect=False,
            )
            status = response.status
            if not 200 <= status < 300:
                reason = "ERROR_STATUS_CODE"
        except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
            reason = "COULD_NOT_CONNECT"
        except urllib3.exceptions.TimeoutError:
            reason = "REQUEST_TIMEOUT"
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            reason = "UNCLASSIFIED"
        took = (monotonic() - began) * 1000
        return Attempt(world.real_ms(), status, reason, round(took, 1), redelivery)

    def _address(self, endpoint: str) -> str | None:
        """Where an endpoint is really reached; None for another machine.

        A public address that can't exist (``….invalid``, ``.example``, ``.test``) is the panel on
        this machine; any other host must be this machine itself, for a pretend LINE has no
        business elsewhere.
        """
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        if host in LOOPBACK:
            return endpoint
        if host.endswith(NOWHERE) and self._world.webhook_url:
            real = urlsplit(self._world.webhook_url)
            return urlunsplit((real.scheme, real.netloc, parts.path, parts.query, ""))
        return None


class _Timer:
    """Calls back with an item when its time has come."""

    def __init__(self, callback: Any) -> None:
        self._callback = callback
        self._wake = threading.Condition()
        self._heap: list[tuple[float, int, Delivery]] = []
        self._numbers = count()
        self._running = False

    def start(self) -> None:
        self._running = True
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        with self._wake:
            self._running = False
            self._heap.clear()
            self._wake.notify_all()

    def clear(self) -> None:
        with self._wake:
            self._heap.clear()

    def at(self, moment: float, item: Delivery) -> None:
        with self._wake:
            heapq.heappush(self._heap, (moment, next(self._numbers), item))
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._running:
                    return
                wait = self._heap[0][0] - monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._wake.wait(wait)
                    continue
                item = heapq.heappop(self._heap)[2]
            self._callback(item)
