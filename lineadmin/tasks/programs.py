"""Everything that plans messages or keeps tags as time passes, in the order it flows.

The worker, a single tick and the demo's clock all go by this one table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lineadmin.branches import places
from lineadmin.broadcasts import run as broadcasts
from lineadmin.members import points
from lineadmin.reminders import advance as reminders
from lineadmin.reminders import points as point_reminders
from lineadmin.segments import tag_jobs, tag_keeping
from lineadmin.sequences import advance as steps
from lineadmin.sequences import by_hand, dates, moves, triggers
from lineadmin.topics import consent

Stopping = Callable[[], bool]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Program:
    """One kind of work. `name` is what a tick counts it under.

    `advance(now, wall, stopping, most)` does what is due and answers how much; `most` ends a walk
    through everybody earlier, to go on at the next call. `next_moment(now)` is when, after `now`,
    something was planned to happen, as far as that is known.
    """

    name: str
    advance: Callable[[datetime, datetime, Stopping, int | None], int]
    is_due: Callable[[datetime], bool]
    next_moment: Callable[[datetime], datetime | None] = lambda now: None


PROGRAMS: tuple[Program, ...] = (
    Program(
        "topics",
        lambda now, _wall, stopping, most: consent.expire(now, stopping, most=most),
        lambda now: consent.is_due(now),
        lambda now: consent.next_moment(now),
    ),
    Program(
        "points",
        lambda now, _wall, stopping, _most: points.expire(now, stopping),
        lambda now: points.is_due(now),
        lambda now: points.next_moment(now),
    ),
    Program(
        "places",
        lambda now, _wall, stopping, _most: places.keep_up(now, stopping),
        lambda now: places.is_due(now),
    ),
    Program(
        "tags",
        lambda now, _wall, stopping, most: tag_jobs.advance(now, stopping, most=most),
        lambda now: tag_jobs.is_due(),
    ),
    Program(
        "tags",
        lambda now, _wall, stopping, most: tag_keeping.advance(now, stopping, most=most),
        lambda now: tag_keeping.is_due(now),
    ),
    Program(
        "triggers",
        lambda now, wall, stopping, most: triggers.advance(now, wall, stopping, most=most),
        lambda now: triggers.is_due() or dates.is_due(now) or by_hand.is_due(),
        lambda now: dates.next_look(now),
    ),
    Program(
        "moves",
        lambda now, _wall, stopping, most: moves.advance(now, stopping, most=most),
        lambda now: moves.is_due(),
    ),
    Program(
        "steps",
        lambda now, wall, stopping, _most: steps.advance(now, wall, stopping),
        lambda now: steps.is_due(now),
        lambda now: steps.next_moment(now),
    ),
    Program(
        "broadcasts",
        lambda now, wall, stopping, _most: broadcasts.advance(now, wall, stopping),
        lambda now: broadcasts.is_due(now),
        lambda now: broadcasts.next_moment(now),
    ),
    Program(
        "reminders",
        lambda now, wall, stopping, _most: reminders.advance(now, wall, stopping),
        lambda now: reminders.is_due(now),
        lambda now: reminders.next_moment(now),
    ),
    Program(
        "reminders",
        lambda now, wall, stopping, _most: point_reminders.advance(now, wall, stopping),
        lambda now: point_reminders.is_due(now),
        lambda now: point_reminders.next_moment(now),
    ),
)


@dataclass
class Advanced:
    """How much each did, by name, and what went wrong."""

    done: dict[str, int] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How much happened."""
        return sum(self.done.values())


def advance(
    now: datetime,
    wall: datetime,
    stopping: Stopping = lambda: False,
    *,
    most: int | None = None,
) -> Advanced:
    """Do everything that is due. One that fails is logged and does not stop the others."""
    advanced = Advanced()
    for program in PROGRAMS:
        try:
            done = program.advance(now, wall, stopping, most)
            advanced.done[program.name] = advanced.done.get(program.name, 0) + done
        except Exception as error:
            logger.exception("the %s part of a tick failed", program.name)
            advanced.errors[program.name] = error
    return advanced


def are_due(now: datetime) -> bool:
    """Whether any has something to do."""
    return any(program.is_due(now) for program in PROGRAMS)


def next_moment(now: datetime) -> datetime | None:
    """The earliest shop time after `now` at which something was planned to happen."""
    moments = (program.next_moment(now) for program in PROGRAMS)
    return min((moment for moment in moments if moment is not None), default=None)
