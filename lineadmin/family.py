"""Children that end with their supervisor, even where it was killed without a word."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "LINEADMIN_SUPERVISOR"  # the supervisor's process id, in its children's environment
PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.5


def end_with_supervisor(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent dies; elsewhere a thread watches.

    Does nothing in a process that no supervisor started. Whatever is cut off here is repeated after
    the restart: that is the outbox's promise.
    """
    if parent is None:
        parent = int(os.environ.get(PARENT, "0") or 0)
    if not parent:
        return
    if not _ask_the_kernel():
        threading.Thread(target=_watch, args=(parent,), name="family", daemon=True).start()
    if os.getppid() != parent:  # it died before we could ask
        os.kill(os.getpid(), signal.SIGKILL)


def _ask_the_kernel() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
