"""Learning of friends and following their coming and going.

LINE may send events twice, late and out of order, so `status` moves only when the event's own
timestamp is not older than that of the event which set it: each change is one conditional update.
Every event comes through here, so the statements are written by hand (see `db.run_sql`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lineadmin import journal
from lineadmin.db import run_sql, to_ms
from lineadmin.friends.models import Friend


@dataclass(frozen=True)
class Follow:
    """What a follow event meant.

    `current`: she has not blocked us again since. `first`: the shop never saw her follow before
    and LINE does not call it an unblocking, so the first greeting is hers.
    """

    current: bool
    first: bool


@dataclass(frozen=True)
class Known:
    """As much of a friend as handling an event needs."""

    id: int
    language: str


def learn(line_user_id: str, *, at: datetime, wall: datetime, fetch_profile: bool = True) -> Known:
    """The friend with this LINE user id, new where the shop had never heard of her.

    `at` is shop time; a new friend's profile is asked for in the background from `wall` on.
    """
    known = _find(line_user_id)
    if known is None:
        run_sql(
            "INSERT INTO friend (line_user_id, display_name, picture_url, language, status,"
            " status_at, opted_out_by, consent_at, source_origin, first_seen_at, gender_origin,"
            " birth_origin, region_origin, os_origin, note, profile_due_at, profile_tries,"
            " profile_gone, version)"
            " VALUES (?, '', '', '', 'unknown', 0, '', 0, '', ?, '', '', '', '', '', ?, 0, ?, 1)"
            " ON CONFLICT DO NOTHING",
            line_user_id,
            to_ms(at),
            to_ms(wall) if fetch_profile else None,
            False,
        )
    return known or _find(line_user_id) or _lost(line_user_id)


def learn_friend(
    line_user_id: str, *, at: datetime, wall: datetime, fetch_profile: bool = True
) -> Friend:
    """`learn` for those who want the whole row."""
    known = learn(line_user_id, at=at, wall=wall, fetch_profile=fetch_profile)
    friend: Friend = Friend.get_by_id(known.id)
    return friend


def seen(friend_id: int, *, at: datetime) -> bool:
    """Note a sign of life at shop time `at`; False where a later one is known."""
    moment = to_ms(at)
    cursor = run_sql(
        "UPDATE friend SET last_seen_at = ?"
        " WHERE id = ? AND (last_seen_at IS NULL OR last_seen_at < ?)",
        moment,
        friend_id,
        moment,
    )
    return bool(cursor.rowcount)


def heard_from(friend_id: int, *, event_at: datetime, at: datetime) -> None:
    """A message or a tap: a sign of life, and proof that she is a friend, unless a later event
    says otherwise."""
    event, moment = to_ms(event_at), to_ms(at)
    run_sql(
        "UPDATE friend SET"
        " last_seen_at = CASE WHEN last_seen_at > ? THEN last_seen_at ELSE ? END,"
        " status = CASE WHEN status_at <= ? THEN 'friend' ELSE status END,"
        " status_at = CASE WHEN status_at <= ? THEN ? ELSE status_at END"
        " WHERE id = ?",
        moment,
        moment,
        event,
        event,
        event,
        friend_id,
    )


def follow(
    friend_id: int, *, event_at: datetime, at: datetime, wall: datetime, is_unblocked: bool
) -> Follow:
    """She added the account, for the first time or again.

    `event_at` is LINE's timestamp, which decides between events; `at` the same moment in shop time.
    The fact is `followed` once in a friend's life and `unblocked` from then on.
    """
    event, moment = to_ms(event_at), to_ms(at)
    never_before = run_sql(
        "UPDATE friend SET first_followed_at = ? WHERE id = ? AND first_followed_at IS NULL",
        moment,
        friend_id,
    ).rowcount
    first = bool(never_before) and not is_unblocked
    # Names and pictures change while people are away.
    current = run_sql(
        "UPDATE friend SET status = 'friend', status_at = ?, followed_at = ?, blocked_at = NULL,"
        " profile_due_at = ?, profile_tries = 0 WHERE id = ? AND status_at <= ?",
        event,
        moment,
        to_ms(wall),
        friend_id,
        event,
    ).rowcount
    seen(friend_id, at=at)
    kind = "followed" if first else "unblocked"
    journal.record(friend_id, kind, value={"is_unblocked": is_unblocked}, at=at)
    return Follow(current=bool(current), first=first)


def unfollow(friend_id: int, *, event_at: datetime, at: datetime) -> bool:
    """She blocked the account; False where she has come back since. The fact is kept either way."""
    event = to_ms(event_at)
    current = run_sql(
        "UPDATE friend SET status = 'blocked', status_at = ?, blocked_at = ?,"
        " profile_due_at = NULL WHERE id = ? AND status_at <= ?",
        event,
        to_ms(at),
        friend_id,
        event,
    ).rowcount
    journal.record(friend_id, "blocked", at=at)
    return bool(current)


def _lost(line_user_id: str) -> Known:
    raise LookupError(f"a friend that was just learned is gone: {line_user_id}")


def _find(line_user_id: str) -> Known | None:
    row = run_sql("SELECT id, language FROM friend WHERE line_user_id = ?", line_user_id).fetchone()
    return None if row is None else Known(row[0], row[1])
