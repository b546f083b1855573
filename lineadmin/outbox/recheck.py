"""What is due, which programs may go on, and who must be left out after all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from peewee import Case

from lineadmin import settings
from lineadmin.db import db, from_ms, is_postgres
from lineadmin.friends.models import BLOCKED as BLOCKED_STATUS
from lineadmin.friends.models import Friend
from lineadmin.outbox import quiet, reasons
from lineadmin.outbox.live import one_of, queued, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.outbox.origins import PROGRAMS, SINGLES
from lineadmin.outbox.protocol import Programs


@dataclass(frozen=True)
class Group:
    """Due deliveries that are packed together: one program's, or all single messages of a kind."""

    kind: OriginKind
    origin_id: int | None
    priority: int
    due_at: datetime

    @property
    def origin(self) -> tuple[OriginKind, int]:
        """Kind and id; 0 stands for all single messages of a kind."""
        return self.kind, self.origin_id or 0


class Candidate(NamedTuple):
    """What has to be known of one due delivery, without building models.

    `reason` is why she must not get it any more; empty for all others.
    """

    id: int
    friend_id: int
    content_id: int
    origin_id: int
    origin_run: int
    line_user_id: str
    display_name: str
    reason: str


def due_groups(now: datetime, *, singles_only: bool = False) -> list[Group]:
    """Everything that has something due, urgent first; one indexed question per program."""
    found = []
    for kind in SINGLES if singles_only else OriginKind:
        after = -1
        while (head := _head(kind, after)) is not None:
            origin_id, priority, due_at = head
            if kind not in PROGRAMS:
                found.append(Group(kind, None, priority, due_at))
                break
            if due_at <= now:
                found.append(Group(kind, origin_id, priority, due_at))
            after = origin_id
    return sorted(found, key=lambda group: (group.priority, group.due_at))


def may_go(groups: Iterable[Group], programs: Programs, now: datetime) -> list[Group]:
    """The groups that may leave: not in quiet hours, and with their program's consent."""
    groups = list(groups)
    going = allowed_origins({group.origin for group in groups}, programs, now)
    return [group for group in groups if group.origin in going]


def allowed_origins(
    origins: set[tuple[OriginKind, int]], programs: Programs, now: datetime
) -> set[tuple[OriginKind, int]]:
    """Those (kind, id) whose messages may leave at this moment; single messages always may."""
    allowed = {origin for origin in origins if origin[0] not in PROGRAMS}
    if len(allowed) == len(origins):
        return allowed
    quiet_now = quiet.ends_at(settings.shop(), now) is not None
    for kind in PROGRAMS:
        ids = {number for other, number in origins if other == kind}
        if quiet_now and ids:
            ids = programs.break_quiet(kind, ids)
        if ids:
            allowed |= {(kind, number) for number in programs.may_send(kind, ids, now)}
    return allowed


def stopped_origins(
    origins: set[tuple[OriginKind, int]], programs: Programs, now: datetime
) -> set[tuple[OriginKind, int]]:
    """Those (kind, id) that staff stopped, and of which only the fate of some is not known yet."""
    by_kind: dict[OriginKind, set[int]] = {}
    for kind, number in origins:
        by_kind.setdefault(kind, set()).add(number)
    return {
        (kind, number)
        for kind, ids in by_kind.items()
        for number in programs.stopped(kind, ids, now)
    }


def take(
    group: Group, limit: int, now: datetime, *, friend_id: int | None = None
) -> list[Candidate]:
    """The group's next due deliveries, locked for this transaction; of one friend, if named."""
    condition = queued() & (Delivery.origin_kind == int(group.kind)) & (Delivery.due_at <= now)
    order = [Delivery.origin_id, Delivery.due_at, Delivery.id]
    if group.origin_id is not None:
        condition &= Delivery.origin_id == group.origin_id
    if friend_id is not None:
        condition &= Delivery.friend_id == friend_id
    query = (
        Delivery.select(
            Delivery.id,
            Delivery.friend_id,
            Delivery.content,
            Delivery.origin_id,
            Delivery.origin_run,
            Friend.line_user_id,
            Friend.display_name,
            _reason(group.kind, now),
        )
        .join(Friend, on=(Friend.id == Delivery.friend_id))
        .where(condition)
        .order_by(*order)
        .limit(limit)
    )
    if is_postgres():
        query = query.for_update(of=Delivery, skip_locked=True)
    return list(map(Candidate._make, rows(query)))


def leave_out(candidates: list[Candidate], now: datetime) -> list[Candidate]:
    """Mark those who must not get it any more, with their reason; answers the others."""
    fit = [one for one in candidates if not one.reason]
    if len(fit) < len(candidates):
        out: dict[str, list[int]] = defaultdict(list)
        for one in candidates:
            if one.reason:
                out[one.reason].append(one.id)
        for reason, ids in out.items():
            skip(ids, reason, now)
    return fit


def skip(ids: list[int], reason: str, now: datetime, *, detail: str = "") -> None:
    """Write deliveries off that are still queued."""
    if ids:
        Delivery.update(
            state=int(DeliveryState.SKIPPED), reason=reason, detail=detail, done_at=now
        ).where(one_of(Delivery.id, ids) & queued()).execute()


def _reason(kind: OriginKind, now: datetime) -> Any:
    cases = [(Friend.status == BLOCKED_STATUS, reasons.BLOCKED)]
    # An answer to a question may reach somebody who wants no steps and broadcasts.
    if kind in PROGRAMS or kind == OriginKind.NOTICE:
        cases.append((Friend.opted_out_at.is_null(False), reasons.OPTED_OUT))
    cases.append((Delivery.expires_at <= now, reasons.EXPIRED))
    return Case(None, cases, "")


def _head(kind: OriginKind, after: int) -> tuple[int, int, datetime] | None:
    """(origin id, priority, due_at) of the first queued delivery of the next origin."""
    # In plain SQL: this is asked several times in every round, and building it costs more.
    head = db.execute_sql(
        'SELECT origin_id, priority, due_at FROM "delivery"'  # noqa: S608 - our own integers
        f" WHERE state = 0 AND origin_kind = {int(kind)} AND origin_id > {int(after)}"
        " ORDER BY origin_id, due_at, id LIMIT 1"
    ).fetchone()
    return None if head is None else (head[0], head[1], from_ms(head[2]))
