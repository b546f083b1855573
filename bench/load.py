"""A light HTTP load: keep-alive connections that send prepared requests, and their latencies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field


@dataclass
class Round:
    """What one round of requests measured."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return self.statuses.get(200, 0) / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency in milliseconds that `percent` of the answers stay under."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def bad(self) -> int:
        """Answers other than 200, and lost connections."""
        return sum(count for status, count in self.statuses.items() if status != 200)


def events(secret: str, prefix: str) -> Iterator[bytes]:
    """Signed webhook requests with one text message each, all different, from many friends."""
    number = 0
    while True:
        number += 1
        event = {
            "type": "message",
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": {"type": "user", "userId": f"U{number % 3000:032x}"},
            "webhookEventId": f"{prefix}{number:020d}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": f"{prefix}{number:030d}",
            "message": {
                "id": f"{prefix}{number}",
                "type": "text",
                "text": "今天的菜單是什麼？",
                "quoteToken": f"q{number:060d}",
            },
        }
        body = json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()
        yield request(body, secret)


def request(body: bytes, secret: str) -> bytes:
    """A whole HTTP request for a webhook body."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return (
        b"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: LineBotWebhook/2.0\r\n"
        b"Content-Type: application/json; charset=utf-8\r\nX-Line-Signature: "
        + digest
        + b"\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


def run(port: int, requests: list[bytes], *, concurrency: int) -> Round:
    """Send every request once over `concurrency` connections."""
    # In a thread of its own: a browser test of this process may keep a loop running in this one.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(asyncio.run, _run(port, requests, concurrency)).result()


def median(values: list[float]) -> float:
    """The middle of the rounds."""
    return statistics.median(values)


async def _run(port: int, requests: list[bytes], concurrency: int) -> Round:
    waiting = iter(requests)
    measured = Round(0.0)
    started = time.perf_counter()
    await asyncio.gather(*(_client(port, waiting, measured) for _ in range(concurrency)))
    measured.seconds = time.perf_counter() - started
    return measured


async def _client(port: int, waiting: Iterator[bytes], measured: Round) -> None:
    reader = writer = None
    for prepared in waiting:
        began = time.perf_counter()
        try:
            if writer is None or reader is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(prepared)
            status, stays = await _answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status, stays = 0, False
        measured.latencies.append(time.perf_counter() - began)
        measured.statuses[status] = measured.statuses.get(status, 0) + 1
        if not stays and writer is not None:
            writer.close()
            reader = writer = None
    if writer is not None:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    if length:
        await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), b"connection: close" not in lines
