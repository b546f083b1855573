"""Signed-in browsers, one row each, so that any of them can be ended from here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from lineadmin.staff.models import Staff, StaffSession

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=90)


def start(staff: Staff, *, address: str, browser: str, wall: datetime) -> str:
    """Open a session; the token for the cookie. Only its hash is stored."""
    token = secrets.token_urlsafe(32)
    StaffSession.insert(
        token_hash=_hash(token),
        staff=staff,
        created_at=wall,
        last_seen_at=wall,
        expires_at=wall + ABSOLUTE,
        address=address[:64],
        browser=browser[:200],
    ).execute()
    Staff.update(last_seen_at=wall).where(Staff.id == staff.id).execute()
    StaffSession.delete().where(StaffSession.last_seen_at < wall - KEPT).execute()
    return token


def find(token: str, *, wall: datetime) -> StaffSession | None:
    """The live session of a token, with its person; None when it ended in whatever way."""
    session: StaffSession | None = (
        StaffSession.select(StaffSession, Staff)
        .join(Staff)
        .where(StaffSession.token_hash == _hash(token))
        .get_or_none()
    )
    if session is None or not session.staff.active or not _is_alive(session, wall):
        return None
    if wall - session.last_seen_at > TOUCH_EVERY:
        _touch(session, wall)
    return session


def of(staff: Staff, *, wall: datetime) -> list[StaffSession]:
    """A person's live sessions, the latest used first."""
    rows: Iterable[StaffSession] = (
        StaffSession.select()
        .where(
            StaffSession.staff == staff,
            StaffSession.ended_at.is_null(),
            StaffSession.last_seen_at > wall - IDLE,
            StaffSession.expires_at > wall,
        )
        .order_by(StaffSession.last_seen_at.desc())
    )
    return list(rows)


def end(session_id: int, *, wall: datetime) -> bool:
    """End one session; False when it had ended already."""
    return bool(
        StaffSession.update(ended_at=wall)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_null())
        .execute()
    )


def end_all(staff: Staff | int, *, wall: datetime, but: int | None = None) -> int:
    """End every session of a person, except the one with the id `but`; how many were ended."""
    ended = StaffSession.update(ended_at=wall).where(
        StaffSession.staff == staff, StaffSession.ended_at.is_null()
    )
    if but is not None:
        ended = ended.where(StaffSession.id != but)
    return int(ended.execute())


def _is_alive(session: StaffSession, wall: datetime) -> bool:
    return (
        session.ended_at is None
        and wall < session.expires_at
        and wall - session.last_seen_at < IDLE
    )


def _touch(session: StaffSession, wall: datetime) -> None:
    StaffSession.update(last_seen_at=wall).where(
        StaffSession.id == session.id, StaffSession.last_seen_at < wall
    ).execute()
    Staff.update(last_seen_at=wall).where(Staff.id == session.staff.id).execute()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
