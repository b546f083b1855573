"""One tick: everything that is due, in the order in which it flows through the house."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin import config as configuration
from lineadmin.friends import profile
from lineadmin.inbox import run as inbox
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import counts as outbox_counts
from lineadmin.outbox.sender import Sender
from lineadmin.tasks import chores, programs
from lineadmin.tasks.sending import Rooms, preparer

MOST_PASSES = 10  # what one part starts, the next finds; a chain longer than this is a mistake

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    """What one tick did. `failed` names the parts that ended in an error, which is in the log."""

    inbox: int = 0
    triggers: int = 0
    moves: int = 0
    steps: int = 0
    broadcasts: int = 0
    reminders: int = 0
    tags: int = 0
    topics: int = 0
    points: int = 0
    places: int = 0
    outbox: outbox_counts.Counts = field(default_factory=outbox_counts.Counts)
    failed: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The one line `flask tick` prints."""
        sent = self.outbox
        parts = [
            f"inbox {self.inbox}",
            f"triggers {self.triggers}",
            *([f"moves {self.moves}"] if self.moves else []),
            f"steps {self.steps}",
            f"broadcasts {self.broadcasts}",
            *([f"reminders {self.reminders}"] if self.reminders else []),
            *([f"tags {self.tags}"] if self.tags else []),
            *([f"topics {self.topics}"] if self.topics else []),
            *([f"points {self.points}"] if self.points else []),
            *([f"places {self.places}"] if self.places else []),
            f"sent {sent.sent}",
            f"skipped {sent.skipped}",
            f"failed {sent.failed}",
            f"unknown {sent.unknown}",
            f"queued {sent.queued}",
            f"waiting {sent.waiting}",
        ]
        if self.failed:
            parts.append(f"errors in {' '.join(self.failed)}")
        return " ".join(parts)

    @property
    def moved(self) -> int:
        """How much happened."""
        planned = self.moves + self.steps + self.broadcasts + self.reminders
        kept = self.tags + self.topics + self.points + self.places
        return self.inbox + kept + self.triggers + planned + self.outbox.done


def tick(now: datetime, wall: datetime, *, gateway: Gateway | None = None) -> Counts:
    """Do everything that is due at shop time `now`. A part that fails does not stop the others.

    Waits for what is on its way to LINE; leaves alone what is in backoff or leased elsewhere.
    """
    config = configuration.current()
    own = gateway is None
    gateway = gateway or Gateway(config)
    sender = Sender(
        gateway,
        preparer(config, lambda: now),
        Rooms(),
        now=lambda: now,
        wall=lambda: wall,
        place="tick",
    )
    counts = Counts()
    try:
        for _pass in range(MOST_PASSES):
            before = counts.moved
            counts.inbox += _fenced(
                counts,
                "inbox",
                lambda: inbox.dispatch_due(gateway, now, wall, public_url=config.public_url),
            )
            counts.broadcasts += _fenced(
                counts, "audiences", lambda: chores.ask_line(gateway, now, wall)
            )
            _advance(counts, now, wall)
            _fenced(counts, "outbox", lambda: _send(sender, counts, now, wall))
            if counts.moved == before:
                break
        _fenced(counts, "profiles", lambda: profile.fetch_due(gateway, wall=wall))
    finally:
        sender.finish()
        if own:
            gateway.close()
    return counts


def _advance(counts: Counts, now: datetime, wall: datetime) -> None:
    advanced = programs.advance(now, wall)
    for name, done in advanced.done.items():
        setattr(counts, name, getattr(counts, name) + done)
    counts.failed += [name for name in advanced.errors if name not in counts.failed]


def _send(sender: Sender, counts: Counts, now: datetime, wall: datetime) -> int:
    done = sender.run_once(now, wall)
    counts.outbox.add(
        packed=done.packed,
        sent=done.sent,
        failed=done.failed,
        unknown=done.unknown,
        skipped=done.skipped,
    )
    counts.outbox.queued, counts.outbox.waiting = done.queued, done.waiting
    return done.done


def _fenced(counts: Counts, name: str, part: Callable[[], Any]) -> int:
    try:
        return int(part() or 0)
    except Exception:
        logger.exception("the %s part of a tick failed", name)
        if name not in counts.failed:
            counts.failed.append(name)
        return 0
