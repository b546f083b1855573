"""Slows down guessing: misses are counted per staff member, address and copy, on real time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from peewee import Case

from lineadmin.coupons.models import GuessCount
from lineadmin.db import atomic, insert_ignore, to_ms
from lineadmin.errors import DomainError
from lineadmin.i18n import _n

KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """So many misses within so much real time; then nothing is looked up until it has passed."""

    misses: int
    window: timedelta


STAFF_CODES = Limit(20, timedelta(minutes=10))
# A mobile network puts many phones behind one address; good links never count.
ADDRESS = Limit(60, timedelta(minutes=10))
PIN = Limit(5, timedelta(minutes=10))


class TooManyTries(DomainError):
    """Not looked at: too many misses. `minutes` tells when to come back."""

    def __init__(self, minutes: int) -> None:
        super().__init__(
            _n(
                "Too many wrong tries. Please wait %(count)s minute.",
                "Too many wrong tries. Please wait %(count)s minutes.",
                minutes,
            )
        )
        self.minutes = minutes


def staff_key(staff_id: int) -> tuple[str, Limit]:
    """Codes one member of staff types."""
    return f"staff:{staff_id}", STAFF_CODES


def address_key(address: str) -> tuple[str, Limit]:
    """Links opened from one address; an IPv6 customer has a whole /64."""
    try:
        if ip_address(address).version == 6:
            address = str(ip_network(f"{address}/64", strict=False))
    except ValueError:
        address = address[:60]
    return f"address:{address}", ADDRESS


def pin_key(issue_id: int) -> tuple[str, Limit]:
    """PINs tried on one copy."""
    return f"pin:{issue_id}", PIN


def check(counted: tuple[str, Limit], *, wall: datetime) -> None:
    """Pass, or refuse.

    :raises TooManyTries: the limit is reached
    """
    key, limit = counted
    row = GuessCount.get_or_none(
        GuessCount.key == key,
        GuessCount.misses >= limit.misses,
        GuessCount.window_started_at > wall - limit.window,
    )
    if row is not None:
        left = row.window_started_at + limit.window - wall
        raise TooManyTries(max(1, -(-left // timedelta(minutes=1))))


def miss(counted: tuple[str, Limit], *, wall: datetime) -> None:
    """Count one wrong try."""
    key, limit = counted
    with atomic():
        if insert_ignore(GuessCount.insert(key=key, misses=0, window_started_at=wall)):
            GuessCount.delete().where(GuessCount.window_started_at < wall - KEPT).execute()
        stale = GuessCount.window_started_at <= wall - limit.window
        GuessCount.update(
            misses=Case(None, [(stale, 1)], GuessCount.misses + 1),
            window_started_at=Case(None, [(stale, to_ms(wall))], GuessCount.window_started_at),
        ).where(GuessCount.key == key).execute()


def forgive(counted: tuple[str, Limit]) -> None:
    """A right try: the count starts afresh."""
    GuessCount.delete().where(GuessCount.key == counted[0]).execute()


def admit(counted: tuple[str, Limit], *, wall: datetime) -> None:
    """Count one try before it is looked at, so that many at once leave no gap; `forgive` later.

    :raises TooManyTries: the limit is passed
    """
    miss(counted, wall=wall)
    key, limit = counted
    row = GuessCount.get_or_none(GuessCount.key == key)  # none: forgiven this moment
    if row is not None and row.misses > limit.misses:
        left = row.window_started_at + limit.window - wall
        raise TooManyTries(max(1, -(-left // timedelta(minutes=1))))
