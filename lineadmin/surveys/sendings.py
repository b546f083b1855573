"""Where a survey goes out from, so that its answers are told apart, and how many got it there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.db import insert_ignore
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind, Reply, ReplyState
from lineadmin.surveys.models import Survey, SurveySending

STEP, BROADCAST, REPLY, TEST = "step", "broadcast", "reply", "test"
ORIGIN_OF_REPLIES = {REPLY: "keyword", "greeting": "greeting", "staff": "staff"}
KIND_OF = {kind.name.lower(): kind for kind in OriginKind}
RUN_FACTOR = 1_000  # of a delivery's run: what is below it is branch and step


def sending_of(
    survey: Survey, origin: str, origin_id: int, place: int, *, now: datetime
) -> SurveySending:
    """The sending a message belongs to, made with the first of them.

    What is neither a step nor a broadcast goes on for years: it is told apart by the month.
    """
    if origin not in (STEP, BROADCAST):
        place = month_of(now)
    same = (
        (SurveySending.survey == survey.id)
        & (SurveySending.origin == origin)
        & (SurveySending.origin_id == origin_id)
        & (SurveySending.place == place)
    )
    found: SurveySending | None = SurveySending.get_or_none(same)
    if found is None:
        row = SurveySending.insert(
            survey=survey.id,
            origin=origin,
            origin_id=origin_id,
            place=place,
            first_at=now,
            sent_before=_sent(origin, origin_id, place),
        )
        insert_ignore(row)
        found = SurveySending.get(same)
    return found


def month_of(moment: datetime) -> int:
    """The month of the shop's calendar, as 202611."""
    there = moment.astimezone(settings.shop_zone())
    return there.year * 100 + there.month


def sent_counts(sendings: Sequence[SurveySending]) -> dict[int, int]:
    """How many messages of each sending have reached LINE, by its id."""
    steps = {row.origin_id for row in sendings if row.origin == STEP}
    by_step = {sequence_id: _sent_steps(sequence_id) for sequence_id in sorted(steps)}
    counts = {}
    for row in sendings:
        sent = (
            by_step[row.origin_id].get(row.place, 0)
            if row.origin == STEP
            else _sent(row.origin, row.origin_id, row.place)
        )
        counts[row.id] = max(0, sent - row.sent_before)
    return counts


def _sent(origin: str, origin_id: int, place: int) -> int:
    """Counted along indexes; what is neither step nor broadcast within its month."""
    if origin == STEP:
        return _sent_steps(origin_id).get(place, 0)
    kind = KIND_OF.get(origin)
    count = 0
    if kind is not None:
        mine = (
            (Delivery.origin_kind == kind)
            & (Delivery.origin_id == origin_id)
            & (Delivery.state == DeliveryState.SENT)
        )
        if kind != OriginKind.BROADCAST:
            since, until = _month(place)
            mine &= (Delivery.done_at >= since) & (Delivery.done_at < until)
        count += Delivery.select().where(mine).count()
    if origin in ORIGIN_OF_REPLIES:
        since, until = _month(place)
        free = (
            (Reply.origin == ORIGIN_OF_REPLIES[origin])
            & (Reply.origin_id == origin_id)
            & (Reply.at >= since)
            & (Reply.at < until)
            & (Reply.state == ReplyState.SENT)
        )
        count += Reply.select(fn.COUNT(Reply.id)).where(free).scalar()
    return int(count)


def _sent_steps(sequence_id: int) -> dict[int, int]:
    """Messages of each branch and step that were sent, whichever run of a friend it was."""
    query: Any = (
        Delivery.select(Delivery.origin_run, fn.COUNT(Delivery.id))
        # Written out, so that the partial index of steps is used.
        .where(SQL("origin_kind = 2"), Delivery.origin_id == sequence_id)
        .where(Delivery.state == DeliveryState.SENT)
        .group_by(Delivery.origin_run)
    )
    found: dict[int, int] = defaultdict(int)
    for run, count in query.tuples():
        found[run % RUN_FACTOR] += count
    return found


def _month(number: int) -> tuple[datetime, datetime]:
    zone: ZoneInfo = settings.shop_zone()
    year, month = divmod(number, 100)
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    start, end = (datetime(*first, 1, tzinfo=zone) for first in ((year, month), following))
    return start.astimezone(UTC), end.astimezone(UTC)
