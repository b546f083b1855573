"""From facts of the journal to friends underway.

Facts that may start a sequence wait until they were looked at here, once: claimed in chunks by a
conditional update, in the transaction that enrols the friends. Each friend starts a sequence once;
neither unblocking nor following again restarts it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from peewee import SQL

from lineadmin import settings
from lineadmin.coupons.models import Coupon
from lineadmin.db import atomic, is_postgres
from lineadmin.errors import DomainError
from lineadmin.friends.models import Tag
from lineadmin.journal.models import Fact
from lineadmin.sequences import buying, by_hand, calendar, dates, enrolments, leaving, starts
from lineadmin.sequences.definition import (
    COUPON_REDEEMED,
    FOLLOW,
    PURCHASE,
    SURVEY_ANSWERED,
    TAG_ADDED,
    Trigger,
)
from lineadmin.surveys.models import Survey

CHUNK = 5_000
FACT_OF = {
    FOLLOW: "followed",
    TAG_ADDED: "tag.added",
    COUPON_REDEEMED: "coupon.redeemed",
    PURCHASE: "purchase",
    SURVEY_ANSWERED: "survey.answered",
}
SOURCE_FOUND = "source.found"  # an entry code sent after joining: as good as having followed by it

logger = logging.getLogger(__name__)


class Claimed(NamedTuple):
    """One fact that is being looked at."""

    id: int
    friend_id: int
    kind: str
    object_id: int
    at: datetime


def advance(
    now: datetime,
    wall: datetime,
    stopping: Callable[[], bool] = lambda: False,
    *,
    most: int | None = None,
) -> int:
    """Look at every waiting fact, at today's dates and at whom staff start; how much there was.

    Harmless to lose, repeat or run twice. `most` ends a walk through everybody earlier.
    """
    done = leaving.advance(now, wall, stopping, most=most)
    while looked_at := handle_chunk(now):
        done += looked_at
    return done + dates.advance(now) + by_hand.advance(now, stopping, most=most)


def is_due() -> bool:
    """Whether any fact is waiting."""
    return Fact.select(SQL("1")).where(Fact.handled_at.is_null()).exists()


def handle_chunk(now: datetime, limit: int = CHUNK) -> int:
    """Enrol for the next facts, in one transaction; how many facts it were."""
    if not is_due():
        return 0
    zone = settings.shop_zone()
    with atomic():
        facts = _claim(limit, now)
        if not facts:
            return 0
        for live in starts.live_sequences():
            try:
                with atomic():
                    start(live, facts, zone, now)
                    dates.follow_changes(live, _changed(facts), zone, now)
            except DomainError:
                # A condition that no longer makes sense must not hold up the other sequences.
                logger.exception("sequence %s cannot start anybody", live.row.id)
        _end_blocked(facts, now)
    return len(facts)


def _claim(limit: int, now: datetime) -> list[Claimed]:
    waiting = Fact.select(Fact.id).where(Fact.handled_at.is_null()).order_by(Fact.id).limit(limit)
    if is_postgres():
        waiting = waiting.for_update(skip_locked=True)
    claimed = (
        Fact.update(handled_at=now)
        .where(Fact.id.in_(waiting))
        .returning(Fact.id, Fact.friend_id, Fact.kind, Fact.object_id, Fact.at)
        .tuples()
        .execute()
    )
    return sorted(Claimed(*row) for row in claimed)


def start(live: starts.Live, facts: list[Claimed], zone: ZoneInfo, now: datetime) -> None:
    """Start the friends of those facts that this sequence waits for."""
    trigger = live.definition.trigger
    about = object_id(trigger)
    if trigger.kind == PURCHASE:
        facts = buying.of_category(trigger.about, facts)
    kinds = {FACT_OF.get(trigger.kind)}
    if trigger.sources is not None:
        kinds.add(SOURCE_FOUND)
    by_day: dict[date, dict[int, datetime]] = defaultdict(dict)
    for fact in facts:
        if fact.kind not in kinds or about not in (None, fact.object_id):
            continue
        day = calendar.local_day(fact.at, zone)
        if starts.in_period(live.row, day):
            by_day[day].setdefault(fact.friend_id, fact.at)
    condition = starts.may_start(trigger)
    for day, entered_at in by_day.items():
        starts.enrol(live, day, entered_at, condition=condition, zone=zone, now=now)


def object_id(trigger: Trigger) -> int | None:
    """The tag, coupon or survey it is about, 0 where that is gone; None where it is about none."""
    if trigger.kind == TAG_ADDED:
        row: Any = Tag.get_or_none(Tag.name == trigger.about)
    elif trigger.kind == COUPON_REDEEMED:
        row = Coupon.get_or_none(Coupon.code == trigger.about)
    elif trigger.kind == SURVEY_ANSWERED:
        row = Survey.get_or_none(Survey.code == trigger.about)
    else:
        return None
    return 0 if row is None else int(row.id)


def _changed(facts: list[Claimed]) -> list[int]:
    """The friends of whom something else is known now."""
    return sorted({fact.friend_id for fact in facts if fact.kind == "attribute.set"})


def _end_blocked(facts: list[Claimed], now: datetime) -> None:
    blocked_at = {fact.friend_id: fact.at for fact in facts if fact.kind == "blocked"}
    if blocked_at:
        enrolments.end_for_blockers(blocked_at, now=now)
