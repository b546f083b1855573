"""A LINE that only takes messages: it answers every send after a set time and counts.

What is measured against it is the sender; the strict simulator would spend the second core on
judging. `python -m bench.quick_line PORT MILLISECONDS` serves; GET /counts tells what came.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import urllib3


@dataclass
class Seen:
    """One kind of request, as it arrived."""

    requests: int = 0
    recipients: int = 0
    keys: set[str] = field(default_factory=set)
    first: float = 0.0
    last: float = 0.0
    same_time: int = 0
    most_same_time: int = 0

    def told(self) -> dict[str, Any]:
        """For the one who asks."""
        seconds = self.last - self.first
        return {
            "requests": self.requests,
            "recipients": self.recipients,
            "keys": len(self.keys),
            "seconds": seconds,
            "at_once": self.most_same_time,
        }


class QuickLine:
    """The server."""

    def __init__(self, milliseconds: float) -> None:
        self._wait = milliseconds / 1000
        self._seen: dict[str, Seen] = {}

    async def serve(self, port: int) -> None:
        """Until killed."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request, *lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _colon, value in (line.partition(":") for line in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                answer = await self._answer(request.split()[1], headers, body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"x-line-request-id: quick\r\nContent-Length: %d\r\n\r\n%b"
                    % (len(answer), answer)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        kind = path.rpartition("/")[2]
        if kind == "counts":
            return json.dumps({name: seen.told() for name, seen in self._seen.items()}).encode()
        if kind == "reset":
            self._seen.clear()
        if kind == "quota":
            return b'{"type":"none"}'
        if kind == "consumption":
            return b'{"totalUsage":0}'
        if kind in ("push", "multicast"):
            await self._take(kind, headers, body)
        return b"{}"

    async def _take(self, kind: str, headers: dict[str, str], body: bytes) -> None:
        seen = self._seen.setdefault(kind, Seen())
        now = time.monotonic()
        seen.first = seen.first or now
        seen.last = now
        seen.requests += 1
        seen.recipients += body.count(b'"U') if kind == "multicast" else 1
        seen.keys.add(headers["x-line-retry-key"])
        seen.same_time += 1
        seen.most_same_time = max(seen.most_same_time, seen.same_time)
        await asyncio.sleep(self._wait)
        seen.same_time -= 1


@contextmanager
def running(port: int, milliseconds: float) -> Iterator[QuickLineClient]:
    """Start one in a process of its own, and end it with the block."""
    command = [sys.executable, "-m", "bench.quick_line", str(port), str(milliseconds)]
    process = subprocess.Popen(command)
    client = QuickLineClient(port)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                client.counts()
                break
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield client
    finally:
        process.kill()
        process.wait()


class QuickLineClient:
    """Asks what came."""

    def __init__(self, port: int) -> None:
        self._http = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=5)

    def counts(self) -> dict[str, dict[str, Any]]:
        """{push | multicast: what came}"""
        found: dict[str, dict[str, Any]] = json.loads(self._http.request("GET", "/counts").data)
        return found

    def reset(self) -> None:
        """Forget what came."""
        self._http.request("GET", "/reset")


if __name__ == "__main__":
    asyncio.run(QuickLine(float(sys.argv[2])).serve(int(sys.argv[1])))
