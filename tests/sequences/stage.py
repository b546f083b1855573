"""Sequences on a stage: short ways to publish one, to follow, and to see what was planned."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin import journal
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.sequences import actions, advance, triggers
from lineadmin.sequences.models import Enrolment, Sequence
from tests.factories import make_friend

TAIPEI = ZoneInfo("Asia/Taipei")
HELLO = [{"text": "hello"}]
_count = iter(range(1, 10_000))


def at(day: str, clock: str = "12:00") -> datetime:
    """A moment on the shop's clock: at("2026-11-23", "23:50")."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=TAIPEI)


def step(after_days: int = 1, clock: str = "10:00", **more: Any) -> dict[str, Any]:
    return {"after_days": after_days, "at": clock, "messages": HELLO, **more}


def publish(
    *steps: dict[str, Any],
    trigger: dict[str, Any] | None = None,
    branches: list[dict[str, Any]] | None = None,
    now: datetime,
    enabled: bool = True,
    name: str = "",
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Sequence:
    """A published sequence; `more` are further keys of its definition, `settings` of its own."""
    definition = {
        "trigger": trigger or {"follow": "any"},
        "branches": branches or [{"steps": list(steps)}],
        **more,
    }
    made = actions.create_sequence(
        name or f"四週養成 {next(_count)}", definition, staff=None, now=now, wall=now
    )
    actions.publish(made.id, version=None, staff=None, now=now, wall=now, public_url="https://x")
    if enabled:
        actions.enable(made.id, staff=None, wall=now, now=now)
    if settings:
        change(made, **settings)
    return Sequence.get_by_id(made.id)


def change(sequence: Sequence, **settings: Any) -> None:
    """Change some settings of a sequence and leave the others."""
    row = Sequence.get_by_id(sequence.id)
    kept = {key: getattr(row, key) for key in ("name", "period_from", "period_until", "priority")}
    actions.change_settings(
        row.id, **{**kept, **settings}, version=None, staff=None, wall=row.created_at
    )


def follow(now: datetime, **fields: Any) -> Friend:
    """A friend who has just added the account."""
    friend = make_friend(followed_at=now, first_followed_at=now, **fields)
    journal.record(friend.id, "followed", at=now)
    return friend


def tick(now: datetime) -> None:
    """What the worker does with sequences at a moment."""
    triggers.advance(now, now)
    advance.advance(now, now)


def planned(friend: Friend) -> list[tuple[int, str, str]]:
    """(step, due on the shop's clock, reason) of every delivery of a friend, in order."""
    rows = Delivery.select().where(Delivery.friend_id == friend.id).order_by(Delivery.id)
    return [
        (
            advance.place_of(row.origin_run)[1],
            f"{row.due_at.astimezone(TAIPEI):%m-%d %H:%M}",
            row.reason if row.state == DeliveryState.SKIPPED else "",
        )
        for row in rows
    ]


def run_of(friend: Friend) -> Enrolment:
    return Enrolment.get(Enrolment.friend_id == friend.id)
