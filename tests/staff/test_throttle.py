"""Guessing passwords gets slow, per account and per address, and stays so across restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lineadmin.staff import throttle
from lineadmin.staff.models import SignInAttempt

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tries(count, email="mei@example.com", address="10.0.0.1", at=NOON):
    return [throttle.admit(email, address, wall=at) for _ in range(count)]


def test_five_tries_are_looked_at_then_the_account_waits(db):
    assert tries(5) == [None] * 5
    assert tries(1) == [NOON + MINUTE]


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(db):
    at, waits = NOON, []
    tries(5)
    for _ in range(6):
        until = throttle.admit("mei@example.com", "10.0.0.1", wall=at)
        waits.append(until - at)
        at = until
        assert throttle.admit("mei@example.com", "10.0.0.1", wall=at) is None
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 15)]


def test_other_accounts_are_free_until_the_address_has_tried_too_many(db):
    for number in range(4):
        assert tries(5, email=f"p{number}@example.com") == [None] * 5
    assert tries(1, email="p9@example.com") == [NOON + MINUTE]
    assert tries(1, email="p9@example.com", address="10.0.0.2") == [None]


def test_a_right_password_clears_the_account(db):
    tries(5)
    throttle.forgive("mei@example.com", "10.0.0.1")
    assert tries(1) == [None]


def test_an_old_window_counts_no_more_and_is_forgotten(db):
    tries(4)
    later = NOON + throttle.WINDOW + MINUTE
    assert tries(4, at=later) == [None] * 4
    throttle.forget_old(wall=later + 3 * throttle.WINDOW)
    assert SignInAttempt.select().count() == 0


def test_no_address_counts_for_the_account_alone(db):
    tries(30, address="", email="a@example.com")
    assert [row.key for row in SignInAttempt.select()] == ["email:a@example.com"]
