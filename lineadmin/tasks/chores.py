"""Small recurring work that no friend waits for. Each is harmless to skip, repeat or run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lineadmin.db import atomic, insert_ignore
from lineadmin.settings.models import Setting
from lineadmin.staff import throttle

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """`run(now, wall)` is due again `every` so often; Huey's timetable usually gets there first."""

    name: str
    every: timedelta
    run: Callable[[datetime, datetime], object]


def _forget_sign_in_tries(_now: datetime, wall: datetime) -> None:
    throttle.forget_old(wall=wall)


CHORES: tuple[Chore, ...] = (Chore("sessions", timedelta(hours=6), _forget_sign_in_tries),)
NAMES = tuple(chore.name for chore in CHORES)


def run_due(now: datetime, wall: datetime) -> int:
    """Do every chore whose time has come; answers how many."""
    last = _last_runs()
    done = 0
    for chore in CHORES:
        before = last.get(chore.name)
        if (before is None or wall - before >= chore.every) and _claim(chore.name, before, wall):
            _run(chore, now, wall)
            done += 1
    return done


def run(name: str, now: datetime, wall: datetime) -> bool:
    """Do one chore by name, unless another worker did it within half its period."""
    chore = next(chore for chore in CHORES if chore.name == name)
    before = _last_runs().get(name)
    if before is not None and wall - before < chore.every / 2:
        return False
    if not _claim(name, before, wall):
        return False
    _run(chore, now, wall)
    return True


def _run(chore: Chore, now: datetime, wall: datetime) -> None:
    try:
        chore.run(now, wall)
    except Exception:
        logger.exception("chore %s failed; it comes round again", chore.name)


def _last_runs() -> dict[str, datetime]:
    rows = Setting.select(Setting.key, Setting.changed_at).where(
        Setting.key.in_([_key(name) for name in NAMES])
    )
    return {row.key.removeprefix("chore."): row.changed_at for row in rows}


def _claim(name: str, before: datetime | None, wall: datetime) -> bool:
    """Whoever moves the mark from `before` does the chore."""
    with atomic():
        if before is None:
            return bool(insert_ignore(Setting.insert(key=_key(name), value=None, changed_at=wall)))
        return bool(
            Setting.update(changed_at=wall)
            .where(Setting.key == _key(name), Setting.changed_at == before)
            .execute()
        )


def _key(name: str) -> str:
    return f"chore.{name}"
