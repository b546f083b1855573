"""Failures on demand: the next n calls, or some percent of them, go wrong in a chosen way.

``before`` kinds fail without accepting anything. ``after`` kinds accept the request and then keep
the answer back, so only the retry key can tell the sender what happened.
"""

import random
import threading
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

BEFORE = ("500", "429", "401", "400", "403", "monthly", "timeout_before", "drop_before")
AFTER = ("accept_500", "timeout_after", "drop_after")
KINDS = BEFORE + AFTER


@dataclass(slots=True)
class Fault:
    """One rule. ``times`` counts down; without it, ``percent`` of the calls fail until cleared."""

    id: int
    kind: str
    endpoint: str = "*"
    times: int | None = None
    percent: float | None = None
    hold_ms: int = 15_000
    hits: int = 0

    @property
    def after(self) -> bool:
        """Whether the request is accepted before it fails."""
        return self.kind in AFTER

    @property
    def hold_seconds(self) -> float:
        """Silence before the connection is closed: none for the ``drop`` kinds."""
        return self.hold_ms / 1000 if self.kind.startswith("timeout") else 0.0


class Faults:
    """The rules in force, in the order they were added; the first that fires wins."""

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._ids = count(1)
        self._rules: list[Fault] = []
        self._latency: dict[str, tuple[float, float]] = {}

    def seed(self, seed: int | None) -> None:
        """Make the draws repeatable from here on."""
        with self._lock:
            self._random.seed(seed)

    def add(
        self,
        kind: str,
        *,
        endpoint: str = "*",
        times: int | None = None,
        percent: float | None = None,
        hold_ms: int = 15_000,
    ) -> Fault:
        """Add a rule; with neither ``times`` nor ``percent`` it fails the next call once.

        :raises ValueError: unknown kind, or a percent outside 0..100
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if percent is not None and not 0 <= percent <= 100:
            raise ValueError("percent must be between 0 and 100")
        if times is None and percent is None:
            times = 1
        with self._lock:
            rule = Fault(next(self._ids), kind, endpoint, times, percent, hold_ms)
            self._rules.append(rule)
        return rule

    def clear(self, endpoint: str | None = None) -> None:
        """Drop every rule, or those of one endpoint; latency stays."""
        with self._lock:
            self._rules = [rule for rule in self._rules if endpoint not in (None, rule.endpoint)]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule that is still in force."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def draw(self, endpoint: str) -> Fault | None:
        """The rule that hits this call, if any; counts it."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.endpoint not in ("*", endpoint):
                    continue
                if rule.percent is not None and self._random.random() * 100 >= rule.percent:
                    continue
                rule.hits += 1
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None

    def set_latency(self, endpoint: str, min_ms: float, max_ms: float) -> None:
        """Answer calls to ``endpoint`` (``*`` = all) after a uniform wait; 0, 0 removes it.

        :raises ValueError: negative, or max below min
        """
        if min_ms < 0 or max_ms < min_ms:
            raise ValueError("latency needs 0 <= min_ms <= max_ms")
        with self._lock:
            if max_ms == 0:
                self._latency.pop(endpoint, None)
            else:
                self._latency[endpoint] = (min_ms, max_ms)

    def latencies(self) -> dict[str, tuple[float, float]]:
        """Endpoint to (min, max) milliseconds."""
        return dict(self._latency)

    def wait_seconds(self, endpoint: str) -> float:
        """How long this call takes LINE."""
        if not self._latency:
            return 0.0
        chosen = self._latency.get(endpoint) or self._latency.get("*")
        if chosen is None:
            return 0.0
        with self._lock:
            return self._random.uniform(*chosen) / 1000
