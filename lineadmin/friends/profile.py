"""Names and pictures, asked of LINE in the background, a few at a time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Protocol

from lineadmin.db import atomic, is_postgres
from lineadmin.friends import queries
from lineadmin.friends.models import Friend
from lineadmin.line.answers import Profile
from lineadmin.line.errors import LineError, LineRefused, LineUnclear

logger = logging.getLogger(__name__)

PER_TICK = 20
# After the last one we wait for her next sign of life.
BACKOFF = (
    timedelta(seconds=20),
    timedelta(minutes=2),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
NOT_ASKED_AGAIN_WITHIN = timedelta(seconds=30)  # a lease: longer than one call can take
LONGEST_NAME = 255


class ProfileSource(Protocol):
    """The part of the gateway that knows profiles."""

    def profile(self, user_id: str, *, read_seconds: float | None = None) -> Profile:
        """A friend's name and picture.

        :raises LineError: it did not work
        """
        ...


def fetch_due(gateway: ProfileSource, *, wall: datetime, limit: int = PER_TICK) -> int:
    """Ask LINE for the profiles that are due; how many were answered.

    Stops at the first sign that LINE as a whole does not answer: the others keep their turn.
    """
    answered = 0
    for friend_id, user_id in _claim(wall, limit):
        try:
            profile = gateway.profile(user_id)
        except LineRefused as error:
            _refused(friend_id, error, wall)
            answered += 1
        except LineUnclear:
            _later(friend_id, wall)
        except LineError as error:
            # Not her fault but the line's: no connection, a bad token, too fast.
            logger.info("profiles wait: %s", type(error).__name__)
            break
        else:
            save_profile(friend_id, profile, wall=wall)
            answered += 1
    return answered


def fetch_now(
    gateway: ProfileSource, friend_id: int, user_id: str, *, wall: datetime, seconds: float
) -> str:
    """The friend's name within about `seconds`, or "" where LINE does not tell it in time."""
    try:
        profile = gateway.profile(user_id, read_seconds=seconds)
    except LineError:
        return ""
    save_profile(friend_id, profile, wall=wall)
    return profile.display_name


def save_profile(friend_id: int, profile: Profile, *, wall: datetime) -> None:
    """Keep what LINE says about a friend."""
    Friend.update(
        display_name=profile.display_name[:LONGEST_NAME],
        picture_url=profile.picture_url or "",
        language=(profile.language or "")[:16],
        profile_due_at=None,
        profile_tries=0,
        profile_at=wall,
        profile_gone=False,
    ).where(Friend.id == friend_id).execute()


def want_profiles(friend_ids: list[int], *, wall: datetime) -> None:
    """Ask for these friends' profiles, too, when their turn comes."""
    Friend.update(profile_due_at=wall, profile_tries=0).where(Friend.id.in_(friend_ids)).execute()


def _claim(wall: datetime, limit: int) -> list[tuple[int, str]]:
    """Take the longest waiting; pushing their date ahead keeps a second worker off them."""
    waiting = Friend.profile_due_at.is_null(False) & (Friend.profile_due_at <= wall)
    due = Friend.select(Friend.id).where(waiting).order_by(Friend.profile_due_at).limit(limit)
    if not due.exists():
        return []
    with atomic():
        ids = queries.ids(due.for_update(skip_locked=True) if is_postgres() else due)
        Friend.update(profile_due_at=wall + NOT_ASKED_AGAIN_WITHIN).where(
            Friend.id.in_(ids)
        ).execute()
        rows = Friend.select(Friend.id, Friend.line_user_id).where(Friend.id.in_(ids))
        return [(row.id, row.line_user_id) for row in rows]


def _refused(friend_id: int, error: LineRefused, wall: datetime) -> None:
    if error.status != 404:
        _later(friend_id, wall)
        return
    # She left LINE, blocked us or never was a friend. Only follow and unfollow tell which.
    Friend.update(profile_due_at=None, profile_tries=0, profile_at=wall, profile_gone=True).where(
        Friend.id == friend_id
    ).execute()


def _later(friend_id: int, wall: datetime) -> None:
    tries = Friend.select(Friend.profile_tries).where(Friend.id == friend_id).scalar() or 0
    due = wall + BACKOFF[tries] if tries < len(BACKOFF) else None
    Friend.update(profile_due_at=due, profile_tries=tries + 1).where(
        Friend.id == friend_id
    ).execute()
