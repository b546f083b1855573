"""A small HTTP/1.1 server: one thread per connection, keep-alive, and the power to hang up.

WSGI can't drop a connection without an answer, and that is the failure a sender has to survive.
"""

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from time import sleep
from typing import Any
from urllib.parse import parse_qsl

logger = logging.getLogger(__name__)

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
IDLE_SECONDS = 120

PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One request as it came over the wire; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str

    def json(self) -> Any:
        """The body as JSON.

        :raises ValueError: it is not JSON in UTF-8
        """
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def args(self) -> dict[str, str]:
        """The query string; of a repeated name the last value."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """An answer; Content-Length and Connection are added when it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def json_response(status: int, value: Any) -> Response:
    """``value`` as a JSON answer."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode())


class Hangup(Exception):
    """Close the connection without an answer, after ``hold_seconds`` of silence."""

    def __init__(self, hold_seconds: float = 0.0) -> None:
        super().__init__(hold_seconds)
        self.hold_seconds = hold_seconds


class _Closed(Exception):
    """The other side is gone, or speaks something that is not HTTP."""


class WireServer:
    """Serves ``handler`` on a loopback port; ``start`` returns at once, ``stop`` hangs up."""

    def __init__(
        self, handler: Callable[[Request], Response], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._handler = handler
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.port = port

    def start(self) -> None:
        """Listen and serve in background threads; ``port`` is known afterwards.

        :raises OSError: the port is taken
        """
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self._address)
        listener.listen(1024)
        self._stopping.clear()
        self._listener = listener
        self.port = listener.getsockname()[1]
        self._address = (self._address[0], self.port)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Close the listener and every open connection."""
        self._stopping.set()
        if self._listener is not None:
            # shutdown wakes the thread blocked in accept(); close alone does not
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            open_connections = list(self._connections)
        for connection in open_connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(
                target=self._converse, args=(connection, str(peer[0])), daemon=True
            ).start()

    def _converse(self, connection: socket.socket, peer: str) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            reader = _Reader(connection, peer)
            while not self._stopping.is_set():
                request, keep_alive = reader.next_request()
                response = self._answer(request)
                connection.sendall(_render(response, keep_alive, request.method == "HEAD"))
                if not keep_alive:
                    return
        except Hangup as order:
            sleep(order.hold_seconds)
        except (_Closed, OSError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Hangup:
            raise
        except Exception:
            logger.exception("simulator failed on %s %s", request.method, request.path)
            return json_response(500, {"message": "The simulator itself failed; see its log."})


class _Reader:
    """Takes requests one after another off a connection."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._connection = connection
        self._peer = peer
        self._buffer = b""

    def next_request(self) -> tuple[Request, bool]:
        """The next request, and whether the connection stays open after it."""
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ")
        except ValueError:
            raise _Closed from None
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if "100-continue" in headers.get("expect", "").lower():
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        path, _, query = target.partition("?")
        wish = headers.get("connection", "").lower()
        keep_alive = wish != "close" and (version == "HTTP/1.1" or wish == "keep-alive")
        return Request(method, path, query, headers, body, self._peer), keep_alive

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise _Closed
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            try:
                size = int(self._until(b"\r\n").split(b";")[0], 16)
            except ValueError:
                raise _Closed from None
            total += size
            if total > MAX_BODY:
                raise _Closed
            if size == 0:
                while self._until(b"\r\n"):
                    pass
                return b"".join(parts)
            parts.append(self._exactly(size))
            self._until(b"\r\n")

    def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise _Closed
            self._buffer += self._receive()
        found = self._buffer[:at]
        self._buffer = self._buffer[at + len(mark) :]
        return found

    def _exactly(self, size: int) -> bytes:
        if len(self._buffer) < size:
            parts = [self._buffer]
            have = len(self._buffer)
            while have < size:
                parts.append(self._receive())
                have += len(parts[-1])
            self._buffer = b"".join(parts)
        found = self._buffer[:size]
        self._buffer = self._buffer[size:]
        return found

    def _receive(self) -> bytes:
        data = self._connection.recv(256 * 1024)
        if not data:
            raise _Closed
        return data


def _render(response: Response, keep_alive: bool, head_only: bool) -> bytes:
    phrase = PHRASES.get(response.status, "")
    lines = [
        f"HTTP/1.1 {response.status} {phrase}",
        f"content-type: {response.content_type}",
        f"content-length: {len(response.body)}",
        f"connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if head_only else head + response.body
