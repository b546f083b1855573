"""Small recurring work that no friend waits for. Each is harmless to skip, repeat or run twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin import config, settings
from lineadmin.audiences import actions as audiences
from lineadmin.audiences import upload
from lineadmin.broadcasts import dormant, insight, narrow_line
from lineadmin.checkup import look as checkup
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import DomainError
from lineadmin.friends import csv_job, profile
from lineadmin.friends.followers import import_followers
from lineadmin.line.errors import LineError, sentence
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import quota
from lineadmin.purchases import csv_import  # noqa: F401  (files of purchases are imported here too)
from lineadmin.reports import effects
from lineadmin.settings.line_total import keep_friend_total
from lineadmin.settings.models import Setting
from lineadmin.staff import throttle
from lineadmin.staff.models import Staff
from lineadmin.tasks import unused_files

FOLLOWERS_WANTED = "followers.wanted"
FOLLOWERS_RESULT = "followers.result"

WEB_STARTS_SECONDS = 3.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """`run(gateway, now, wall)` is due `every` so often; Huey's timetable gets there first."""

    name: str
    every: timedelta
    run: Callable[[Gateway, datetime, datetime], object]


def _read_quota(gateway: Gateway, now: datetime, wall: datetime) -> None:
    quota.refresh(gateway, now=now, wall=wall)


def _look_at_connection(gateway: Gateway, now: datetime, wall: datetime) -> None:
    found = list(checkup.examine(config.current(), gateway, now=lambda: now, wall=wall))
    if any(finding.code == "webhook_fails" for finding in found):
        time.sleep(WEB_STARTS_SECONDS)  # the web server that starts beside us may not answer yet
        found = list(checkup.examine(config.current(), gateway, now=lambda: now, wall=wall))
    checkup.keep(found, wall=wall)


def _count_friends(gateway: Gateway, _now: datetime, wall: datetime) -> None:
    try:
        total = gateway.friend_total(wall=wall)
    except LineError as error:
        logger.info("friends were not counted: %s", error)
        return
    if total is not None:
        keep_friend_total(total.friends, total.day, wall=wall)


def _forget_sign_in_tries(_gateway: Gateway, _now: datetime, wall: datetime) -> None:
    throttle.forget_old(wall=wall)


def _look_after_broadcasts(gateway: Gateway, now: datetime, wall: datetime) -> None:
    """LINE's numbers, and the final count of blocks once their 48 hours are over."""
    for row in insight.blocks_due(now):
        insight.keep_blocks(row.id, *effects.block_counts(row))
    insight.read_due(gateway, now=now, wall=wall)


def _let_wake(_gateway: Gateway, now: datetime, _wall: datetime) -> None:
    dormant.let_go(now)


def _clear_unused(_gateway: Gateway, now: datetime, _wall: datetime) -> None:
    unused_files.throw_away(now)


def _look_at_audiences(gateway: Gateway, _now: datetime, wall: datetime) -> None:
    if audiences.needs_looks():
        try:
            audiences.refresh(gateway=gateway, wall=wall)
        except DomainError as error:
            logger.info("audiences were not looked at: %s", error)


CHORES: tuple[Chore, ...] = (
    Chore("quota", timedelta(minutes=20), _read_quota),
    Chore("connection", timedelta(hours=12), _look_at_connection),
    Chore("friends", timedelta(hours=12), _count_friends),
    Chore("broadcasts", timedelta(hours=1), _look_after_broadcasts),
    Chore("dormant", timedelta(minutes=30), _let_wake),
    Chore("audiences", timedelta(hours=1), _look_at_audiences),
    Chore("files", timedelta(hours=24), _clear_unused),
    Chore("sessions", timedelta(hours=12), _forget_sign_in_tries),
)
NAMES = tuple(chore.name for chore in CHORES)


def run_due(gateway: Gateway, now: datetime, wall: datetime) -> int:
    """Fetch what is wanted and do every chore whose time has come; answers how much it was."""
    marks = _marks()
    done = _fenced("profiles", lambda: profile.fetch_due(gateway, wall=wall))
    done += _fenced("files", lambda: csv_job.run_due(now, wall))
    done += _fenced("questions to LINE", lambda: ask_line(gateway, now, wall))
    if marks.get(FOLLOWERS_WANTED) is not None:
        done += _fenced("followers", lambda: _import_followers(gateway, now, wall))
    for chore in CHORES:
        before = marks.get(_key(chore.name))
        if (before is None or wall - before >= chore.every) and _claim(chore.name, before, wall):
            _run(chore, gateway, now, wall)
            done += 1
    return done


def _fenced(name: str, part: Callable[[], int]) -> int:
    """One that fails is logged and does not keep the others from their turn."""
    try:
        return part()
    except Exception:
        logger.exception("the %s failed; they come round again", name)
        return 0


def ask_line(gateway: Gateway, now: datetime, wall: datetime) -> int:
    """What waits for an answer of LINE's: audiences, and broadcasts it chooses the people of."""
    done = upload.advance(gateway, now, wall)
    done += narrow_line.run_due(gateway, now, wall)
    return done + narrow_line.forget_over(gateway, wall)


def run(name: str, gateway: Gateway, now: datetime, wall: datetime) -> bool:
    """Do one chore by name, unless another worker did it within a quarter of its period."""
    chore = next(chore for chore in CHORES if chore.name == name)
    before = _marks().get(_key(name))
    if before is not None and wall - before < chore.every / 4:
        return False
    if not _claim(name, before, wall):
        return False
    _run(chore, gateway, now, wall)
    return True


def want_followers(staff: Staff, *, wall: datetime) -> None:
    """Have the worker ask LINE for all friends; asking again while it is at it changes nothing."""
    settings.mark(FOLLOWERS_WANTED, {"staff": staff.id}, wall=wall)


@dataclass(frozen=True)
class FollowersState:
    """How the last import of all friends went; `seen` None: there was none."""

    running: bool = False
    allowed: bool | None = None
    seen: int | None = None
    new: int = 0
    problem: str = ""
    at: datetime | None = None


def followers_state() -> FollowersState:
    """For the screen."""
    if settings.get(FOLLOWERS_WANTED) is not None:
        return FollowersState(running=True)
    row = Setting.get_or_none(Setting.key == FOLLOWERS_RESULT)
    return FollowersState() if row is None else FollowersState(at=row.changed_at, **row.value)


def _import_followers(gateway: Gateway, now: datetime, wall: datetime) -> int:
    wanted = settings.get(FOLLOWERS_WANTED)
    if wanted is None or not settings.clear(FOLLOWERS_WANTED):
        return 0
    staff = Staff.get_or_none(Staff.id == wanted["staff"])
    result: dict[str, Any]
    try:
        done = import_followers(gateway, staff=staff, now=now, wall=wall)
        result = {"allowed": done.allowed, "seen": done.seen, "new": done.new}
    except LineError as error:
        result = {"problem": sentence(error)}
    settings.mark(FOLLOWERS_RESULT, result, wall=wall)
    return 1


def _run(chore: Chore, gateway: Gateway, now: datetime, wall: datetime) -> None:
    try:
        chore.run(gateway, now, wall)
    except Exception:
        logger.exception("chore %s failed; it comes round again", chore.name)


def _marks() -> dict[str, datetime]:
    keys = [FOLLOWERS_WANTED, *map(_key, NAMES)]
    rows = Setting.select(Setting.key, Setting.changed_at).where(Setting.key.in_(keys))
    return {row.key: row.changed_at for row in rows}


def _claim(name: str, before: datetime | None, wall: datetime) -> bool:
    """Whoever moves the mark from `before` does the chore."""
    with atomic():
        if before is None:
            fresh = Setting.insert(key=_key(name), value=True, changed_at=wall)
            return bool(insert_ignore(fresh))
        return bool(
            Setting.update(changed_at=wall)
            .where(Setting.key == _key(name), Setting.changed_at == before)
            .execute()
        )


def _key(name: str) -> str:
    return f"chore.{name}"
