"""How fast: buckets, backoff, and holding still while LINE is down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lineadmin.outbox.pace import TROUBLE_AFTER, Breaker, Bucket, backoff
from lineadmin.outbox.quiet import ends_at
from lineadmin.settings import ShopSettings


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def bucket(per_second: float) -> tuple[Bucket, Time]:
    time = Time()
    return Bucket(per_second, clock=time, sleep=time.sleep), time


def test_a_bucket_never_lets_more_through_than_its_rate():
    full, time = bucket(200)
    started = time.now
    for _ in range(400):
        assert full.take(time.now + 60)
    seconds = time.now - started
    assert 1.85 <= seconds <= 2.0  # 400 at 200/s, less the burst


def test_after_too_fast_nothing_leaves_for_a_while():
    full, time = bucket(2_000)
    full.too_fast(retry_after=3)
    started = time.now
    assert full.take(time.now + 60)
    assert time.now - started >= 3


def test_too_fast_again_and_again_holds_longer_until_line_takes_one():
    full, time = bucket(2_000)
    waits = []
    for answer in ("no", "no", "no", "no", "yes", "no"):
        if answer == "yes":
            full.fine()
            continue
        full.too_fast()
        started = time.now
        assert full.take(time.now + 60)
        waits.append(round(time.now - started, 1))
    assert waits == [0.1, 0.2, 0.4, 0.8, 0.1]


def test_a_token_that_would_come_too_late_is_not_waited_for():
    full, time = bucket(1)
    assert full.take(time.now)
    assert full.take(time.now + 0.5) is False
    assert time.now == 100.0


@pytest.mark.parametrize(("tries", "longest"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (99, 60)])
def test_backoff_doubles_up_to_a_minute_with_half_of_it_by_chance(tries: int, longest: int):
    assert backoff(tries, lambda: 1.0) == timedelta(seconds=longest)
    assert backoff(tries, lambda: 0.0) == timedelta(seconds=longest / 2)


def test_failures_in_a_row_leave_one_probe_at_a_time():
    time = Time()
    breaker = Breaker(time)
    for _ in range(TROUBLE_AFTER - 1):
        breaker.failed()
    assert breaker.allowed(8) == 8
    breaker.failed()
    assert breaker.in_trouble
    assert breaker.allowed(8) == 0
    time.now += 60
    assert breaker.allowed(8) == 1
    assert breaker.allowed(0) == 0
    breaker.answered()
    assert breaker.allowed(8) == 8


# Quiet hours ---------------------------------------------------------------------------------


def shop(quiet_from: str, quiet_until: str, zone: str = "Asia/Taipei") -> ShopSettings:
    return ShopSettings(timezone=zone, quiet_from=quiet_from, quiet_until=quiet_until)


def local(text: str, zone: str = "Asia/Taipei", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-23 20:59:59", None),
        ("2026-11-23 21:00", "2026-11-24 09:00"),
        ("2026-11-23 23:59", "2026-11-24 09:00"),
        ("2026-11-24 00:00", "2026-11-24 09:00"),
        ("2026-11-24 08:59:59", "2026-11-24 09:00"),
        ("2026-11-24 09:00", None),
        ("2026-11-24 12:00", None),
    ],
)
def test_quiet_hours_run_over_midnight(moment: str, end: str | None):
    expected = None if end is None else local(end)
    assert ends_at(shop("21:00", "09:00"), local(moment)) == expected


def test_quiet_hours_within_a_day():
    midday = shop("12:00", "13:30")
    assert ends_at(midday, local("2026-11-23 12:30")) == local("2026-11-23 13:30")
    assert ends_at(midday, local("2026-11-23 13:30")) is None


def test_a_shop_without_quiet_hours_has_none():
    assert ends_at(ShopSettings(), local("2026-11-23 03:00")) is None


BERLIN = "Europe/Berlin"  # 25 October 2026: 03:00 becomes 02:00; 29 March: 02:00 becomes 03:00


def test_an_hour_that_happens_twice_does_not_make_it_quiet_again():
    night = shop("23:00", "02:30", BERLIN)
    first = local("2026-10-25 02:30", BERLIN)
    assert ends_at(night, first - timedelta(minutes=1)) == first
    assert ends_at(night, first) is None
    assert ends_at(night, local("2026-10-25 02:15", BERLIN, fold=1)) is None


def test_an_end_that_never_happens_ends_when_the_clocks_were_moved():
    night = shop("23:00", "02:30", BERLIN)
    assert ends_at(night, local("2026-03-29 01:59", BERLIN)) is not None
    assert ends_at(night, local("2026-03-29 03:30", BERLIN)) is None


def test_the_end_is_the_end_in_every_season():
    night = shop("21:00", "09:00", BERLIN)
    for day in ("2026-03-29", "2026-10-25", "2026-07-01"):
        assert ends_at(night, local(f"{day} 04:00", BERLIN)) == local(f"{day} 09:00", BERLIN)
