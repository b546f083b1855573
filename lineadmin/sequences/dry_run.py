"""A dry run: what one friend would get from now to the end, by the planner's own code.

The steps are played for real with the clock running ahead: planned, rechecked and prepared as the
worker and the sender do it, but inside a transaction that is taken back. Nothing is sent, and
nothing of it stays; what the worker does later comes out the same, row for row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from peewee import fn

from lineadmin import segments, settings
from lineadmin.db import atomic, from_ms
from lineadmin.friends.models import BLOCKED, FRIEND, Friend, FriendTag, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.outbox import quiet, recheck
from lineadmin.outbox.live import queued, rows
from lineadmin.outbox.models import Content, Delivery, DeliveryState, OriginKind
from lineadmin.outbox.protocol import Addressee, Errand, Job, Prepare, Prepared
from lineadmin.outbox.recheck import Candidate, Group
from lineadmin.sequences import (
    advance,
    buying,
    by_hand,
    calendar,
    dates,
    enrolments,
    goals,
    moves,
    starts,
    triggers,
)
from lineadmin.sequences.definition import (
    DATE,
    MANUAL,
    PURCHASE,
    SEGMENT,
    Branch,
    Definition,
    Trigger,
    dump,
)
from lineadmin.sequences.enrolments import HELD
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from lineadmin.sequences.moving import moving
from lineadmin.sequences.places import place_of
from lineadmin.sequences.published import definitions
from lineadmin.sequences.transfer import Place, Someone

AHEAD = timedelta(days=400)  # ten steps of thirty days, weekdays and an anchor included
MOST_EVENTS = 400
AT_ONCE = 100
DRAFT_NUMBER = 2**31 - 1
NO_MESSAGE = "no_message"
PrepareAt: TypeAlias = Callable[[datetime], Prepare]
# Why a friend does not start
IS_BLOCKED, OTHER_SOURCE, OUTSIDE_PERIOD = "blocked", "source", "period"
NO_DATE, NOT_IN_SEGMENT, NOT_STARTED = "no_date", "segment", "not_started"


@dataclass(frozen=True)
class Imaginary:
    """Somebody who does not exist, and what the shop would know of her."""

    name: str = ""
    source: str = ""  # a code; empty = unknown
    age: int | None = None
    birthday: str | None = None  # MM-DD
    gender: str | None = None
    region: str | None = None
    os: str | None = None
    tags: tuple[str, ...] = ()


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
        friend = whom if isinstance(whom, Friend) else _invent(whom, now)
        running = _run_of(sequence, friend)
        before = _newest_delivery()
        waiting = [row.id for row in _queued_of(friend.id)]
        if running is not None:
            running = _moved(running, now)
        refused, starts_at = "", now
        if running is None or running.state != enrolments.ACTIVE:
            refused, starts_at = _start(sequence, friend, running, now)
        bodies: dict[int, list[dict[str, Any]]] = {}
        _play(friend.id, now, prepare, bodies)
        after = _run_of(sequence, friend)
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


def _invent(whom: Imaginary, now: datetime) -> Friend:
    source = Source.get_or_none(Source.code == whom.source) if whom.source else None
    year = now.astimezone(settings.shop_zone()).year
    friend: Friend = Friend.create(
        line_user_id="U-dry-run",
        display_name=whom.name,
        status=FRIEND,
        status_at=now,
        first_followed_at=now,
        followed_at=now,
        first_seen_at=now,
        last_seen_at=now,
        source=source,
        birth_year=None if whom.age is None else year - whom.age,
        birthday=whom.birthday,
        gender=whom.gender,
        region=whom.region,
        os=whom.os,
    )
    for tag in Tag.select(Tag.id).where(Tag.name.in_(whom.tags)):
        FriendTag.create(friend=friend, tag=tag, at=now)
    return friend


def _start(
    sequence: Sequence, friend: Friend, earlier: Enrolment | None, now: datetime
) -> tuple[str, datetime]:
    """Start her as if the trigger happened; why not, and from when on she is underway."""
    [live] = starts.live_sequences(sequence.id)
    trigger = live.definition.trigger
    zone = settings.shop_zone()
    if friend.status == BLOCKED:
        return IS_BLOCKED, now
    if earlier is not None and (trigger.kind not in (DATE, MANUAL) or earlier.state == HELD):
        return earlier.state, now
    at = now
    if trigger.kind in triggers.FACT_OF:
        _happen(trigger, friend, zone, now)
    elif trigger.kind == DATE:
        written = dates.dates_of(trigger, [friend.id]).get(friend.id)
        day = written and dates.next_start(trigger, written, calendar.local_day(now, zone))
        if not isinstance(day, date):
            return NO_DATE, now
        at = max(now, datetime(day.year, day.month, day.day, tzinfo=zone))
        if starts.in_period(live.row, day):
            dates.start_on(live, day, [friend.id], zone, at)
    elif trigger.kind == SEGMENT and not _is_in(trigger.about, friend, zone, now):
        return NOT_IN_SEGMENT, now
    else:
        by_hand.put_underway(live, friend, earlier, zone=zone, now=now)
    run = _run_of(sequence, friend)
    if run is not None and (earlier is None or run.id != earlier.id):
        return "", at
    if not starts.in_period(live.row, calendar.local_day(at, zone)):
        return OUTSIDE_PERIOD, now
    known = Friend.select(Friend.id).where(Friend.id == friend.id, starts.may_start(trigger))
    return (NOT_STARTED if known.exists() else OTHER_SOURCE), now


def _happen(trigger: Trigger, friend: Friend, zone: ZoneInfo, now: datetime) -> None:
    """What the trigger waits for, with everything else that starts on it."""
    about = triggers.object_id(trigger) or 0
    if trigger.kind == PURCHASE:
        about = buying.rehearse(trigger.about, friend.id, now)
    kind = triggers.FACT_OF[trigger.kind]
    fact = Fact.create(friend_id=friend.id, kind=kind, object_id=about, at=now, handled_at=now)
    claimed = [triggers.Claimed(fact.id, friend.id, kind, about, now)]
    for live in starts.live_sequences():
        triggers.start(live, claimed, zone, now)


def _is_in(segment: str, friend: Friend, zone: ZoneInfo, now: datetime) -> bool:
    tree = {"field": "segment", "op": "is", "value": segment}
    fits = segments.where(tree, now=now, zone=zone, per_friend=True)
    return bool(Friend.select(Friend.id).where(Friend.id == friend.id, fits).exists())


def _play(
    friend_id: int, now: datetime, prepare: PrepareAt, bodies: dict[int, list[dict[str, Any]]]
) -> None:
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
    waiting = list(_queued_of(friend_id))
    going = advance.may_send({row.origin_id for row in waiting}, moment)
    times = [max(row.due_at, moment) for row in waiting if row.origin_id in going]
    return min((quiet.ends_at(shop, at) or at for at in times), default=None)


def _queued_of(friend_id: int) -> Any:
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
    due = [row.origin_id for row in _queued_of(friend_id) if row.due_at <= moment]
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


def _run_of(sequence: Sequence, friend: Friend) -> Enrolment | None:
    runs = Enrolment.select().where(
        Enrolment.sequence == sequence.id, Enrolment.friend_id == friend.id
    )
    latest: Enrolment | None = runs.order_by(Enrolment.run.desc()).first()
    return latest


def _newest_delivery() -> int:
    return int(Delivery.select(fn.MAX(Delivery.id)).scalar() or 0)


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return from_ms(int(value))
