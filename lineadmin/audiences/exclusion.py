"""The audience of those a narrowcast must not reach: made for it, and deleted when it is over.

LINE takes no names, only audiences. Whoever wants no messages, or has had enough of them, is
written down as left out of the broadcast first; this hands exactly those over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from lineadmin.audiences.actions import FAILED, THERE, WAITING
from lineadmin.audiences.models import LineAudience
from lineadmin.db import insert_ignore
from lineadmin.friends.models import Friend
from lineadmin.i18n import DEFAULT_LOCALE, _, use_locale
from lineadmin.line import limits
from lineadmin.line.errors import LineError, LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind

EXCLUSION = "exclusion"
DELETE_AGAIN = timedelta(minutes=10)
USER_ID_CHARACTERS = 33


def of(broadcast_id: int) -> LineAudience | None:
    """The audience made for this broadcast; None where there is none (yet)."""
    row: LineAudience | None = LineAudience.get_or_none(
        LineAudience.purpose == EXCLUSION, LineAudience.broadcast_id == broadcast_id
    )
    return row


def is_missing_somebody(broadcast_id: int) -> bool:
    """Whether somebody is left out of the broadcast whom LINE does not know of yet."""
    row = of(broadcast_id)
    cursor = 0 if row is None else row.cursor
    return bool(_left_out(broadcast_id, cursor).limit(1).tuples().first())


def hand_over(broadcast_id: int, *, wall: datetime) -> None:
    """Have the worker hand over whom LINE does not know of yet, in an audience made on first need.

    One that failed is tried again.
    """
    row = of(broadcast_id)
    if row is not None:
        LineAudience.update(state=WAITING, problem="", next_at=wall).where(
            LineAudience.id == row.id, LineAudience.state.in_((THERE, FAILED))
        ).execute()
        return
    with use_locale(DEFAULT_LOCALE):
        name = _("Not for broadcast %(id)s", id=f"{broadcast_id}-{int(wall.timestamp())}")
    insert_ignore(
        LineAudience.insert(
            name=name,
            name_key=name.casefold(),
            purpose=EXCLUSION,
            broadcast_id=broadcast_id,
            state=WAITING,
            next_at=wall,
            created_at=wall,
        )
    )


def start_anew(row: LineAudience) -> None:
    """It could not be made, or LINE could not take people in: the next try makes another one."""
    LineAudience.delete().where(LineAudience.id == row.id).execute()


def batch(row: LineAudience) -> list[tuple[int, str]]:
    """(delivery id, user id) of the next to be handed over."""
    query = _left_out(row.broadcast_id or 0, row.cursor).limit(limits.AUDIENCE_IDS_PER_CALL)
    found: list[tuple[int, str]] = list(query.tuples())
    return found


def forget(broadcast_ids: list[int], gateway: Gateway, wall: datetime) -> int:
    """Delete the audiences of these broadcasts at LINE and here: nothing needs them any more."""
    gone = 0
    rows = LineAudience.select().where(
        LineAudience.purpose == EXCLUSION,
        LineAudience.broadcast_id.in_(broadcast_ids),
        LineAudience.state.in_((WAITING, THERE, FAILED)),
        LineAudience.next_at.is_null() | (LineAudience.next_at <= wall),
    )
    for row in rows:
        if row.line_id is not None:
            try:
                gateway.delete_audience(row.line_id)
            except LineRefused as error:
                if error.status != 404:  # not there any more: as wanted
                    _later(row, wall)
                    continue
            except LineError:
                _later(row, wall)
                continue
        gone += LineAudience.delete().where(LineAudience.id == row.id).execute()
    return gone


def _later(row: LineAudience, wall: datetime) -> None:
    LineAudience.update(state=THERE, next_at=wall + DELETE_AGAIN).where(
        LineAudience.id == row.id
    ).execute()


def _left_out(broadcast_id: int, after: int) -> Any:
    return (
        Delivery.select(Delivery.id, Friend.line_user_id)
        .join(Friend, on=(Friend.id == Delivery.friend_id))
        .where(
            Delivery.origin_kind == int(OriginKind.BROADCAST),
            Delivery.origin_id == broadcast_id,
            Delivery.id > after,
            Delivery.state == int(DeliveryState.SKIPPED),
            # What cannot be one of LINE's ids cannot get anything from LINE either.
            fn.LENGTH(Friend.line_user_id) == USER_ID_CHARACTERS,
            Friend.line_user_id.startswith("U"),
        )
        .order_by(Delivery.id)
    )
