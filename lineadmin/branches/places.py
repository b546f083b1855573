"""Places friends send: the nearest branch to each, kept true while branches come, move and go.

A place is believed for half a year and forgotten when its message is taken back. What it tells
never replaces a home branch somebody has said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL

from lineadmin import journal, settings
from lineadmin.branches.distance import Near, nearest
from lineadmin.db import atomic, one_of, run_sql, to_ms
from lineadmin.friends.models import Branch, Friend, FriendPlace
from lineadmin.outbox.live import Listed

LIVES = timedelta(days=180)
MAP = "branches.map"  # the setting whose version moves with every change of the list
CHUNK = 2_000
OBSERVED = "observed"
DECIMALS = 4  # some ten metres: enough for a branch, and no more than that is kept


def active() -> list[Branch]:
    """The branches a friend can be sent to."""
    return list(Branch.select().where(Branch.active).order_by(Branch.id))


def map_changed(*, wall: datetime) -> None:
    """The list of branches is another: every place has to be reckoned again."""
    settings.mark(MAP, True, wall=wall)


def sent(
    friend_id: int, latitude: float, longitude: float, *, message_id: str, at: datetime
) -> Near | None:
    """A friend sent a place: the branch nearest to it; None where the shop has none.

    Without branches nothing is kept. An older message that arrives late changes nothing.
    """
    version = settings.version_of(MAP)  # before the branches: a change in between is seen later
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    latitude, longitude = round(latitude, DECIMALS), round(longitude, DECIMALS)
    near = nearest(latitude, longitude, active())
    if near is None:
        return None
    newest = run_sql(
        "INSERT INTO friend_place (friend_id, latitude, longitude, sent_at, message_id, nearest_id,"
        " metres, map_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (friend_id) DO UPDATE SET latitude = excluded.latitude,"
        " longitude = excluded.longitude, sent_at = excluded.sent_at,"
        " message_id = excluded.message_id, nearest_id = excluded.nearest_id,"
        " metres = excluded.metres, map_version = excluded.map_version"
        " WHERE friend_place.sent_at <= excluded.sent_at",
        friend_id,
        latitude,
        longitude,
        to_ms(at),
        message_id[:64],
        near.branch.id,
        near.metres,
        version,
    ).rowcount
    if newest:
        _follow([friend_id], at)
    return near


def take_back(friend_id: int, message_id: str, *, at: datetime) -> bool:
    """She took back the message with her last place; False where it was another one."""
    place = FriendPlace.get_or_none(
        (FriendPlace.friend == friend_id) & (FriendPlace.message_id == message_id[:64])
    )
    if place is None or not message_id:
        return False
    _forget([place], at)
    return True


def keep_up(now: datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Forget places that are too old and reckon those of an older list again, in portions; answers
    how many places it was."""
    done = 0
    while not stopping():
        some = _forget_old(now) + _reckon(now)
        done += some
        if not some:
            break
    return done


def is_due(now: datetime) -> bool:
    """Whether there are places to forget or to reckon again."""
    return bool(_old(now).exists()) or bool(_stale(settings.version_of(MAP)).exists())


def _old(now: datetime) -> Any:
    return FriendPlace.select().where(FriendPlace.sent_at < now - LIVES)


def _stale(version: int) -> Any:
    return FriendPlace.select().where(FriendPlace.map_version < version)


def _forget_old(now: datetime) -> int:
    with atomic():
        rows = list(_old(now).order_by(FriendPlace.sent_at).limit(CHUNK))
        _forget(rows, now)
    return len(rows)


def _forget(places: list[FriendPlace], at: datetime) -> None:
    if not places:
        return
    FriendPlace.delete().where(one_of(FriendPlace.id, [row.id for row in places])).execute()
    _follow([row.friend_id for row in places], at)


def _reckon(now: datetime) -> int:
    version = settings.version_of(MAP)
    with atomic():
        rows = list(_stale(version).limit(CHUNK))
        if not rows:
            return 0
        branches = active()
        found: list[tuple[int, ...]] = []
        for row in rows:
            near = nearest(row.latitude, row.longitude, branches)
            to = (0, -1) if near is None else (near.branch.id, near.metres)
            found.append((row.id, to_ms(row.sent_at), *to))
        listed = Listed.rows("reckoned", ((numbers, ()) for numbers in found))
        FriendPlace.update(
            nearest=SQL("NULLIF(reckoned.column3, 0)"),
            metres=SQL("NULLIF(reckoned.column4, -1)"),
            map_version=version,
        ).from_(listed.source).where(
            (FriendPlace.id == listed.column(1)) & (FriendPlace.sent_at == listed.column(2))
        ).execute()
        _follow([row.friend_id for row in rows], now)
    return len(rows)


def _follow(friend_ids: list[int], at: datetime) -> None:
    """Where nobody said a home branch, it is the nearest one; none without a place."""
    silent = Friend.branch.is_null() | (Friend.branch_origin == OBSERVED)
    rows: Any = (
        Friend.select(Friend.id, Friend.branch, FriendPlace.nearest, Branch.name)
        .left_outer_join(FriendPlace, on=(FriendPlace.friend == Friend.id))
        .left_outer_join(Branch, on=(Branch.id == FriendPlace.nearest))
        .where(one_of(Friend.id, friend_ids) & silent)
        .tuples()
    )
    moved: dict[tuple[int | None, str], list[int]] = defaultdict(list)
    for friend_id, before, now_nearest, name in rows:
        if before != now_nearest:
            moved[now_nearest, name or ""].append(friend_id)
    for (branch_id, name), ids in moved.items():
        origin = "" if branch_id is None else OBSERVED
        Friend.update(branch=branch_id, branch_origin=origin).where(
            one_of(Friend.id, ids) & silent
        ).execute()
        value: dict[str, Any] = {"by": OBSERVED, "set": {"branch": name}}
        journal.record_many(ids, "attribute.set", value=value, at=at)
