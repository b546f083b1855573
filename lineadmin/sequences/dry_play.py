"""How a dry run goes on: one friend's steps played with the clock running ahead.

Planned, rechecked and prepared by the planner's and the sender's own code; only LINE is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from peewee import fn

from lineadmin import settings
from lineadmin.db import from_ms
from lineadmin.outbox import quiet, recheck
from lineadmin.outbox.live import queued
from lineadmin.outbox.models import Content, Delivery, DeliveryState, OriginKind
from lineadmin.outbox.protocol import Addressee, Errand, Job, Prepare, Prepared
from lineadmin.outbox.recheck import Candidate, Group
from lineadmin.sequences import advance, enrolments, goals
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.moving import moving

AHEAD = timedelta(days=400)  # ten steps of thirty days, weekdays and an anchor included
MOST_EVENTS = 400
AT_ONCE = 100
NO_MESSAGE = "no_message"
PrepareAt: TypeAlias = Callable[[datetime], Prepare]


def play(
    friend_id: int, now: datetime, prepare: PrepareAt, bodies: dict[int, list[dict[str, Any]]]
) -> None:
    """Do everything that comes up for her from `now` on.

    :param bodies: filled with what LINE would get, by delivery
    """
    moment = now
    for _event in range(MOST_EVENTS):
        coming = [
            at for at in (_next_step(friend_id), _next_leaving(friend_id, moment)) if at is not None
        ]
        if not coming or min(coming) > now + AHEAD:
            return
        moment = max(moment, min(coming))
        moved = 0
        # The order of a tick: everything due is planned, then what may leave does.
        for sequence_id in advance.with_due(moment, friend_id):
            moved += advance.advance_chunk(sequence_id, moment, friend_id=friend_id)
        if not moved and not _leave(friend_id, moment, prepare, bodies):
            return


def _next_step(friend_id: int) -> datetime | None:
    """When her next step is due, in any sequence in which friends move."""
    soonest = (
        Enrolment.select(fn.MIN(Enrolment.next_at))
        .join(Sequence)
        .where(enrolments.active(), Enrolment.friend_id == friend_id, moving())
    )
    return _moment(soonest.scalar())


def _next_leaving(friend_id: int, moment: datetime) -> datetime | None:
    """When the next of her planned steps may leave."""
    shop = settings.shop()
    waiting = list(queued_of(friend_id))
    going = advance.may_send({row.origin_id for row in waiting}, moment)
    times = [max(row.due_at, moment) for row in waiting if row.origin_id in going]
    return min((quiet.ends_at(shop, at) or at for at in times), default=None)


def queued_of(friend_id: int) -> Any:
    """Her steps that are planned and have not left."""
    return Delivery.select(Delivery.id, Delivery.origin_id, Delivery.due_at).where(
        queued(), Delivery.friend_id == friend_id, Delivery.origin_kind == int(OriginKind.STEP)
    )


def _leave(
    friend_id: int, moment: datetime, prepare: PrepareAt, bodies: dict[int, list[dict[str, Any]]]
) -> int:
    """What the sender would do at that moment with what is planned for her; how many rows."""
    if quiet.ends_at(settings.shop(), moment) is not None:
        return 0
    done = 0
    due = [row.origin_id for row in queued_of(friend_id) if row.due_at <= moment]
    for sequence_id in sorted(advance.may_send(set(due), moment)):
        group = Group(OriginKind.STEP, sequence_id, 0, moment)
        candidates = recheck.take(group, AT_ONCE, moment, friend_id=friend_id)
        for one in _still_wanted(sequence_id, recheck.leave_out(candidates, moment), moment):
            prepared = _prepared(one, prepare(moment))
            if prepared.messages is None:
                recheck.skip([one.id], prepared.skip_reason, moment, detail=prepared.dropped)
                continue
            bodies[one.id] = prepared.messages
            Delivery.update(
                state=int(DeliveryState.SENT), done_at=moment, detail=prepared.dropped
            ).where(Delivery.id == one.id).execute()
        done += len(candidates)
    return done


def _still_wanted(
    sequence_id: int, candidates: list[Candidate], moment: datetime
) -> list[Candidate]:
    runs = {one.friend_id: one.origin_run for one in candidates}
    found = goals.left_out(sequence_id, runs, moment)
    judged = [one._replace(reason=found.get(one.friend_id, "")) for one in candidates]
    return recheck.leave_out(judged, moment)


def _prepared(one: Candidate, prepare: Prepare) -> Prepared:
    content = Content.get_by_id(one.content_id)
    if not content.parts:
        return Prepared(None, NO_MESSAGE)
    errand = Errand(one.id, int(OriginKind.STEP), one.origin_id, one.origin_run)
    addressee = Addressee(one.friend_id, one.line_user_id, one.display_name)
    return prepare([Job(errand, addressee, content)])[0]


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return from_ms(int(value))
