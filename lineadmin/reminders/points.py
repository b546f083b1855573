"""Before points end: one message for each friend and day on which some of hers do.

Members are taken in the order in which their points end. Planning twice changes nothing, since a
friend has one delivery of each end; the mark only saves looking at them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from peewee import Tuple

from lineadmin import settings
from lineadmin.db import atomic, from_ms, to_ms
from lineadmin.members.models import Member, PointLot
from lineadmin.members.setup import KEY as SETUP
from lineadmin.members.setup import MemberSetup, setup, usual_words
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content, reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import CHUNK, Cap, PlanRow, plan_rows
from lineadmin.reminders.advance import PRIORITY, run_of
from lineadmin.reminders.timing import DAYS, Lead, due_at, latest_end
from lineadmin.settings.shop import parse_clock

MARK, PAUSE = "points.reminded", "points.reminder_waits"
ONLY = 1  # there is one reminder of points; deliveries name it so


def advance(now: datetime, wall: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Plan every reminder that is due; how many members were looked at."""
    looked_at = 0
    while not stopping():
        done = advance_chunk(now, wall)
        looked_at += done
        if not done:
            break
    return looked_at


def advance_chunk(now: datetime, wall: datetime, *, limit: int = CHUNK) -> int:
    """Plan for the next members in one transaction; how many were looked at."""
    decided = setup()
    lead = _lead(decided)
    if lead is None:
        return 0
    with atomic():
        shop = settings.shop()
        found = _next(now, lead, limit)
        if not found:
            return 0
        plan_rows(_rows(found, decided, lead, now), now=now, cap=Cap.of(shop))
        ends, member_id, _friend = found[-1]
        settings.mark(MARK, [to_ms(ends), member_id], wall=wall)
    return len(found)


def is_due(now: datetime) -> bool:
    """Whether any reminder is due; one look at an index."""
    lead = _lead(setup())
    return lead is not None and bool(_next(now, lead, 1))


def next_moment(now: datetime) -> datetime | None:
    """When the next reminder is due; None where no points wait for one."""
    lead = _lead(setup())
    if lead is None:
        return None
    first = _unreminded(now).limit(1).first()
    if first is None:
        return None
    due = due_at(first.expires_at, lead, settings.shop_zone())
    return due if due > now else None


def may_send(ids: set[int], now: datetime) -> set[int]:
    """They may leave while the shop has members and reminds of points, and LINE takes them."""
    return set() if is_refused() or _lead(setup()) is None else ids


def is_refused() -> bool:
    """Whether LINE refuses what they say; whoever saves the settings of members lets them go on."""
    return bool(settings.get(PAUSE) == _pause(reasons.REFUSED))


def left_out(friends: Mapping[int, int], now: datetime) -> Mapping[int, str]:
    """Friends who have spent what they were to be reminded of, by the run of their delivery."""
    hers = (
        PointLot.select(Member.friend, PointLot.expires_at)
        .join(Member)
        .where(PointLot.left > 0, PointLot.expires_at > now, one_of(Member.friend, friends))
    )
    still = {(friend_id, run_of(_moment(ends))) for friend_id, ends in rows(hers)}
    return {
        friend_id: reasons.POINTS_SPENT
        for friend_id, run in friends.items()
        if (friend_id, run) not in still
    }


def waits(reason: str, *, wall: datetime) -> None:
    """The sender can't go on with them."""
    pause = _pause(reason)
    if settings.get(PAUSE) != pause:
        settings.mark(PAUSE, pause, wall=wall)


def goes_on() -> None:
    """They are being packed again."""
    if settings.get(PAUSE) == _pause(reasons.QUOTA):
        settings.clear(PAUSE)


def _pause(reason: str) -> list[Any]:
    """Why they can't go on, and with which settings that was."""
    return [reason, settings.version_of(SETUP)]


def _lead(decided: MemberSetup) -> Lead | None:
    at = parse_clock(decided.remind_at)
    if not decided.enabled or decided.remind_days is None or at is None:
        return None
    return Lead(DAYS, decided.remind_days, at)


def _next(now: datetime, lead: Lead, limit: int) -> list[tuple[datetime, int, int | None]]:
    """(end, member, friend) whose reminder is due, each once, the soonest end first."""
    last = latest_end(now, lead, settings.shop_zone())
    query = _unreminded(now).where(PointLot.expires_at <= last).limit(limit)
    return [(_moment(ends), member_id, friend_id) for ends, member_id, friend_id in rows(query)]


def _unreminded(now: datetime) -> Any:
    # What ended while nobody was reminded is over.
    ends_ms, member_id = max((to_ms(now), 0), tuple(settings.get(MARK, (0, 0))))
    return (
        PointLot.select(PointLot.expires_at, PointLot.member, Member.friend)
        .join(Member)
        .where(
            PointLot.left > 0,
            Tuple(PointLot.expires_at, PointLot.member) > Tuple(ends_ms, member_id),
        )
        .group_by(PointLot.expires_at, PointLot.member, Member.friend)
        .order_by(PointLot.expires_at, PointLot.member)
    )


def _rows(
    found: Sequence[tuple[datetime, int, int | None]],
    decided: MemberSetup,
    lead: Lead,
    now: datetime,
) -> list[PlanRow]:
    parts = [{"text": decided.remind_words or usual_words()}, {"my_page": "points"}]
    message = content.store(parts, personal=True, summary=summarise(parse_parts(parts)), now=now)
    zone = settings.shop_zone()
    return [
        PlanRow(
            friend_id=friend_id,
            origin=Origin(OriginKind.POINTS, ONLY, run_of(ends)),
            content_id=message.id,
            due_at=due_at(ends, lead, zone),
            expires_at=ends,
            priority=PRIORITY,
            skip_reason="",
        )
        for ends, _member_id, friend_id in found
        if friend_id is not None
    ]


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else from_ms(int(value))
