"""Friends whom staff start or stop by hand: one from her page, or everybody of a segment.

A segment is started in chunks by a cursor of its own, so that a worker that dies goes on where it
was, and nobody starts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, fn

from lineadmin import segments, settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, _l
from lineadmin.outbox import reasons
from lineadmin.outbox.cancel import cancel_for_friends
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import OriginKind
from lineadmin.sequences import calendar, enrolments, starts
from lineadmin.sequences.definition import MANUAL
from lineadmin.sequences.models import Enlistment, Enrolment, Sequence
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 5_000
RUNNING, DONE, STOPPED = "running", "done", "stopped"


def start_friend(
    sequence_id: int, friend: Friend, *, staff: Staff | None, now: datetime, wall: datetime
) -> None:
    """Put one friend underway as of today, wherever she came from.

    :raises DomainError: the sequence is not at work, or she cannot start it (again)
    """
    live = _live(sequence_id, now)
    if friend.status == BLOCKED:
        raise DomainError(_l("She has blocked the account."))
    zone = settings.shop_zone()
    with atomic():
        last = starts.latest_runs(sequence_id, [friend.id]).get(friend.id)
        if last is not None and last.state in (enrolments.ACTIVE, enrolments.HELD):
            raise DomainError(_l("She is underway in it already."))
        if last is not None and live.definition.trigger.kind != MANUAL:
            raise DomainError(_l("She has been through it already; each friend starts it once."))
        put_underway(live, friend, last, zone=zone, now=now)
        name, after = live.row.name, {"friend": friend.display_name}
        audit.record(staff, "sequence.start", "sequence", sequence_id, name, None, after, wall=wall)


def put_underway(
    live: starts.Live, friend: Friend, last: Enrolment | None, *, zone: ZoneInfo, now: datetime
) -> None:
    """Start her as of today; `last` is the run behind her, if there is one."""
    starts.enrol(
        live,
        calendar.local_day(now, zone),
        {friend.id: now},
        condition=starts.not_blocked(),
        zone=zone,
        now=now,
        run=1 if last is None else last.run + 1,
        told={"by": "staff"},
    )


def stop_friend(
    sequence_id: int, friend: Friend, *, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    """Let one friend leave a sequence; what is planned for her and has not left is taken back.

    False where she was not underway.
    """
    with atomic():
        runs = Enrolment.select(Enrolment.id).where(
            Enrolment.sequence == sequence_id,
            Enrolment.friend_id == friend.id,
            Enrolment.state.in_((enrolments.ACTIVE, enrolments.HELD)),
        )
        ids = [row.id for row in runs]
        if not enrolments.end_many(ids, reason=enrolments.BY_STAFF, now=now):
            return False
        cancel_for_friends(OriginKind.STEP, sequence_id, [friend.id], reason=reasons.LEFT, now=now)
        name, after = Sequence.get_by_id(sequence_id).name, {"friend": friend.display_name}
        audit.record(staff, "sequence.stop", "sequence", sequence_id, name, None, after, wall=wall)
    return True


def count_for(sequence_id: int, tree: dict[str, Any], *, now: datetime) -> int:
    """How many friends a segment would start, exactly."""
    return segments.count(_whom(sequence_id, tree, now, per_friend=False), cap=None)


def enlist(
    sequence_id: int,
    tree: dict[str, Any],
    name: str,
    *,
    expected: int,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> Enlistment:
    """Start everybody the condition fits, as of today; the worker does it in chunks.

    :raises DomainError: the sequence is not at work, or such a start is still going on
    """
    live = _live(sequence_id, now)
    segments.check_names(segments.parse(tree))
    with atomic():
        running = Enlistment.sequence == sequence_id, Enlistment.state == RUNNING
        if Enlistment.select(SQL("1")).where(*running).exists():
            raise DomainError(_l("A segment is being started at this moment. Wait for its end."))
        made: Enlistment = Enlistment.create(
            sequence=sequence_id,
            name=name,
            where=tree,
            day=calendar.local_day(now, settings.shop_zone()),
            expected=expected,
            created_at=now,
            created_by=None if staff is None else staff.id,
        )
        after = {"segment": name, "count": expected}
        audit.record(
            staff, "sequence.start", "sequence", sequence_id, live.row.name, None, after, wall=wall
        )
    return made


def stop_enlistment(
    enlistment_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    """Start nobody more of a segment; who has started stays. False where it was over."""
    with atomic():
        changed = (
            Enlistment.update(state=STOPPED, done_at=now)
            .where(Enlistment.id == enlistment_id, Enlistment.state == RUNNING)
            .execute()
        )
        if changed:
            row = Enlistment.get_by_id(enlistment_id)
            after = {"segment": row.name, "count": row.started}
            audit.record(
                staff,
                "sequence.stop",
                "sequence",
                row.sequence_id,
                row.sequence.name,
                None,
                after,
                wall=wall,
            )
    return bool(changed)


def is_due() -> bool:
    """Whether staff are starting friends of a segment."""
    return Enlistment.select(SQL("1")).where(_running()).exists()


def advance(
    now: datetime, stopping: Callable[[], bool] = lambda: False, *, most: int | None = None
) -> int:
    """Start the friends of every segment that staff are starting; how many portions there were.

    :param most: so many portions at a time; the rest go on the next call
    """
    done = 0
    for row in Enlistment.select(Enlistment.id).where(_running()).order_by(Enlistment.id):
        while not stopping() and (most is None or done < most):
            if advance_chunk(row.id, now) is None:
                break
            done += 1
    return done


def advance_chunk(enlistment_id: int, now: datetime, limit: int = CHUNK) -> int | None:
    """Start the next friends, in one transaction; None when there are none left."""
    with atomic():
        row = Enlistment.get_by_id(enlistment_id)
        found = starts.live_sequences(row.sequence_id)
        if row.state != RUNNING or not found:
            # Switched off meanwhile: it waits.
            return None
        [live] = found
        zone = settings.shop_zone()
        fits = _whom(row.sequence_id, row.where, now, per_friend=True)
        page = Friend.select(Friend.id).where(Friend.id > row.after_id).order_by(Friend.id)
        page = page.limit(limit).alias("page")
        last, count = (
            Friend.select(fn.MAX(page.c.id), fn.COUNT(page.c.id)).from_(page).scalar(as_tuple=True)
        )
        if not count:
            Enlistment.update(state=DONE, done_at=now).where(Enlistment.id == row.id).execute()
            return None
        within = (Friend.id > row.after_id) & (Friend.id <= last)
        ids = [one for (one,) in rows(Friend.select(Friend.id).where(within & fits))]
        started = starts.enrol(
            live,
            row.day,
            dict.fromkeys(ids, now),
            condition=starts.not_blocked(),
            zone=zone,
            now=now,
            told={"by": "staff"},
        )
        Enlistment.update(after_id=last, started=Enlistment.started + started).where(
            Enlistment.id == row.id
        ).execute()
        return started


def _running() -> Any:
    """Written out so that the partial index answers it."""
    return Enlistment.state == SQL("'running'")


def _live(sequence_id: int, now: datetime) -> starts.Live:
    found = starts.live_sequences(sequence_id)
    if not found:
        raise DomainError(_l("Publish it and switch it on first."))
    today = calendar.local_day(now, settings.shop_zone())
    if not starts.in_period(found[0].row, today):
        raise DomainError(_("Today is outside its period, so nobody can start."))
    return found[0]


def _whom(sequence_id: int, tree: dict[str, Any], now: datetime, *, per_friend: bool) -> Any:
    """Friends the condition fits, who are not blocked and have never been in the sequence."""
    been = Enrolment.select(SQL("1")).where(
        Enrolment.sequence == sequence_id, Enrolment.friend_id == Friend.id
    )
    zone = settings.shop_zone()
    fits = segments.where(tree, now=now, zone=zone, per_friend=per_friend)
    return fits & starts.not_blocked() & ~fn.EXISTS(been)
