"""One dyno, several processes: web server, worker and, in simulator mode, the pretend LINE.

Run as `python -m lineadmin.cli.supervisor`; `flask serve` turns into it. It stays small on purpose:
it imports no web framework and no database.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType

from lineadmin.cli.processes import command_of
from lineadmin.config import Config, load_config
from lineadmin.errors import ConfigError
from lineadmin.family import PARENT

GRACE_SECONDS = 9.5  # of the ten a platform may give us
POLL_SECONDS = 0.1
READY_SECONDS = 20.0


@dataclass
class Child:
    """One process of ours, the leader of a session of its own so that Ctrl-C reaches only us."""

    role: str
    process: subprocess.Popen[bytes]


class Supervisor:
    """Starts the children, forwards the first signal once, and ends with the first child's end."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._signal: int | None = None
        self._children: list[Child] = []

    def run(self) -> int:
        """Serve until a signal or a child's end; answers the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._remember)
        for role in self._roles():
            self._start(role)
        code = self._watch()
        self._stop_all()
        # Platforms signal again and again: Python's own end, which drops our handlers, is no time
        # to die of it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        return code

    def _roles(self) -> tuple[str, ...]:
        # The pretend LINE first: the worker asks it for the quota as soon as it stands.
        return ("simulator", "worker", "web") if self._config.simulator else ("worker", "web")

    def _start(self, role: str) -> None:
        environment = {**os.environ, PARENT: str(os.getpid())}
        environment.pop("FLASK_RUN_FROM_CLI", None)
        # Each thread would else get a heap of its own, which a small dyno cannot spare.
        environment.setdefault("MALLOC_ARENA_MAX", "2")
        process = subprocess.Popen(  # noqa: S603
            command_of(role), env=environment, start_new_session=True
        )
        self._children.append(Child(role, process))

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is None:
            self._signal = number

    def _watch(self) -> int:
        announced = False
        patience = time.monotonic() + READY_SECONDS
        while self._signal is None:
            for child in self._children:
                code = child.process.poll()
                if code is not None:
                    _say(f"{child.role} ended ({_how(code)}); stopping everything")
                    return code if code > 0 else 1
            if not announced and self._is_ready(web_is_enough=time.monotonic() > patience):
                announced = True
                self._announce()
            time.sleep(POLL_SECONDS)
        return 0

    def _is_ready(self, *, web_is_enough: bool) -> bool:
        """Whether the panel answers and the worker was heard of."""
        try:
            with socket.create_connection(("127.0.0.1", self._config.port), timeout=1) as probe:
                probe.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                answer = b""
                while piece := probe.recv(4096):
                    answer += piece
        except OSError:
            return False
        return web_is_enough or (b" 200 " in answer and b'seconds_ago":null' not in answer)

    def _announce(self) -> None:
        lines = [f"lineadmin: {self._config.panel_url}"]
        if self._config.simulator:
            lines.append(f"  simulator: {self._config.panel_url}/simulator/")
            lines.append(f"  sign in as {self._config.owner_email}")
            lines.append(f"  password   {self._config.owner_password}")
        print("\n".join(lines), flush=True)

    def _stop_all(self) -> None:
        """Web and worker first; the pretend LINE stays until the worker has said its last word."""
        deadline = time.monotonic() + GRACE_SECONDS
        servants = [child for child in self._children if child.role == "simulator"]
        others = [child for child in self._children if child.role != "simulator"]
        for group in (others, servants):
            for child in group:
                if child.process.poll() is None:
                    child.process.terminate()
            for child in group:
                self._wait(child, deadline)

    def _wait(self, child: Child, deadline: float) -> None:
        try:
            child.process.wait(max(0.2, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _say(f"{child.role} did not stop in time and was ended")
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


def _how(code: int) -> str:
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _say(words: str) -> None:
    print(f"lineadmin: {words}", file=sys.stderr, flush=True)


def main() -> int:
    """What `python -m lineadmin.cli.supervisor` does."""
    try:
        config = load_config()
    except ConfigError as error:
        _say(str(error))
        return 1
    return Supervisor(config).run()


if __name__ == "__main__":
    sys.exit(main())
