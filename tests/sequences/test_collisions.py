"""Several sequences for one friend on one day, and a cap with room for one message."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import settings
from lineadmin.outbox.models import Delivery
from tests.sequences.stage import TAIPEI, at, follow, publish, step, tick

MONDAY = at("2026-11-23")


@pytest.fixture(autouse=True)
def cap(db: Any) -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 1}, staff=None, wall=MONDAY)


def told() -> list[tuple[str, str, str]]:
    """(sequence, due on the shop's clock, reason) of every delivery."""
    from lineadmin.sequences.models import Sequence

    names = {row.id: row.name for row in Sequence.select()}
    return [
        (names[row.origin_id], f"{row.due_at.astimezone(TAIPEI):%m-%d %H:%M}", row.reason)
        for row in Delivery.select().order_by(Delivery.origin_id, Delivery.id)
    ]


def test_the_more_important_one_is_sent_and_the_other_moves_a_day() -> None:
    """Even where the other's hour comes first; a whole day lies between the two."""
    publish(step(1, "11:00"), now=MONDAY, name="活動", settings={"priority": 10})
    publish(step(1, "09:00"), step(7, "09:00"), now=MONDAY, name="每週")
    follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "09:00"))
    tick(at("2026-11-24", "11:00"))
    tick(at("2026-12-01", "09:00"))
    assert told() == [
        ("活動", "11-24 11:00", ""),
        ("每週", "11-25 11:00", "shifted"),
        # What the next one counts from is the planned day, not the one it was moved to.
        ("每週", "12-01 09:00", ""),
    ]


def test_where_the_next_day_is_taken_too_it_is_left_out() -> None:
    publish(step(1, "11:00"), step(1, "11:00"), now=MONDAY, name="活動", settings={"priority": 10})
    publish(step(1, "12:00"), now=MONDAY, name="每週")
    follow(MONDAY)
    tick(MONDAY)
    for day, clock in (("24", "11:00"), ("24", "12:00"), ("25", "11:00")):
        tick(at(f"2026-11-{day}", clock))
    assert told() == [
        ("活動", "11-24 11:00", ""),
        ("活動", "11-25 11:00", ""),
        ("每週", "11-24 12:00", "collision"),
    ]


def test_among_equals_the_cap_alone_decides() -> None:
    publish(step(1, "11:00"), now=MONDAY, name="活動")
    publish(step(1, "09:00"), now=MONDAY, name="每週")
    follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "09:00"))
    tick(at("2026-11-24", "11:00"))
    assert told() == [("活動", "11-24 11:00", "cap"), ("每週", "11-24 09:00", "")]


def test_without_a_cap_both_are_sent() -> None:
    settings.change_shop({"cap_messages": None, "cap_days": None}, staff=None, wall=MONDAY)
    publish(step(1, "11:00"), now=MONDAY, name="活動", settings={"priority": 10})
    publish(step(1, "09:00"), now=MONDAY, name="每週")
    follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    assert told() == [("活動", "11-24 11:00", ""), ("每週", "11-24 09:00", "")]
