"""Many threads, each with a connection of its own, that all begin at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from lineadmin import db as database
from lineadmin.errors import DomainError


def all_at_once(tries: Sequence[Callable[[], object]]) -> int:
    """How many of them were not refused."""
    worked: list[bool] = []
    start = threading.Barrier(len(tries))

    def run(attempt: Callable[[], object]) -> None:
        database.ensure_connection()
        start.wait()
        try:
            attempt()
            worked.append(True)
        except DomainError:
            worked.append(False)
        finally:
            database.db.close()

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worked) == len(tries), "an attempt ended in an error"
    return sum(worked)
