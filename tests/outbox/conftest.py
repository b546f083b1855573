"""A small shop with phones: plan, send, and look at what the phones got."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.line.gateway import Gateway
from lineadmin.line.posting import Posting
from lineadmin.outbox import plan
from lineadmin.outbox.content import store
from lineadmin.outbox.counts import Counts
from lineadmin.outbox.models import Delivery, OriginKind, Shipment
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.protocol import Job, Prepared, Programs
from lineadmin.outbox.sender import Sender
from tests.conftest import NOON, PATIENCE
from tests.factories import LONG_AGO, make_friend

_seeds = itertools.count(1)


class Watchful(Programs):
    """Programs that let everything go unless told otherwise, and remember what they were told."""

    def __init__(self) -> None:
        self.paused: set[tuple[OriginKind, int]] = set()
        self.told: list[tuple[str, int, str]] = []
        self.unit: str | None = None

    def may_send(self, kind: OriginKind, ids: set[int], now: datetime) -> set[int]:
        return {number for number in ids if (kind, number) not in self.paused}

    def waits(self, kind: OriginKind, id: int, reason: str, wall: datetime) -> None:
        self.told.append(("waits", id, reason))

    def goes_on(self, kind: OriginKind, id: int, now: datetime) -> None:
        self.told.append(("goes_on", id, ""))

    def aggregation_unit(self, kind: OriginKind, id: int, now: datetime) -> str | None:
        return self.unit


def plain_prepare(jobs: Sequence[Job]) -> list[Prepared]:
    """Texts with {name}; `skip` and `drop` in the parts do what they say."""
    prepared = []
    for job in jobs:
        [part] = job.content.parts
        if part["text"] == "skip":
            prepared.append(Prepared(None, "coupon_gone"))
            continue
        text = part["text"].replace("{name}", job.friend.display_name)
        prepared.append(Prepared([{"type": "text", "text": text}], dropped=part.get("drop", "")))
    return prepared


class Shop:
    """Everything a test of sending needs at hand."""

    def __init__(self, line: Any, config: Any) -> None:
        self.line = line
        self.phones = line.client
        self.programs = Watchful()
        self.gateway = Gateway(config, connect=PATIENCE, read=PATIENCE)
        self.prepare = plain_prepare
        self.now = NOON
        self.wall = shop_clock.wall()

    @contextmanager
    def patience_for(self, fault: str) -> Iterator[None]:
        """Within, LINE is not waited for long where `fault` is its silence."""
        patient = self.gateway._posting
        if fault.startswith("timeout"):
            self.gateway._posting = Posting(self.line.base_url, connect=PATIENCE, read=0.5)
        try:
            yield
        finally:
            if self.gateway._posting is not patient:
                self.gateway._posting.close()
            self.gateway._posting = patient

    def sender(self, **more: Any) -> Sender:
        """A sender of its own, as another process would have."""
        return Sender(
            self.gateway,
            self.prepare,
            self.programs,
            **{"now": lambda: self.now, "wall": lambda: self.wall, "threads": 4, **more},
        )

    def friend(self, name: str = "花", **fields: Any) -> Friend:
        """A friend who has a phone."""
        user_id = self.phones.add_phone(name)["user_id"]
        return make_friend(name, line_user_id=user_id, **fields)

    def friends(self, count: int) -> list[Friend]:
        """Many friends who have phones."""
        ids = self.phones.add_phones(count, seed=f"shop{next(_seeds)}")
        rows = [
            {
                "line_user_id": user_id,
                "display_name": f"友{index}",
                "status": FRIEND,
                "first_seen_at": LONG_AGO,
            }
            for index, user_id in enumerate(ids)
        ]
        for start in range(0, count, 1_000):
            Friend.insert_many(rows[start : start + 1_000]).execute()
        known = {friend.line_user_id: friend for friend in Friend.select()}
        return [known[user_id] for user_id in ids]

    def broadcast(
        self, number: int = 1, text: str = "特價！", *, where: Any = None, **more: Any
    ) -> plan.Planned:
        """Plan a broadcast to everyone (or `where`), due now."""
        part = {"text": text, **more.pop("part", {})}
        content = store([part], personal="{name}" in text, summary=text, now=self.now)
        return plan.plan_where(
            Origin(OriginKind.BROADCAST, number),
            content.id,
            where,
            after_friend_id=0,
            **{"due_at": self.now, "now": self.now, "cap": None, **more},
        )

    def send(self, **more: Any) -> Counts:
        """One tick's sending, at the shop's present moment."""
        sender = self.sender(**more)
        try:
            return sender.run_once(self.now, self.wall)
        finally:
            sender.finish()

    def later(self, **units: float) -> None:
        """Time passes, on both clocks."""
        self.now += timedelta(**units)
        self.wall += timedelta(**units)

    def texts(self, friend: Friend) -> list[str]:
        """What this friend's phone shows."""
        return self.phones.texts(friend.line_user_id)

    def requests(self, endpoint: str) -> int:
        """How often LINE was asked."""
        return self.phones.counters().get(f"{endpoint}.requests", 0)


def states() -> dict[str, int]:
    """{state name: deliveries}"""
    found: dict[str, int] = {}
    for row in Delivery.select():
        name = _DELIVERY_STATES[row.state]
        found[name] = found.get(name, 0) + 1
    return found


def shipments() -> list[Shipment]:
    """All shipments, oldest first."""
    return list(Shipment.select().order_by(Shipment.id))


_DELIVERY_STATES = (
    "queued",
    "packed",
    "sent",
    "skipped",
    "failed",
    "unknown",
    "canceled",
    "held",
)


@pytest.fixture
def shop(db: Any, line: Any, line_config: Any) -> Iterator[Shop]:
    """An empty shop whose LINE is the pretend one."""
    made = Shop(line, line_config)
    yield made
    made.gateway.close()
