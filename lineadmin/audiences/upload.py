"""Having LINE make audiences, by the worker: at most 10,000 friends in a call, one at a time.

LINE has no retry key here and takes nobody out again. Making an audience is therefore fenced, and
one that was asked for and not answered for is looked up by its name in LINE's list. Adding friends
is harmless to repeat: the cursor moves once LINE has said yes.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from lineadmin import settings
from lineadmin.audiences import exclusion
from lineadmin.audiences.actions import ASKED, FAILED, THERE, UNCLEAR, UNDERWAY, WAITING
from lineadmin.audiences.models import LineAudience
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.line import limits
from lineadmin.line.errors import LineAuthFailed, LineError, LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.segments.compile import where

SURE_AFTER = timedelta(minutes=2)  # by then an audience LINE made after all is in its list
RETRY_AFTER = timedelta(minutes=1)
BETWEEN_CALLS = timedelta(seconds=2)  # LINE takes 60 in a minute
NOT_READY = "REQUEST_NOT_FOUND"  # LINE does not know the message yet
NOT_READY_AGAIN = timedelta(minutes=10)
NOT_READY_FOR = timedelta(hours=24)
NOBODY, NOT_ALLOWED, NO_SEGMENT = "nobody", "not_allowed", "no_segment"

_USER_ID = re.compile(limits.USER_ID_PATTERN)


def advance(gateway: Gateway, now: datetime, wall: datetime) -> int:
    """One call to LINE for the audience that waits longest; 0 where none is due."""
    row = (
        LineAudience.select()
        .where(LineAudience.state.in_(UNDERWAY), LineAudience.next_at <= wall)
        .order_by(LineAudience.next_at)
        .first()
    )
    if row is None:
        return 0
    if row.state != WAITING:
        _look_up(row, gateway, wall)
        return 1
    if row.request_id:
        _ask_for_engaged(row, gateway, wall)
        return 1
    try:
        batch = exclusion.batch(row) if row.purpose else _batch(row, now)
    except DomainError:
        _set(row, state=FAILED, problem=NO_SEGMENT)
        return 1
    try:
        _hand_over(row, batch, gateway, wall)
    except LineRefused as error:
        _set(row, state=FAILED, problem=_words(error))
    except LineError as error:
        _again(row, error, wall)
    return 1


def _ask_for_engaged(row: LineAudience, gateway: Gateway, wall: datetime) -> None:
    """Who saw or tapped a narrowcast: LINE needs a while until it knows the message."""
    if not _claim(row, wall):
        return
    try:
        made = gateway.create_engaged_audience(row.kind, row.name, row.request_id)
    except LineRefused as error:
        young = wall - row.created_at < NOT_READY_FOR
        if NOT_READY in _words(error) and young:
            _set(row, state=WAITING, next_at=wall + NOT_READY_AGAIN)
        else:
            _set(row, state=FAILED, problem=_words(error))
    except LineError as error:
        _again(row, error, wall)
    else:
        _set(
            row,
            line_id=made.id,
            expires_at=made.expires_at,
            status="IN_PROGRESS",
            state=THERE,
            next_at=None,
        )


def _again(row: LineAudience, error: LineError, wall: datetime) -> None:
    if isinstance(error, LineAuthFailed):
        # A token can be renewed by staff; what the account may not do stays so.
        wrong = {"state": FAILED, "problem": NOT_ALLOWED} if error.status == 403 else {}
        _set(row, **{"state": WAITING, "next_at": wall + RETRY_AFTER} | wrong)
        return
    unclear = row.line_id is None and not error.certainly_not_sent
    state, wait = (UNCLEAR, SURE_AFTER) if unclear else (WAITING, RETRY_AFTER)
    _set(row, state=state, next_at=wall + wait)


def _words(error: LineError) -> str:
    words = [error.message, *(line.message for line in error.details)]
    return " · ".join(word for word in words if word)[:500]


def _claim(row: LineAudience, wall: datetime) -> bool:
    claimed = LineAudience.update(state=ASKED, next_at=wall + SURE_AFTER).where(
        LineAudience.id == row.id, LineAudience.state == WAITING, LineAudience.line_id.is_null()
    )
    return bool(claimed.execute())


def _batch(row: LineAudience, now: datetime) -> list[tuple[int, str]]:
    """The next friends: those who blocked or opted out are left at home, as from any sending."""
    tree = {"field": "segment", "op": "is", "value": row.segment}
    condition = where(tree, now=now, zone=settings.shop_zone(), per_friend=True)
    query = (
        Friend.select(Friend.id, Friend.line_user_id)
        .where(
            condition,
            Friend.id > row.cursor,
            Friend.status != BLOCKED,
            Friend.opted_out_at.is_null(),
        )
        .order_by(Friend.id)
        .limit(limits.AUDIENCE_IDS_PER_CALL)
    )
    found: list[tuple[int, str]] = list(query.tuples())  # type: ignore[arg-type]
    return found


def _hand_over(
    row: LineAudience, batch: list[tuple[int, str]], gateway: Gateway, wall: datetime
) -> None:
    users = [user for _friend, user in batch if _USER_ID.fullmatch(user)]
    if row.line_id is None:
        if not users and row.purpose:
            cursor = batch[-1][0] if batch else row.cursor
            _set(row, state=THERE, next_at=None, cursor=cursor)
            return
        if not users:
            _set(row, state=FAILED, problem=NOBODY, left_out=len(batch))
            return
        if not _claim(row, wall):
            return
        made = gateway.create_audience(row.name, users)
        LineAudience.update(
            line_id=made.id, expires_at=made.expires_at, status="IN_PROGRESS", members=None
        ).where(LineAudience.id == row.id).execute()
    elif users:
        gateway.add_to_audience(row.line_id, users)
    whole = len(batch) < limits.AUDIENCE_IDS_PER_CALL
    LineAudience.update(
        state=THERE if whole else WAITING,
        next_at=None if whole else wall + BETWEEN_CALLS,
        cursor=batch[-1][0] if batch else row.cursor,
        handed=LineAudience.handed + len(users),
        left_out=LineAudience.left_out + len(batch) - len(users),
    ).where(LineAudience.id == row.id, LineAudience.cursor == row.cursor).execute()


def _look_up(row: LineAudience, gateway: Gateway, wall: datetime) -> None:
    try:
        listed = gateway.audiences(row.name)
    except LineError:
        _set(row, state=UNCLEAR, next_at=wall + RETRY_AFTER)
        return
    taken = {one.line_id for one in LineAudience.select(LineAudience.line_id)}
    for one in listed:
        mine = one.kind == row.kind and one.created >= int(row.created_at.timestamp()) - 60
        if mine and one.name.casefold() == row.name_key and one.id not in taken:
            known = {"line_id": one.id, "status": one.status}
            whole = {"state": THERE, "next_at": None}
            _set(row, **known, **whole if row.request_id else {"state": WAITING, "next_at": wall})
            return
    _set(row, state=WAITING, next_at=wall)


def _set(row: LineAudience, **values: object) -> None:
    LineAudience.update(**values).where(LineAudience.id == row.id).execute()
