"""The pretend LINE in a process of its own, so that what is measured does not wait for it.

`python -m bench.line PORT SECRET TOKEN WEBHOOK_URL` serves until it is killed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lineadmin.simulator.client import SimulatorClient
from lineadmin.simulator.server import Simulator

SECRET = "channel-secret-of-the-bench"
TOKEN = "channel-token-of-the-bench"
START_SECONDS = 120


@contextmanager
def running(port: int, webhook_url: str) -> Iterator[SimulatorClient]:
    """Start it, and end it with the block; the client steers it and reads every inbox."""
    command = [sys.executable, "-m", "bench.line", str(port), SECRET, TOKEN, webhook_url]
    process = subprocess.Popen(command)
    client = SimulatorClient(f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                client.state()
                break
            except Exception:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the pretend LINE did not start") from None
                time.sleep(0.1)
        yield client
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until killed."""
    port, secret, token, webhook_url = sys.argv[1:5]
    Simulator(int(port), webhook_url=webhook_url, channel_secret=secret, access_token=token).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
