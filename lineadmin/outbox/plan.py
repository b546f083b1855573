"""Planning: a delivery for every friend a program thought of, the ones left out too.

Everything here is one short transaction of set-based SQL and harmless to repeat: a friend has at
most one delivery of an origin. Programs call `plan_where` chunk by chunk, keeping
`last_friend_id` as their cursor in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL, Case, Expression, Select, Value, ValuesList, fn

from lineadmin.db import atomic, db, insert_ignore, is_postgres, to_ms
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend
from lineadmin.outbox import phase, promises, reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import Content, Delivery, DeliveryState
from lineadmin.outbox.origins import Origin
from lineadmin.settings import ShopSettings

CHUNK = 5_000  # a longer insert would keep the webhook from SQLite's only writer
ROWS_PER_STATEMENT = 2_500
PLAN_LOCK = 726_101

# What the cap counts: what reached the friend, and what may still.
COUNTED = (
    DeliveryState.QUEUED,
    DeliveryState.PACKED,
    DeliveryState.SENT,
    DeliveryState.UNKNOWN,
    DeliveryState.HELD,
)
_GOES_OUT = ("", reasons.SHIFTED)  # what is planned to be sent
_COLUMNS = (
    Delivery.friend_id,
    Delivery.origin_kind,
    Delivery.origin_id,
    Delivery.origin_run,
    Delivery.content,
    Delivery.due_at,
    Delivery.expires_at,
    Delivery.priority,
    Delivery.counts_for_cap,
    Delivery.state,
    Delivery.reason,
    Delivery.detail,
    Delivery.planned_at,
    Delivery.done_at,
)


@dataclass(frozen=True)
class Cap:
    """At most `messages` counted messages for one friend in any window of `days` times 24 hours."""

    messages: int
    days: int

    @classmethod
    def of(cls, shop: ShopSettings) -> Cap | None:
        """The shop's cap; None where it never set one."""
        if shop.cap_messages is None or shop.cap_days is None:
            return None
        return cls(shop.cap_messages, shop.cap_days)


@dataclass(frozen=True)
class Planned:
    """What a chunk did: rows newly written, and how many of them were left out with a reason.

    `last_friend_id` None: nobody is left behind `after_friend_id`, the plan is whole.
    """

    last_friend_id: int | None
    rows: int
    skipped: int


@dataclass(frozen=True)
class PlanRow:
    """One friend's message in a bulk plan. A `skip_reason` writes it as left out at once.

    `shifted` keeps with it that it was moved to another day than its program had planned.
    """

    friend_id: int
    origin: Origin
    content_id: int
    due_at: datetime  # shop time
    expires_at: datetime | None = None  # shop time
    priority: int = 50
    counts_for_cap: bool = True
    skip_reason: str = ""
    shifted: bool = False


def plan_where(
    origin: Origin,
    content: int | Any,
    where: Expression | None,
    *,
    after_friend_id: int,
    limit: int = CHUNK,
    due_at: datetime,
    expires_at: datetime | None = None,
    priority: int = 50,
    now: datetime,
    cap: Cap | None,
    holdout: Expression | None = None,
    asleep: Expression | None = None,
    no_consent: Expression | None = None,
    counts_for_cap: bool = True,
    only_left_out: bool = False,
) -> Planned:
    """Plan one message for the next `limit` friends, in id order, of those `where` picks.

    `content` is one id for all, or an expression over `Friend`. Call it again with
    `after_friend_id=planned.last_friend_id` until that is None. `where` and
    `holdout` are conditions on `Friend`; whom `holdout` is true for gets nothing, on purpose, nor
    does whom `asleep` or `no_consent` is true for.
    It is evaluated per chunk, so it should probe per friend (EXISTS) rather than build one list.
    `only_left_out` writes down those alone who get nothing: the others are reached in a way that
    knows no single friend.
    """
    picked = Friend.id > after_friend_id
    if where is not None:
        picked &= where
    with phase.at(phase.PLAN), atomic():
        page = Friend.select(Friend.id).where(picked).order_by(Friend.id).limit(min(limit, CHUNK))
        page = page.alias("page")
        last = Select([page], [fn.MAX(page.c.id)]).scalar(db)
        if last is None:
            return Planned(None, 0, 0)
        due = to_ms(due_at)
        _lock_plans(cap if counts_for_cap else None)
        judged = Friend.select(
            Friend.id.alias("friend_id"),
            _reason(
                Friend,
                Friend.id,
                due,
                cap=cap if counts_for_cap else None,
                holdout=holdout,
                asleep=asleep,
                no_consent=no_consent,
                promised=promises.to_come(priority, due_at),
            ).alias("reason"),
            (Value(content) if isinstance(content, int) else content).alias("content"),
        ).where(picked & (Friend.id <= last))
        judged = judged.alias("judged")
        rows = Select(
            [judged],
            [
                judged.c.friend_id,
                *map(Value, (int(origin.kind), origin.id, origin.run)),
                judged.c.content,
                Value(due),
                Value(None if expires_at is None else to_ms(expires_at)),
                Value(priority),
                Value(counts_for_cap),
                *_outcome(judged.c.reason, now),
            ],
        ).where(judged.c.reason != "" if only_left_out else judged.c.friend_id > 0)
        return _insert(rows, int(last))


def plan_rows(rows: Iterable[PlanRow], *, now: datetime, cap: Cap | None) -> Planned:
    """Plan many different messages at once: the due steps of a tick.

    Several rows of one friend are judged one after the other, so the cap holds among them too.
    `last_friend_id` means nothing here.
    """
    written = skipped = 0
    with phase.at(phase.PLAN), atomic():
        _lock_plans(cap)
        for batch in _rounds(rows):
            for start in range(0, len(batch), ROWS_PER_STATEMENT):
                planned = _insert_rows(batch[start : start + ROWS_PER_STATEMENT], now, cap)
                written += planned.rows
                skipped += planned.skipped
    return Planned(None, written, skipped)


def queue_one(
    friend_id: int,
    origin: Origin,
    content: Content,
    *,
    due_at: datetime,
    expires_at: datetime | None = None,
    priority: int = 10,
    now: datetime,
    counts_for_cap: bool = False,
) -> bool:
    """Queue a single message: a staff member's answer, a greeting's fallback, a test send.

    False where this origin already has a delivery for the friend; then nothing changes.
    """
    insert = Delivery.insert(
        friend_id=friend_id,
        origin_kind=int(origin.kind),
        origin_id=origin.id,
        origin_run=origin.run,
        content=content.id,
        due_at=due_at,
        expires_at=expires_at,
        priority=priority,
        counts_for_cap=counts_for_cap,
        planned_at=now,
    )
    return bool(insert_ignore(insert))


def fate(
    due_at: datetime,
    *,
    cap: Cap | None,
    holdout: Expression | None = None,
    asleep: Expression | None = None,
    no_consent: Expression | None = None,
    priority: int = 50,
) -> Any:
    """Of each `Friend`, the reason she would be left out of a plan at `due_at`; "" = none."""
    promised = promises.to_come(priority, due_at)
    return _reason(
        Friend,
        Friend.id,
        to_ms(due_at),
        cap=cap,
        holdout=holdout,
        asleep=asleep,
        no_consent=no_consent,
        promised=promised,
    )


def over_cap(friend_ids: Iterable[int], due_at: datetime, cap: Cap) -> set[int]:
    """Those of these friends for whom one more message at `due_at` would be over the cap."""
    if cap.messages <= 0:
        return set(friend_ids)
    over = Friend.select(Friend.id).where(
        one_of(Friend.id, friend_ids) & _over_cap(Friend.id, to_ms(due_at), cap)
    )
    return {friend_id for (friend_id,) in rows(over)}


def _insert_rows(rows: Sequence[PlanRow], now: datetime, cap: Cap | None) -> Planned:
    # A node of peewee's per row instead of per value: ten times as fast.
    given = ValuesList([(SQL(_literal(row)),) for row in rows], alias="given")
    # Unnamed columns of VALUES are called column1, column2, … on both databases.
    column = [getattr(given.c, f"column{number}") for number in range(1, 11)]
    due = column[5].cast("BIGINT")
    judged = (
        Friend.select(
            *(value.alias(f"v{number}") for number, value in enumerate(column, 1)),
            _reason(
                Friend, column[0], due, cap=cap, preset=column[9], counts_for_cap=column[8]
            ).alias("reason"),
        )
        .join(given, on=(Friend.id == column[0]))
        .alias("judged")
    )
    value = [getattr(judged.c, f"v{number}") for number in range(1, 10)]
    select = Select(
        [judged],
        [
            *value[:5],
            value[5].cast("BIGINT"),
            value[6].cast("BIGINT"),
            *value[7:],
            *_outcome(judged.c.reason, now),
        ],
    ).where(judged.c.v1 > 0)
    return _insert(select, None)


def _literal(row: PlanRow) -> str:
    """The row as a list of SQL literals: numbers, and one of our own reason codes."""
    preset = reasons.SHIFTED if row.shifted and not row.skip_reason else row.skip_reason
    if preset and not preset.isidentifier():
        raise ValueError(f"not a reason code: {preset!r}")
    expires = "NULL" if row.expires_at is None else to_ms(row.expires_at)
    return (
        f"{row.friend_id:d}, {row.origin.kind:d}, {row.origin.id:d}, {row.origin.run:d}, "
        f"{row.content_id:d}, {to_ms(row.due_at)}, {expires}, {row.priority:d}, "
        f"{'TRUE' if row.counts_for_cap else 'FALSE'}, '{preset}'"
    )


def _rounds(rows: Iterable[PlanRow]) -> list[list[PlanRow]]:
    """The rows in batches that hold each friend at most once, early messages first."""
    rounds: list[list[PlanRow]] = []
    seen: dict[int, int] = {}
    for row in sorted(rows, key=lambda row: (row.due_at, row.priority)):
        turn = seen.get(row.friend_id, 0)
        seen[row.friend_id] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(row)
    return rounds


def _insert(select: Select, last_friend_id: int | None) -> Planned:
    """`select` needs a WHERE: SQLite would read ON CONFLICT as part of its last join."""
    # Not peewee's on_conflict_ignore: SQLite's INSERT OR IGNORE swallows other mistakes as well.
    query = (
        Delivery.insert_from(select, _COLUMNS)
        .on_conflict(action="nothing")
        .returning(Delivery.state)
    )
    states = [state for (state,) in rows(query)]
    return Planned(last_friend_id, len(states), states.count(DeliveryState.SKIPPED))


def _reason(
    friend: Any,
    friend_id: Any,
    due: Any,
    *,
    cap: Cap | None,
    holdout: Expression | None = None,
    asleep: Expression | None = None,
    no_consent: Expression | None = None,
    preset: Any = None,
    counts_for_cap: Any = None,
    promised: Any = None,
) -> Any:
    cases: list[tuple[Any, Any]] = []
    if preset is not None:
        cases.append((preset.not_in(_GOES_OUT), preset))
    cases += [
        (friend.status == BLOCKED_STATUS, reasons.BLOCKED),
        (friend.opted_out_at.is_null(False), reasons.OPTED_OUT),
    ]
    if no_consent is not None:
        cases.append((no_consent, reasons.NO_CONSENT))
    if asleep is not None:
        cases.append((asleep, reasons.DORMANT))
    if holdout is not None:
        cases.append((holdout, reasons.HOLDOUT))
    if cap is not None:
        over = _over_cap(friend_id, due, cap, promised)
        cases.append(
            (over if counts_for_cap is None else (counts_for_cap == True) & over, reasons.CAP)  # noqa: E712
        )
    return Case(None, cases, "" if preset is None else preset)


def _over_cap(friend_id: Any, due: Any, cap: Cap, promised: Any = None) -> Any:
    """One message more at `due` would make some window hold too many.

    `promised` more urgent ones are still to come on that day and count as if they were planned.

    A window can be moved right until it starts at one of its messages, so it is enough to look at
    the windows starting at the new message and at each one shortly before it.
    """
    span = timedelta(days=cap.days) // timedelta(milliseconds=1)
    first, other = Delivery.alias("cap_first"), Delivery.alias("cap_other")

    def held(row: Any, since: Any, until: Any) -> Any:
        return (
            (row.friend_id == friend_id)
            & (row.due_at >= since)
            & (row.due_at < until)
            & (row.counts_for_cap == True)  # noqa: E712
            & row.state.in_(COUNTED)
        )

    def number_from(since: Any) -> Select:
        return other.select(fn.COUNT(other.id)).where(held(other, since, since + span))

    def full(since: Any) -> Any:
        if promised is None:
            return number_from(since) >= cap.messages
        # Within functions: a bare + of two queries would be their union.
        return fn.COALESCE(number_from(since), 0) + promised >= cap.messages

    earlier = first.select(first.id).where(held(first, due - span + 1, due) & full(first.due_at))
    return full(due) | fn.EXISTS(earlier)


def _outcome(reason: Any, now: datetime) -> tuple[Any, ...]:
    """state, reason, detail, planned_at, done_at"""
    queued, skipped = int(DeliveryState.QUEUED), int(DeliveryState.SKIPPED)
    return (
        Case(None, [(reason.in_(_GOES_OUT), queued)], skipped),
        reason,
        Value(""),
        Value(to_ms(now)),
        Case(None, [(reason.in_(_GOES_OUT), None)], to_ms(now)),
    )


def _lock_plans(cap: Cap | None) -> None:
    """Let plans that count towards the cap run one after the other, or two could both fit."""
    if cap is not None and is_postgres():
        Select([], [fn.pg_advisory_xact_lock(PLAN_LOCK)]).execute(db)
