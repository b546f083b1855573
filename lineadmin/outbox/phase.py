"""What this process is doing right now, as one byte in a file, for the crash test.

The crash test kills the worker at random moments and has to know what each kill hit. Without the
environment variable this costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "LINEADMIN_PHASE_FILE"
IDLE, PLAN, PACK, CLAIM, RECORD = b".", b"p", b"k", b"c", b"r"

_path = os.environ.get(VARIABLE)
_file = os.open(_path, os.O_WRONLY | os.O_CREAT, 0o600) if _path else None


@contextmanager
def at(mark: bytes) -> Iterator[None]:
    """Show `mark` within the block."""
    if _file is None:
        yield
        return
    before = _now[0]
    _show(mark)
    try:
        yield
    finally:
        _show(before)


_now = [IDLE]


def _show(mark: bytes) -> None:
    _now[0] = mark
    if _file is not None:
        os.pwrite(_file, mark, 0)
