"""A LINE that says exactly what a test tells it to, or hangs up."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest

from lineadmin.line.gateway import Gateway
from tests.conftest import PATIENCE
from tests.listening import listening

HANG_UP = "hang up"
SILENCE = "silence"


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PretendLine:
    """Answers are taken from `answers` in turn; the last one stays."""

    base: str = ""
    answers: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def says(self, status: int = 200, body: Any = None, **headers: str) -> PretendLine:
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, raw, {"x-line-request-id": "req-1", **named}))
        return self

    def does(self, what: str) -> PretendLine:
        self.answers.append(what)
        return self

    def config(self, **changes: Any) -> Any:
        return SimpleNamespace(
            **{
                "line_api_base": self.base,
                "line_data_api_base": self.base,
                "line_channel_access_token": "long-lived",
                "line_channel_id": None,
                "line_channel_secret": "secret-of-the-channel",
                **changes,
            }
        )


@pytest.fixture
def pretend():
    told = PretendLine()
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            told.connections += 1
            super().setup()

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.asked.append(Asked(self.command, self.path, headers, body))
            what = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            if what == HANG_UP:
                self.close_connection = True
                self.connection.close()
                return
            if what == SILENCE:
                done.wait(2 * PATIENCE)
                self.close_connection = True
                return
            status, raw, extra = what
            self.send_response(status)
            if "content-type" not in extra:
                self.send_header("Content-Type", "application/json")
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_arguments: object) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

    with listening(Handler) as told.base:
        yield told
        done.set()


@pytest.fixture
def gateway(pretend):
    made = Gateway(pretend.config(), connect=PATIENCE, read=PATIENCE)
    yield made
    made.close()
