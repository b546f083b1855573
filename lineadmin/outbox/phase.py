"""What this process is doing right now, one byte per kind of work in a file, for the crash test.

The crash test kills the worker at random moments and has to know what each kill hit. Without the
environment variable this costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "LINEADMIN_PHASE_FILE"
PLAN, PACK, CLAIM, RECORD = NAMES = ("plan", "pack", "claim", "record")
BUSY, IDLE = b"1", b"0"

_path = os.environ.get(VARIABLE)
_file = os.open(_path, os.O_WRONLY | os.O_CREAT, 0o600) if _path else None


@contextmanager
def at(name: str) -> Iterator[None]:
    """Show that this kind of work is going on within the block."""
    if _file is None:
        yield
        return
    place = NAMES.index(name)
    os.pwrite(_file, BUSY, place)
    try:
        yield
    finally:
        os.pwrite(_file, IDLE, place)
