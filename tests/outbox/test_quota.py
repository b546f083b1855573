"""The ledger: what is left, and that it is never overdrawn."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import db as database
from lineadmin import settings
from lineadmin.line.answers import Quota
from lineadmin.line.errors import LineUnclear
from lineadmin.outbox import quota
from lineadmin.outbox.models import QuotaMonth
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("db")

MONTH = "2026-11"


class SaysQuota:
    """A gateway that only knows the quota."""

    def __init__(self, limit: int | None, used: int) -> None:
        self.limit, self.used = limit, used
        self.asked = 0

    def quota(self) -> Quota:
        self.asked += 1
        return Quota(self.limit)

    def consumption(self) -> int:
        return self.used


def read(limit: int | None, used: int, *, wall: Any = NOON, **more: Any) -> bool:
    return quota.refresh(SaysQuota(limit, used), now=NOON, wall=wall, **more)  # type: ignore[arg-type]


def set_plan(included: int | None, extra_price: float | None = None) -> None:
    changes = {"plan_included": included, "plan_extra_price": extra_price}
    settings.change_shop(changes, staff=None, wall=NOON)


def test_nothing_known_is_no_limit():
    assert quota.remaining(NOON) is None
    assert quota.reserve(1_000_000, now=NOON) == (MONTH, 1_000_000)


def test_the_month_is_the_shops():
    almost = NOON.replace(day=30, hour=15, minute=59)
    assert quota.ledger(almost).month == "2026-11"
    assert quota.ledger(almost + timedelta(minutes=1)).month == "2026-12"


@pytest.mark.parametrize(
    ("line", "plan", "price", "left"),
    [
        (None, None, None, None),
        (1_000, None, None, 900),
        (None, 500, None, 400),
        (1_000, 500, None, 400),
        (300, 500, None, 200),
        (1_000, 500, 0.2, 900),  # the plan takes more for money: LINE's own limit is the guard
        (50, None, None, 0),
    ],
)
def test_the_smaller_of_lines_limit_and_the_plan_is_the_guard(
    line: int | None, plan: int | None, price: float | None, left: int | None
):
    set_plan(plan, price)
    read(line, 100)
    assert quota.remaining(NOON) == left


def test_a_reservation_moves_through_the_ledger():
    read(100, 10)
    month, granted = quota.reserve(30, now=NOON)
    assert (granted, quota.remaining(NOON)) == (30, 60)
    quota.settle(month, 10, wall=NOON)
    quota.release(month, 10)
    quota.doubt(month, 10)
    meter = quota.meter(NOON)
    assert (meter.used, meter.reserved, meter.unknown, meter.left) == (20, 0, 10, 70)
    quota.decide(month, 10, sent=True)
    meter = quota.meter(NOON)
    assert (meter.sent_by_us, meter.unknown, meter.left) == (20, 0, 80)


def test_a_reservation_is_cut_to_what_is_left():
    read(100, 95)
    assert quota.reserve(30, now=NOON) == (MONTH, 5)
    assert quota.reserve(30, now=NOON) == (MONTH, 0)


def test_racing_reservations_never_exceed_what_is_left():
    read(100, 0)
    granted: list[int] = []
    start = threading.Barrier(6)

    def race() -> None:
        database.ensure_connection()
        start.wait()
        for _ in range(10):
            with database.atomic():
                granted.append(quota.reserve(7, now=NOON)[1])
        database.db.close()

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 100
    assert quota.remaining(NOON) == 0


def test_line_is_asked_once_in_a_while():
    gateway: Any = SaysQuota(100, 0)
    for minutes, asked in ((0, 1), (4, 1), (5, 2), (6, 2)):
        quota.refresh(gateway, now=NOON, wall=NOON + timedelta(minutes=minutes))
        assert gateway.asked == asked


def test_a_line_that_does_not_answer_changes_nothing():
    read(100, 10)

    class Silent:
        def quota(self) -> Quota:
            raise LineUnclear(500)

    later = NOON + timedelta(hours=1)
    assert quota.refresh(Silent(), now=NOON, wall=later) is False  # type: ignore[arg-type]
    assert quota.remaining(NOON) == 90


def test_a_reading_that_lags_behind_does_not_give_back_what_was_just_sent():
    read(100, 10)
    quota.settle(*quota.reserve(50, now=NOON), wall=NOON + timedelta(minutes=4))
    read(100, 10, wall=NOON + timedelta(minutes=5))
    assert quota.remaining(NOON) == 40
    # By then LINE has counted whatever there was to count: some of them have blocked the shop.
    read(100, 55, wall=NOON + timedelta(minutes=15))
    assert quota.remaining(NOON) == 45


def test_what_is_sent_while_line_is_asked_is_not_lost():
    before = quota.ledger(NOON)
    quota.settle(*quota.reserve(5, now=NOON), wall=NOON)
    quota.note_reading(before, limit=100, used=10, wall=NOON)
    assert quota.remaining(NOON) == 85


def test_used_up_means_nothing_until_a_reading_shows_something_left():
    read(100, 10)
    quota.exhaust(NOON, NOON)
    assert quota.is_exhausted(NOON)
    assert quota.remaining(NOON) == 0
    assert quota.reserve(1, now=NOON) == (MONTH, 0)
    read(100, 100, wall=NOON + timedelta(minutes=10))
    assert quota.is_exhausted(NOON)
    read(200, 100, wall=NOON + timedelta(minutes=20))
    assert not quota.is_exhausted(NOON)
    assert quota.remaining(NOON) == 100


def test_a_new_month_starts_afresh():
    read(100, 100)
    quota.exhaust(NOON, NOON)
    assert quota.reserve(5, now=NOON + timedelta(days=10)) == ("2026-12", 5)
    assert QuotaMonth.select().count() == 2
