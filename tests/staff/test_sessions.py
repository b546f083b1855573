"""Sessions are rows: they end when they should, at once, wherever the cookie is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lineadmin.staff import sessions
from lineadmin.staff.models import Staff, StaffSession
from tests.factories import make_staff

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def mei(db):
    return make_staff("manager")


def start(staff, at=NOON):
    return sessions.start(staff, address="10.0.0.1", browser="Chrome", wall=at)


def test_a_token_finds_its_person_and_is_stored_as_a_hash_only(mei):
    token = start(mei)
    assert sessions.find(token, wall=NOON).staff == mei
    assert sessions.find(token + "x", wall=NOON) is None
    assert token not in StaffSession.get().token_hash


def test_an_idle_session_ends_after_twelve_hours_and_a_used_one_goes_on(mei):
    idle, used = start(mei), start(mei)
    for hour in range(1, 12):
        assert sessions.find(used, wall=NOON + hour * HOUR)
    assert sessions.find(idle, wall=NOON + 12 * HOUR) is None
    assert sessions.find(used, wall=NOON + 22 * HOUR)


def test_no_session_lives_longer_than_thirty_days(mei):
    token, at = start(mei), NOON
    while at < NOON + timedelta(days=30) - 11 * HOUR:
        at += 11 * HOUR
        assert sessions.find(token, wall=at)
    assert sessions.find(token, wall=NOON + timedelta(days=30)) is None


def test_a_session_of_somebody_switched_off_is_none(mei):
    token = start(mei)
    Staff.update(active=False).execute()
    assert sessions.find(token, wall=NOON) is None


def test_sessions_end_one_by_one_or_all_but_one(mei):
    here, phone, desk = start(mei), start(mei), start(mei)
    row = sessions.find(phone, wall=NOON)
    assert sessions.end(row.id, wall=NOON)
    assert not sessions.end(row.id, wall=NOON)
    kept = sessions.find(here, wall=NOON)
    assert sessions.end_all(mei, wall=NOON, but=kept.id) == 1
    assert sessions.find(desk, wall=NOON) is None
    assert [one.id for one in sessions.of(mei, wall=NOON)] == [kept.id]


def test_being_seen_is_written_at_most_once_a_minute(mei):
    token = start(mei)
    sessions.find(token, wall=NOON + timedelta(seconds=30))
    assert StaffSession.get().last_seen_at == NOON
    sessions.find(token, wall=NOON + timedelta(seconds=61))
    assert StaffSession.get().last_seen_at == NOON + timedelta(seconds=61)
