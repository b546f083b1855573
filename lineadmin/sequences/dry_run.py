"""A dry run: what one friend would get from now to the end, by the planner's own code.

The steps are played for real with the clock running ahead: planned, rechecked and prepared as the
worker and the sender do it, but inside a transaction that is taken back. Nothing is sent, and
nothing of it stays; what the worker does later comes out the same, row for row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.friends.models import Friend
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import Content, Delivery, DeliveryState, OriginKind
from lineadmin.sequences import enrolments, moves
from lineadmin.sequences.definition import Branch, Definition, dump
from lineadmin.sequences.dry_play import PrepareAt, play, queued_of
from lineadmin.sequences.dry_start import Imaginary, invent, run_of, start
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from lineadmin.sequences.places import place_of
from lineadmin.sequences.published import definitions
from lineadmin.sequences.transfer import Place, Someone

DRAFT_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Message:
    """One message of a dry run: when, what, or why not."""

    sequence_id: int
    sequence: str
    branch: int
    step: int
    due_at: datetime  # as planned
    at: datetime  # when it leaves, or when it is left out
    sent: bool
    reason: str  # outbox/reasons.py
    detail: str
    summary: str
    messages: list[dict[str, Any]]  # as LINE would get them
    mine: bool  # of the sequence that is tried


@dataclass(frozen=True)
class Outlook:
    """What a dry run found. `refused` says why she does not start; then there are no messages of
    this sequence."""

    name: str
    refused: str = ""
    since: datetime | None = None  # underway for real since
    starts_at: datetime | None = None
    branch: int | None = None
    branch_name: str = ""
    messages: tuple[Message, ...] = ()
    end: str = ""  # finished | stopped | ""
    end_reason: str = ""
    ended_at: datetime | None = None

    @property
    def own(self) -> list[Message]:
        """The messages of the sequence that is tried."""
        return [message for message in self.messages if message.mine]


class _TakeBack(Exception):
    """Ends the transaction of a dry run."""


def rehearse(
    sequence: Sequence,
    definition: Definition,
    whom: Friend | Imaginary,
    *,
    now: datetime,
    prepare: PrepareAt,
) -> Outlook:
    """What `whom` would get if the sequence was live as `definition` says, from `now` to the end.

    Who is underway goes on from where she is, on her version; anybody else starts as if the trigger
    happened now. Her other sequences are played along: they share the cap and the days.

    :param prepare: answers what makes the messages at a moment, as for the sender
    """
    with _taken_back():
        _go_live(sequence, definition, now)
        friend = whom if isinstance(whom, Friend) else invent(whom, now)
        running = run_of(sequence, friend)
        before = _newest_delivery()
        waiting = [row.id for row in queued_of(friend.id)]
        if running is not None:
            running = _moved(running, now)
        refused, starts_at = "", now
        if running is None or running.state != enrolments.ACTIVE:
            refused, starts_at = start(sequence, friend, running, now)
        bodies: dict[int, list[dict[str, Any]]] = {}
        play(friend.id, now, prepare, bodies)
        after = run_of(sequence, friend)
        found = Outlook(
            name=friend.display_name,
            refused=refused,
            since=None if running is None or refused else running.entered_at,
            starts_at=None if refused else starts_at,
            messages=tuple(_messages(sequence, friend.id, before, waiting, bodies)),
        )
        if after is not None and not refused:
            found = _with_run(found, after)
    return found


def every_branch(
    sequence: Sequence,
    definition: Definition,
    *,
    now: datetime,
    prepare: PrepareAt,
    name: str = "",
) -> list[Outlook]:
    """What somebody new would get in each branch, as if she fitted it, from `now` to the end."""
    sources = definition.trigger.sources or ("",)
    today = now.astimezone(settings.shop_zone())
    whom = Imaginary(name=name, source=sources[0], birthday=f"{today:%m-%d}")
    found = []
    for number, branch in enumerate(definition.branches):
        alone = replace(
            definition,
            branches=(Branch("", None, False, branch.steps),),
            stop=None,
            stop_bought=None,
        )
        outlook = rehearse(sequence, alone, whom, now=now, prepare=prepare)
        found.append(replace(outlook, branch=number, branch_name=branch.name))
    return found


@contextmanager
def _taken_back() -> Iterator[None]:
    try:
        with atomic():
            yield
            raise _TakeBack
    except _TakeBack:
        pass


def _go_live(sequence: Sequence, definition: Definition, now: datetime) -> None:
    """Enable the sequence as it is drafted; only within the transaction that is taken back."""
    live = sequence.live_version
    if live is None or SequenceVersion.get_by_id(live).definition != dump(definition):
        live = SequenceVersion.create(
            sequence=sequence,
            number=DRAFT_NUMBER,
            definition=dump(definition),
            published_at=now,
        ).id
    Sequence.update(enabled=True, archived_at=None, pause_reason="", live_version=live).where(
        Sequence.id == sequence.id
    ).execute()


def _moved(run: Enrolment, now: datetime) -> Enrolment:
    """Her run after the move to a newer version that is going on, if one is."""
    place = Place(run.version_id, run.branch, run.step, run.base_day)
    if run.state == enrolments.ACTIVE:
        moves.take_along(run.sequence_id, [Someone(run.id, run.friend_id, place)], now)
    moved: Enrolment = Enrolment.get_by_id(run.id)
    return moved


def _messages(
    sequence: Sequence,
    friend_id: int,
    before: int,
    waiting: list[int],
    bodies: dict[int, list[dict[str, Any]]],
) -> Iterator[Message]:
    names: dict[int, str] = dict(rows(Sequence.select(Sequence.id, Sequence.name)))
    found = (
        Delivery.select(Delivery, Content)
        .join(Content)
        .where(
            Delivery.friend_id == friend_id,
            Delivery.origin_kind == int(OriginKind.STEP),
            (Delivery.id > before) | Delivery.id.in_(waiting),
        )
    )
    for row in sorted(found, key=lambda row: (row.done_at or row.due_at, row.id)):
        branch, step = place_of(row.origin_run)
        yield Message(
            sequence_id=row.origin_id,
            sequence=names.get(row.origin_id, ""),
            branch=branch,
            step=step,
            due_at=row.due_at,
            at=row.done_at or row.due_at,
            sent=row.state == DeliveryState.SENT,
            reason=row.reason,
            detail=row.detail,
            summary=row.content.summary if row.content else "",
            messages=bodies.get(row.id, []),
            mine=row.origin_id == sequence.id,
        )


def _with_run(found: Outlook, run: Enrolment) -> Outlook:
    definition = definitions({run.version_id}).get(run.version_id)
    decided = definition is not None and 0 <= run.branch < len(definition.branches)
    return Outlook(
        name=found.name,
        since=found.since,
        starts_at=found.starts_at,
        branch=run.branch if decided else None,
        branch_name=definition.branches[run.branch].name if definition and decided else "",
        messages=found.messages,
        end=run.state if run.state in (enrolments.FINISHED, enrolments.STOPPED) else "",
        end_reason=run.reason,
        ended_at=run.ended_at,
    )


def _newest_delivery() -> int:
    return int(Delivery.select(fn.MAX(Delivery.id)).scalar() or 0)
