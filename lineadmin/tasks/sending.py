"""What the outbox asks of the rooms above it, answered: rendering, and the say of programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lineadmin.broadcasts import run as broadcasts
from lineadmin.broadcasts import topic
from lineadmin.config import Config
from lineadmin.messages import prepare as messages
from lineadmin.messages.parts import Part, parse_parts
from lineadmin.messages.undo import ORIGINS, take_back_coupons
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.protocol import Job, Prepare, Prepared, Programs
from lineadmin.reminders import advance as reminders
from lineadmin.reminders import points
from lineadmin.sequences import advance as steps
from lineadmin.sequences import goals
from lineadmin.tracking import units


def preparer(config: Config, now: Callable[[], datetime]) -> Prepare:
    """Renders jobs for the sender; equal content is read once."""

    def prepare(jobs: Sequence[Job]) -> list[Prepared]:
        parsed: dict[int, list[Part]] = {}
        items = []
        for job in jobs:
            if job.content.id not in parsed:
                parsed[job.content.id] = parse_parts(job.content.parts)
            items.append(
                messages.Item(
                    friend_id=job.friend.id,
                    name=job.friend.display_name or None,
                    parts=parsed[job.content.id],
                    origin=ORIGINS[OriginKind(job.delivery.origin_kind)],
                    origin_id=job.delivery.origin_id,
                    place=_place(job),
                )
            )
        done = messages.prepare(items, public_url=config.public_url, now=now())
        return [
            Prepared(
                messages=one.messages,
                skip_reason=one.skip_reason or "",
                dropped="; ".join(str(part.label) for part in one.dropped),
            )
            for one in done
        ]

    return prepare


class Rooms(Programs):
    """Broadcasts, sequences and reminders decide about their own messages; the rest may go."""

    def may_send(self, kind: OriginKind, ids: set[int], now: datetime) -> set[int]:
        """Those that may leave now; see `Programs`."""
        room = _room(kind)
        return ids if room is None else room.may_send(ids, now)

    def stopped(self, kind: OriginKind, ids: set[int], now: datetime) -> set[int]:
        """Broadcasts that are being stopped; see `Programs`."""
        return broadcasts.stopped(ids) if kind == OriginKind.BROADCAST else set()

    def break_quiet(self, kind: OriginKind, ids: set[int]) -> set[int]:
        """Broadcasts may, with a reason; see `Programs`."""
        return broadcasts.break_quiet(ids) if kind == OriginKind.BROADCAST else set()

    def left_out(
        self, kind: OriginKind, id: int, friends: Mapping[int, int], now: datetime
    ) -> Mapping[int, str]:
        """Friends who have reached what their step messages were for, or who have stopped the
        topic of a broadcast, or spent the points she was to be told of; see `Programs`."""
        if kind == OriginKind.POINTS:
            return points.left_out(friends, now)
        if kind == OriginKind.BROADCAST:
            return topic.left_out(id, friends, now)
        return goals.left_out(id, friends, now) if kind == OriginKind.STEP else {}

    def waits(self, kind: OriginKind, id: int, reason: str, wall: datetime) -> None:
        """The rest of a program can't go on; see `Programs`."""
        room = _room(kind)
        if kind == OriginKind.POINTS:
            points.waits(reason, wall=wall)
        elif room is not None:
            room.waits(id, reason)

    def goes_on(self, kind: OriginKind, id: int, now: datetime) -> None:
        """A program has had messages packed."""
        room = _room(kind)
        if kind == OriginKind.POINTS:
            points.goes_on()
        elif room is not None:
            room.goes_on(id)

    def aggregation_unit(self, kind: OriginKind, id: int, now: datetime) -> str | None:
        """The name LINE counts a program under, while the month has room for one."""
        return units.claim(kind, id, now)

    def undone(self, jobs: Sequence[Job], now: datetime) -> None:
        """These will not leave as they are: their coupons go back to stock."""
        take_back_coupons(jobs, now)


def _place(job: Job) -> int:
    """Tells the steps of a sequence apart, and not the runs of its friends."""
    if job.delivery.origin_kind != OriginKind.STEP:
        return 0
    return steps.origin_run(0, *steps.place_of(job.delivery.origin_run))


def _room(kind: OriginKind) -> Any:
    return {
        OriginKind.STEP: steps,
        OriginKind.BROADCAST: broadcasts,
        OriginKind.REMINDER: reminders,
        OriginKind.POINTS: points,
    }.get(kind)
