"""A pretend LINE with a panel that only listens, and a sender that knows nothing of the product."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import urllib3

from lineadmin.simulator.client import SimulatorClient
from lineadmin.simulator.server import Simulator
from tests.conftest import PATIENCE
from tests.listening import listening

SECRET = "secret-of-the-channel"
TOKEN = "token-of-the-channel"


@dataclass
class Answer:
    """What LINE said."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """The sentence of an error."""
        return str(self.body["message"])

    @property
    def properties(self) -> list[str]:
        """The properties an error complains about."""
        return [detail["property"] for detail in self.body.get("details", [])]


class Sender:
    """Speaks to LINE as any client would."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = urllib3.PoolManager(retries=False, timeout=PATIENCE)

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = TOKEN, **headers: str
    ) -> Answer:
        """One request; header names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            given.setdefault("content-type", "application/json")
        answer = self.http.request(method, self.base_url + path, body=data, headers=given)
        is_json = answer.headers.get("content-type") == "application/json"
        parsed = json.loads(answer.data) if is_json else answer.data
        return Answer(answer.status, parsed, {k.lower(): v for k, v in answer.headers.items()})

    def get(self, path: str) -> Answer:
        """Read something."""
        return self.request("GET", path)

    def send(self, kind: str, body: Any, key: str | None = None) -> Answer:
        """reply, push, multicast, broadcast, narrowcast or validate/…"""
        headers = {} if key is None else {"x_line_retry_key": key}
        return self.request("POST", f"/v2/bot/message/{kind}", body, **headers)

    def push(self, to: str, text: str = "hello", key: str | None = None) -> Answer:
        """Push one text."""
        return self.send("push", {"to": to, "messages": [{"type": "text", "text": text}]}, key)

    def multicast(self, to: list[str], text: str = "hello", key: str | None = None) -> Answer:
        """Multicast one text."""
        return self.send("multicast", {"to": to, "messages": [{"type": "text", "text": text}]}, key)

    def reply(self, token: str, text: str = "hello") -> Answer:
        """Reply one text."""
        return self.send(
            "reply", {"replyToken": token, "messages": [{"type": "text", "text": text}]}
        )


@dataclass
class Panel:
    """What arrived at the webhook; ``statuses`` are the next answers, then 200."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    wait_seconds: float = 0.0

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event of every webhook, in order of arrival."""
        return [event for body in self.bodies for event in json.loads(body)["events"]]


@pytest.fixture
def panel() -> Iterator[Panel]:
    """A webhook that writes down what it gets."""
    seen = Panel()
    released = threading.Event()

    class Listener(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.bodies.append(body)
            seen.signatures.append(self.headers["x-line-signature"])
            seen.paths.append(self.path)
            if seen.wait_seconds:
                released.wait(seen.wait_seconds)
            self.send_response(seen.statuses.pop(0) if seen.statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with listening(Listener) as address:
        seen.url = f"{address}/webhook"
        yield seen
        released.set()


@pytest.fixture
def sim(panel: Panel) -> Iterator[Simulator]:
    """An empty world."""
    with Simulator(
        webhook_url=panel.url,
        channel_secret=SECRET,
        access_token=TOKEN,
        webhook_timeout_seconds=PATIENCE,
    ) as made:
        yield made


@pytest.fixture
def world(sim: Simulator) -> SimulatorClient:
    """The control API of that world."""
    return sim.client


@pytest.fixture
def line(sim: Simulator) -> Sender:
    """A client of its LINE."""
    return Sender(sim.base_url)


@pytest.fixture
def hana(world: SimulatorClient) -> str:
    """The user id of a friend."""
    return str(world.add_phone("花")["user_id"])
