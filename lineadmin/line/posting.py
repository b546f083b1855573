"""Posting to LINE by the thousand: one connection per thread, kept alive, and little else.

The sender's requests differ only in their bodies. Without redirects, proxies, retries and pools
they cost a third of what they cost through urllib3; and with the connection made apart from the
request it is plain whether anything can have reached LINE.
"""

from __future__ import annotations

import http.client
import select
import ssl
import threading
import time
import weakref
from collections.abc import Mapping
from urllib.parse import urlsplit

# A connection idle for longer may be closed by LINE at the moment we use it.
IDLE_SECONDS = 20.0


class NeverConnected(Exception):
    """No connection came about: not one byte of the request was sent."""


class NoAnswer(Exception):
    """The connection broke or fell silent after the request began: it may have arrived."""


class Posting:
    """Connections to one address; any thread may post."""

    def __init__(self, base: str, *, connect: float, read: float) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._connect_seconds, self._read_seconds = connect, read
        self._mine = threading.local()
        self._all: weakref.WeakSet[http.client.HTTPConnection] = weakref.WeakSet()

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (names in lower case) and body of the answer.

        :raises NeverConnected: nothing was sent
        :raises NoAnswer: it may have arrived
        """
        connection = self._connected()
        try:
            connection.request("POST", self._path + path, body, dict(headers))
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(type(error).__name__) from error
        self._mine.used_at = time.monotonic()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return response.status, answered, data

    def close(self) -> None:
        """Let go of all connections."""
        for connection in list(self._all):
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._new()
        if connection.sock is not None and self._is_stale(connection):
            connection.close()
        if connection.sock is None:
            try:
                connection.connect()
                connection.sock.settimeout(self._read_seconds)  # type: ignore[attr-defined]
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise NeverConnected(type(error).__name__) from error
        return connection

    def _new(self) -> http.client.HTTPConnection:
        made: http.client.HTTPConnection
        if self._tls is None:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self._connect_seconds)
        else:
            made = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._connect_seconds, context=self._tls
            )
        self._mine.connection = made
        self._mine.used_at = time.monotonic()
        self._all.add(made)
        return made

    def _is_stale(self, connection: http.client.HTTPConnection) -> bool:
        """LINE has hung up, said something nobody asked for, or may be about to hang up."""
        if time.monotonic() - self._mine.used_at > IDLE_SECONDS:
            return True
        readable, _writable, _broken = select.select([connection.sock], [], [], 0)
        return bool(readable)
