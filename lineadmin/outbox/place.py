"""One worker per place: whoever holds a place's lock knows that its predecessors there are dead."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Place:
    """A lock the kernel lets go of the moment its holder dies, kill -9 included."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Hold the place from now on; False while another living process holds it."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def leave(self) -> None:
        """Let somebody else have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
