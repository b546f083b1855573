"""The web server's process: granian, one worker with four threads, on one port.

Of the servers tried it stores the most webhook events a second, and answers soonest beside a slow
report (bench/README.md).
"""

from __future__ import annotations

import socket
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from lineadmin.config import load_config
from lineadmin.errors import ConfigError
from lineadmin.family import end_with_supervisor

THREADS = 4  # more make the webhook's answers later: SQLite has one writer
GRACE_SECONDS = 8


def main() -> int:
    """Serve until told to stop; requests underway are finished."""
    end_with_supervisor()
    try:
        config = load_config()
    except ConfigError as error:
        print(f"lineadmin: {error}", file=sys.stderr)
        return 1
    # On a dyno for all the world, else for us alone.
    address = "0.0.0.0" if config.dyno else "127.0.0.1"  # noqa: S104
    try:
        _claim(address, config.port)
    except OSError as error:
        print(f"lineadmin: port {config.port}: {error.strerror}", file=sys.stderr)
        return 1
    Granian(
        "app:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=config.port,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=GRACE_SECONDS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()
    return 0


def _claim(address: str, port: int) -> None:
    """See that nobody listens there: granian would share the port with another granian.

    :raises OSError: somebody does, or we may not
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


if __name__ == "__main__":
    sys.exit(main())
