"""Slows down guessing: failed sign-ins are counted per account and per address, on real time."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import Case, fn

from lineadmin.db import atomic, insert_ignore, is_postgres, to_ms
from lineadmin.staff.models import SignInAttempt

WINDOW = timedelta(hours=1)
FIRST_BLOCK = timedelta(minutes=1)
LONGEST_BLOCK = timedelta(minutes=15)
ACCOUNT_LIMIT = 5
ADDRESS_LIMIT = 20


def admit(email: str, address: str, *, wall: datetime) -> datetime | None:
    """Count one try in advance; the end of the block when it is not to be looked at at all.

    Counting before the password is checked leaves no gap in which many guesses run side by side.
    """
    keys = {f"email:{email}": ACCOUNT_LIMIT}
    if address:
        keys[f"address:{address}"] = ADDRESS_LIMIT
    with atomic():
        _hold(sorted(keys), wall)
        blocked: datetime | None = (
            SignInAttempt.select(fn.MAX(SignInAttempt.blocked_until))
            .where(SignInAttempt.key.in_(list(keys)), SignInAttempt.blocked_until > wall)
            .scalar()
        )
        if blocked is not None:
            return blocked
        for key, limit in keys.items():
            _count(key, limit, wall)
    return None


def forgive(email: str, address: str) -> None:
    """A right password: the account starts afresh and the address gets this try back."""
    SignInAttempt.delete().where(SignInAttempt.key == f"email:{email}").execute()
    SignInAttempt.update(failures=SignInAttempt.failures - 1, blocked_until=None).where(
        SignInAttempt.key == f"address:{address}", SignInAttempt.failures > 0
    ).execute()


def forget_old(*, wall: datetime) -> None:
    """Drop counts nobody needs any more."""
    SignInAttempt.delete().where(
        SignInAttempt.window_started_at < wall - 2 * WINDOW,
        SignInAttempt.blocked_until.is_null() | (SignInAttempt.blocked_until < wall),
    ).execute()


def _hold(keys: list[str], wall: datetime) -> None:
    """Let only one try at a time count under these keys; always in the same order."""
    for key in keys:
        insert_ignore(SignInAttempt.insert(key=key, failures=0, window_started_at=wall))
    if is_postgres():
        rows = SignInAttempt.select(SignInAttempt.id).where(SignInAttempt.key.in_(keys))
        list(rows.order_by(SignInAttempt.key).for_update())


def _count(key: str, limit: int, wall: datetime) -> None:
    stale = SignInAttempt.window_started_at < wall - WINDOW
    SignInAttempt.update(
        failures=Case(None, [(stale, 1)], SignInAttempt.failures + 1),
        window_started_at=Case(None, [(stale, to_ms(wall))], SignInAttempt.window_started_at),
    ).where(SignInAttempt.key == key).execute()
    failures = SignInAttempt.get(SignInAttempt.key == key).failures
    if failures >= limit:
        block = min(LONGEST_BLOCK, FIRST_BLOCK * 2 ** min(failures - limit, 10))
        SignInAttempt.update(blocked_until=wall + block).where(SignInAttempt.key == key).execute()
