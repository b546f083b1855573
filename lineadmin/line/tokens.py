"""The channel access token: LINE's long-lived one, or a stateless one fetched as needed.

Source: https://developers.line.biz/en/reference/messaging-api/#issue-stateless-channel-access-token
(2026-08-07)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Protocol

from lineadmin.line.errors import LineAuthFailed

CACHE_SECONDS = 12 * 60  # of the 15 minutes a stateless token lives


class Tokens(Protocol):
    """Where the gateway gets its bearer token. Safe to ask from many threads."""

    def current(self) -> str:
        """The token to use now.

        :raises LineError: none could be had; what was to be sent has certainly not been sent
        """

    def replace(self, refused: str) -> str | None:
        """A token other than `refused`, which LINE answered 401 to; None when there is none."""


class LongLivedToken:
    """The token of the LINE Developers Console. It cannot be renewed from here."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def replace(self, refused: str) -> str | None:
        return None


class StatelessTokens:
    """A token per quarter of an hour, issued for channel id and secret by `issue`."""

    def __init__(
        self, issue: Callable[[], bytes], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._issue = issue
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._usable_until = float("-inf")

    def current(self) -> str:
        # One thread asks LINE, the others wait for its answer: the lock is held on purpose.
        with self._lock:
            if self._monotonic() >= self._usable_until:
                self._fetch()
            return self._token

    def replace(self, refused: str) -> str | None:
        with self._lock:
            if self._token == refused:
                self._fetch()
            return self._token

    def _fetch(self) -> None:
        self._usable_until = float("-inf")
        token, lifetime = _read(self._issue())
        self._token = token
        self._usable_until = self._monotonic() + min(CACHE_SECONDS, lifetime * 0.8)


class NoToken:
    """LINE is not connected yet: neither a token nor a channel id is configured."""

    def current(self) -> str:
        raise LineAuthFailed(401, message="no channel access token is configured")

    def replace(self, refused: str) -> str | None:
        return None


def _read(answer: bytes) -> tuple[str, float]:
    try:
        fields = json.loads(answer)
        token, lifetime = fields["access_token"], float(fields.get("expires_in", 900))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LineAuthFailed(200, message="LINE's answer holds no access token") from None
    if not isinstance(token, str) or not token:
        raise LineAuthFailed(200, message="LINE's answer holds no access token")
    return token, lifetime
