"""The connections that messages leave by: kept, renewed when stale, clear about what was sent."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any

import pytest

from lineadmin.line.posting import NeverConnected, NoAnswer, Posting
from tests.conftest import PATIENCE

YES = b"HTTP/1.1 200 OK\r\nX-Line-Request-Id: r1\r\nContent-Length: 2\r\n\r\n{}"


class Raw:
    """Answers each request on each connection with the next of `says`; None hangs up."""

    def __init__(self, says: list[bytes | None], *, hang_up_after_answer: bool = False) -> None:
        self.says, self.connections = says, 0
        self.seen: list[bytes] = []
        self._hang_up = hang_up_after_answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with peer, contextlib.suppress(OSError):
                self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        request = b""
        while data := peer.recv(65_536):
            request += data
            if not request.startswith(b"\x16") and not request.endswith(b"\r\n\r\n{}"):
                continue
            self.seen.append(request)
            request = b""
            answer = self.says.pop(0) if self.says else YES
            if answer is not None:
                peer.sendall(answer)
            if answer != YES or self._hang_up:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def raw() -> Any:
    servers: list[Raw] = []

    def make(*says: bytes | None, **more: Any) -> Raw:
        servers.append(Raw(list(says), **more))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def posting(base: str) -> Posting:
    return Posting(base, connect=PATIENCE, read=PATIENCE)


def test_an_answer_is_status_headers_and_body(raw: Any):
    server = raw()
    status, headers, body = posting(server.base).post("/push", b"{}", {"X-Line-Retry-Key": "k"})
    assert (status, headers["x-line-request-id"], body) == (200, "r1", b"{}")
    assert server.seen[0].startswith(b"POST /push HTTP/1.1\r\n")
    assert b"X-Line-Retry-Key: k\r\n" in server.seen[0]


def test_a_connection_is_kept(raw: Any):
    server = raw()
    mine = posting(server.base)
    for _ in range(3):
        mine.post("/push", b"{}", {})
    assert server.connections == 1


def test_a_connection_line_has_closed_is_made_anew_before_anything_is_sent(raw: Any):
    server = raw(hang_up_after_answer=True)
    mine = posting(server.base)
    for _ in range(3):
        assert mine.post("/push", b"{}", {})[0] == 200
        closing, _, _ = select.select([mine._mine.connection.sock], [], [], PATIENCE)
        assert closing
    assert server.connections == 3


def test_an_idle_connection_is_not_trusted(raw: Any, monkeypatch: pytest.MonkeyPatch):
    server = raw()
    mine = posting(server.base)
    mine.post("/push", b"{}", {})
    monkeypatch.setattr("lineadmin.line.posting.IDLE_SECONDS", -1)
    mine.post("/push", b"{}", {})
    assert server.connections == 2


@pytest.mark.parametrize("says", [None, b"HTTP/1.1 2", b"nonsense\r\n\r\n", b""])
def test_a_broken_answer_leaves_doubt(raw: Any, says: bytes | None):
    server = raw(says, YES)
    mine = posting(server.base)
    with pytest.raises(NoAnswer):
        mine.post("/push", b"{}", {})
    assert mine.post("/push", b"{}", {})[0] == 200  # on a fresh connection


def test_no_connection_leaves_none():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(NeverConnected):
            posting(base).post("/push", b"{}", {})


def test_tls_that_fails_leaves_none(raw: Any):
    server = raw(b"not tls at all")
    mine = posting(server.base.replace("http://", "https://"))
    with pytest.raises(NeverConnected):
        mine.post("/push", b"{}", {})


def test_each_thread_has_its_own(raw: Any):
    server = raw()
    mine = posting(server.base)
    mine.post("/push", b"{}", {})
    mine.close()
    assert mine.post("/push", b"{}", {})[0] == 200
    assert server.connections == 2
