"""The numbers before sending against the deliveries after, and who changed in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin.broadcasts import snapshot
from lineadmin.broadcasts.models import Broadcast
from lineadmin.db import from_ms
from lineadmin.friends.queries import names_of
from lineadmin.outbox import reasons
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reports.broadcast import Outcome, outcome

NAMES = 100
PLANNED_OUT = (
    reasons.BLOCKED,
    reasons.OPTED_OUT,
    reasons.NO_CONSENT,
    reasons.DORMANT,
    reasons.HOLDOUT,
    reasons.CAP,
)


@dataclass(frozen=True)
class Line:
    """One row of the comparison; `label` is a key of LINES or a reason."""

    label: str
    before: int
    after: int


@dataclass(frozen=True)
class Change:
    """One friend who is elsewhere now. `was` and `now_is`: a reason, "" = would get it, None = not
    in the audience."""

    friend_id: int
    name: str
    was: str | None
    now_is: str | None


@dataclass(frozen=True)
class Changes:
    """The comparison. `people` None: too many friends to keep by name."""

    told_at: datetime
    lines: list[Line]
    people: list[Change] | None = None
    more: int = 0
    counted: dict[tuple[str | None, str | None], int] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is different."""
        return any(line.before != line.after for line in self.lines)


def numbers(row: Broadcast, found: Outcome | None = None) -> Changes | None:
    """The sums before and after; None before it was planned, or where no sum was kept.

    :param found: what became of it, where that is known already
    """
    if row.told is None or row.plan_whole_at is None or row.estimated is not None:
        return None
    told: dict[str, Any] = row.told
    found = found or outcome(row.id)
    out = {why: count for state, why, count in found.reasons if state == DeliveryState.SKIPPED}
    after = {reason: out.get(reason, 0) for reason in PLANNED_OUT}
    lines = [
        Line("matches", told["matches"], found.planned),
        *(Line(reason, told.get(reason, 0), after[reason]) for reason in PLANNED_OUT),
        Line("will_send", told["will_send"], found.planned - sum(after.values())),
    ]
    return Changes(from_ms(told["at"]), lines)


def people(row: Broadcast) -> Changes | None:
    """The comparison with the friends who changed, by name; the first hundred of them."""
    found = numbers(row)
    before = snapshot.read(row.id)
    if found is None or before is None or len(before) > snapshot.MOST:
        return found
    after = _fates(row.id)
    different = [
        (friend_id, before.get(friend_id), after.get(friend_id))
        for friend_id in sorted(before.keys() | after.keys())
        if before.get(friend_id) != after.get(friend_id)
    ]
    names = names_of([one[0] for one in different[:NAMES]])
    return Changes(
        found.told_at,
        found.lines,
        [Change(one[0], names.get(one[0], ""), one[1], one[2]) for one in different[:NAMES]],
        max(0, len(different) - NAMES),
        dict(Counter((was, now_is) for _id, was, now_is in different)),
    )


def _fates(broadcast_id: int) -> dict[int, str]:
    """{friend: the reason she was planned out, or ""}; later refusals are no change of plan."""
    query = Delivery.select(Delivery.friend_id, Delivery.state, Delivery.reason)
    return {
        friend_id: reason if state == DeliveryState.SKIPPED and reason in PLANNED_OUT else ""
        for friend_id, state, reason in rows(query.where(_mine(broadcast_id)))
    }


def _mine(broadcast_id: int) -> Any:
    return (Delivery.origin_kind == int(OriginKind.BROADCAST)) & (
        Delivery.origin_id == broadcast_id
    )
