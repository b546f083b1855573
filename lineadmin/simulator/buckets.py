"""LINE's rate limits: one token bucket per endpoint, in real time.

Source: Messaging API reference, "Rate limits". Bucket sizes are unpublished; here a bucket holds
what one period allows.
"""

import threading
from collections.abc import Callable, Mapping
from time import monotonic

HOUR = 3600.0
MINUTE = 60.0
SECOND = 1.0

DEFAULT_LIMIT = (2000.0, SECOND)
LIMITS: Mapping[str, tuple[float, float]] = {
    "narrowcast": (60, HOUR),
    "broadcast": (60, HOUR),
    "insight_delivery": (60, HOUR),
    "insight_followers": (60, HOUR),
    "insight_demographic": (60, HOUR),
    "insight_event": (60, HOUR),
    "insight_aggregation": (60, HOUR),
    "webhook_test": (60, HOUR),
    "webhook_get": (1000, MINUTE),
    "webhook_put": (1000, MINUTE),
    "audience_create": (60, MINUTE),
    "audience_add": (60, MINUTE),
    "audience_click": (60, MINUTE),
    "audience_imp": (60, MINUTE),
    "audience_list": (60, MINUTE),
    "audience_get": (60, MINUTE),
    "audience_delete": (60, MINUTE),
    "loading": (100, SECOND),
    "multicast": (200, SECOND),
    "token_short": (370, SECOND),
}


class Buckets:
    """A token bucket per endpoint name; each endpoint has its own."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._overrides: dict[str, tuple[float, float]] = {}
        self._level: dict[str, tuple[float, float]] = {}  # endpoint -> (tokens, at)
        self.enabled = True

    def limit(self, endpoint: str) -> tuple[float, float]:
        """(requests, seconds) in force for an endpoint."""
        return self._overrides.get(endpoint) or LIMITS.get(endpoint, DEFAULT_LIMIT)

    def override(self, limits: Mapping[str, tuple[float, float]]) -> None:
        """Replace the published limits of some endpoints; their buckets start full again."""
        with self._lock:
            for endpoint, limit in limits.items():
                self._overrides[endpoint] = limit
                self._level.pop(endpoint, None)

    def overrides(self) -> dict[str, tuple[float, float]]:
        """The limits that differ from the published ones."""
        return dict(self._overrides)

    def refill(self) -> None:
        """Fill every bucket and go back to the published limits."""
        with self._lock:
            self._overrides.clear()
            self._level.clear()

    def take(self, endpoint: str) -> bool:
        """Take one token; False means LINE would answer 429."""
        if not self.enabled:
            return True
        size, seconds = self.limit(endpoint)
        now = self._now()
        with self._lock:
            tokens, at = self._level.get(endpoint, (size, now))
            tokens = min(size, tokens + (now - at) * size / seconds)
            allowed = tokens >= 1
            self._level[endpoint] = (tokens - 1 if allowed else tokens, now)
        return allowed
