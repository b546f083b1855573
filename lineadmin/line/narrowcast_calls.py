"""How a narrowcast is doing at LINE, and what it brought.

Source: https://developers.line.biz/en/reference/messaging-api/#get-narrowcast-progress-status
(2026-08-07). Both are asked by the request id LINE accepted it under.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from lineadmin.line.answers import text, whole
from lineadmin.line.errors import LineUnclear

WAITING, SENDING, SUCCEEDED, FAILED = "waiting", "sending", "succeeded", "failed"


@dataclass(frozen=True)
class Progress:
    """How far LINE is. `phase` is an open set; the counts are None while LINE still chooses."""

    phase: str
    succeeded: int | None = None
    failed: int | None = None
    target: int | None = None
    error_code: int | None = None
    error: str = ""

    @property
    def over(self) -> bool:
        """Nothing more will change."""
        return self.phase in (SUCCEEDED, FAILED)


class _Asks(Protocol):
    def _get(self, path: str) -> tuple[dict[str, Any], str | None]: ...


class NarrowcastCalls:
    """Mixed into the gateway."""

    def narrowcast_progress(self: _Asks, request_id: str) -> Progress:
        """How far a narrowcast is, for 14 days.

        :raises LineRefused: 404, LINE does not know it (any more)
        """
        query = urlencode({"requestId": request_id})
        found, answered = self._get(f"/v2/bot/message/progress/narrowcast?{query}")
        if not text(found.get("phase")):
            raise LineUnclear(200, answered, "LINE's answer could not be read")
        return Progress(
            phase=text(found["phase"]),
            succeeded=whole(found.get("successCount")),
            failed=whole(found.get("failureCount")),
            target=whole(found.get("targetCount")),
            error_code=whole(found.get("errorCode")),
            error=text(found.get("failedDescription"))[:200],
        )

    def message_statistics(self: _Asks, request_id: str) -> dict[str, Any]:
        """What LINE counted of a narrowcast: `overview`, `messages`, `clicks` in its own words.

        A number below 20 people is null.
        """
        query = urlencode({"requestId": request_id})
        found, answered = self._get(f"/v2/bot/insight/message/event?{query}")
        if not isinstance(found.get("overview"), dict):
            raise LineUnclear(200, answered, "LINE's answer could not be read")
        return found
