"""The doorbell: a door that has just committed work tells the worker, at next to no cost.

On the worker's own machine it is one datagram to a Unix socket (a few microseconds). Where nobody
answers there, a worker on another machine is woken through Huey, at most every 50 ms and never
within the request. A lost ring costs at most a second: the worker also looks by itself.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import select
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lineadmin import config as configuration
from lineadmin.config import Config

LONGEST_SOCKET_PATH = 100  # bytes; the kernels' limits are 104 and 108
FAR_RING_SECONDS = 0.05
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0  # while Huey cannot be reached

logger = logging.getLogger(__name__)


def ring() -> None:
    """Tell the worker that something is due. Call it after the commit; it never fails."""
    try:
        config = configuration.current()
        if not _ring_here(socket_path(config)):
            _far.ring(config)
    except Exception:
        logger.debug("the doorbell did not ring", exc_info=True)


def socket_path(config: Config) -> str:
    """Where this machine's worker listens."""
    path = str((config.var_dir / "doorbell").absolute())
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"lineadmin-{digest}")


_ringer: socket.socket | None = None


def _ring_here(path: str) -> bool:
    """True when a worker on this machine was told, or still has unheard rings waiting."""
    global _ringer
    if _ringer is None:
        if not hasattr(socket, "AF_UNIX"):
            return False
        _ringer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        _ringer.setblocking(False)
        atexit.register(_ringer.close)
    try:
        _ringer.sendto(b"1", path)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


class _FarBell:
    """Wakes workers on other machines through Huey's queue, from a thread of its own."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._config: Config | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ring(self, config: Config) -> None:
        if config.redis_url is None and config.database_url.startswith("sqlite"):
            return  # a worker that shares a SQLite file is on this machine
        self._config = config
        self._wanted.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="far-bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        from lineadmin.tasks import timetable

        wake: Callable[[], object] | None = None
        made_for: Config | None = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                config = self._config
                if config is not None and (wake is None or made_for is not config):
                    wake, made_for = timetable.far_wake(config), config
                if wake is not None:
                    wake()
                pause = FIRST_PAUSE_SECONDS
            except Exception:
                # Its server may have been restarted: ring again, over a connection of its own.
                wake = None
                self._wanted.set()
                logger.warning("the worker could not be woken through Huey", exc_info=True)
                time.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
            time.sleep(FAR_RING_SECONDS)


_far = _FarBell()


class Listener:
    """The worker's end: calls `heard` for every burst of rings."""

    def __init__(self, config: Config, heard: Callable[[], None]) -> None:
        self._path = socket_path(config)
        self._heard = heard
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Take the address, from a dead predecessor too, and listen in a thread."""
        if not hasattr(socket, "AF_UNIX"):
            return
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.bind(self._path)
        os.chmod(self._path, 0o600)
        opened.setblocking(False)
        self._socket = opened
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name="doorbell", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening. The address stays: by now it may be a successor's."""
        self._stopping = True
        if self._thread is not None:
            self._thread.join(timeout=2)
        if self._socket is not None:
            self._socket.close()

    def _run(self, opened: socket.socket) -> None:
        while not self._stopping:
            readable, _, _ = select.select([opened], [], [], 0.5)
            if not readable:
                continue
            with contextlib.suppress(BlockingIOError):
                while opened.recv(16):
                    pass
            self._heard()
