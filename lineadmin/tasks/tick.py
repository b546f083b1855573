"""One tick: everything that is due, once, in the order in which it flows through the house."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

from lineadmin.tasks import chores

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    """What one tick did; `failed` names the parts that ended in an error, which is in the log."""

    inbox: int = 0
    triggers: int = 0
    steps: int = 0
    broadcasts: int = 0
    sent: int = 0
    waiting: int = 0
    chores: int = 0
    failed: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The one line `flask tick` prints."""
        parts = [
            f"inbox {self.inbox}",
            f"triggers {self.triggers}",
            f"steps {self.steps}",
            f"broadcasts {self.broadcasts}",
            f"sent {self.sent}",
            f"waiting {self.waiting}",
        ]
        if self.failed:
            parts.append(f"failed {' '.join(self.failed)}")
        return ", ".join(parts)


def tick(now: datetime, wall: datetime) -> Counts:
    """Do everything that is due at shop time `now`. A part that fails does not stop the others."""
    counts = Counts()
    counts.inbox = fenced(counts, "inbox", lambda: dispatch_inbox(now, wall))
    counts.chores = fenced(counts, "chores", lambda: chores.run_due(now, wall))
    return counts


def fenced(counts: Counts, name: str, part: Callable[[], Any]) -> int:
    """The number `part` answers; 0 and a line in the log where it fails."""
    try:
        return int(part() or 0)
    except Exception:
        logger.exception("the %s part of a tick failed", name)
        counts.failed.append(name)
        return 0


def dispatch_inbox(now: datetime, wall: datetime) -> int:
    run = room("lineadmin.inbox.run", "dispatch_due")
    return 0 if run is None else run(now, wall)


def room(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError:
        return None
