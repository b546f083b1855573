"""The world's own SQLite file: a journal of JSON records, written behind the answers.

The world lives in memory; this only lets it survive a restart of the simulator.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.02  # several changes in one transaction
SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""

Value = Callable[[], Any]


class Store:
    """Records by (kind, key). ``put`` returns at once; a thread writes a moment later."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()  # guards _dirty, held for moments
        self._writing = threading.Lock()  # one writer; values must not take other locks
        self._dirty: dict[tuple[str, str], Value | None] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.durable = path != ":memory:"
        if self.durable:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with self._connect() as connection:
                connection.execute(SCHEMA)
            connection.close()

    def start(self) -> None:
        """Begin writing behind."""
        if self.durable and self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is left and stop."""
        if self._thread is not None:
            self._stop.set()
            self._wake.set()
            self._thread.join()
            self._thread = None

    def put(self, kind: str, key: str, value: Value) -> None:
        """Store what ``value()`` returns at the time of writing."""
        if self.durable:
            with self._lock:
                self._dirty[kind, key] = value
            self._wake.set()

    def delete(self, kind: str, key: str) -> None:
        """Forget a record."""
        if self.durable:
            with self._lock:
                self._dirty[kind, key] = None
            self._wake.set()

    def clear(self) -> None:
        """Forget everything."""
        if not self.durable:
            return
        with self._writing:
            with self._lock:
                self._dirty.clear()
            connection = self._connect()
            with connection:
                connection.execute("DELETE FROM record")
            connection.close()

    def load(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Every stored record of a kind, by key."""
        if not self.durable:
            return
        connection = self._connect()
        rows = connection.execute(
            "SELECT key, value FROM record WHERE kind = ? ORDER BY key", (kind,)
        ).fetchall()
        connection.close()
        for key, value in rows:
            yield key, json.loads(value)

    def flush(self) -> None:
        """Write everything that is waiting."""
        with self._writing:
            with self._lock:
                dirty, self._dirty = self._dirty, {}
            if not dirty:
                return
            gone = [names for names, value in dirty.items() if value is None]
            kept = [
                (*names, json.dumps(value(), ensure_ascii=False))
                for names, value in dirty.items()
                if value is not None
            ]
            connection = self._connect()
            with connection:
                connection.executemany("DELETE FROM record WHERE kind = ? AND key = ?", gone)
                connection.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
            connection.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(GATHER_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except sqlite3.Error:
                logger.exception("the simulator could not write %s", self._path)
        self.flush()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        return connection
