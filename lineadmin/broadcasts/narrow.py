"""Broadcasts whose recipients LINE chooses, on their way.

Whoever must not get it is written down as left out, handed over to LINE as an audience
(narrow_line.py), and looked for once more, until nobody is left to be handed over. Only then is the
one request frozen. Each step is a short transaction that may be lost or repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lineadmin import config, settings
from lineadmin.audiences import exclusion
from lineadmin.audiences.usable import usable
from lineadmin.broadcasts import estimated as language
from lineadmin.broadcasts import estimated_sum, states
from lineadmin.broadcasts.dormant import asleep
from lineadmin.broadcasts.models import Broadcast, Narrowcast
from lineadmin.broadcasts.variants import PRIORITY
from lineadmin.db import atomic, dump_json, insert_ignore, is_postgres
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.prepare import Item, prepare
from lineadmin.outbox import narrow, pauses, quiet, reasons
from lineadmin.outbox.models import Content, Delivery, OriginKind, ShipmentState
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import CHUNK, Cap, plan_where

LIST, HAND, SEND = "list", "hand", "send"
EXCLUSION, AUDIENCE = "exclusion", "audience"  # reasons to pause
HAS_IT = (ShipmentState.FLYING, ShipmentState.ACCEPTED, ShipmentState.UNKNOWN)


def of(broadcast_id: int) -> Narrowcast:
    """How far it is; the row is made on first need."""
    row = Narrowcast.get_or_none(Narrowcast.broadcast_id == broadcast_id)
    if row is None:
        insert_ignore(Narrowcast.insert(broadcast_id=broadcast_id))
        row = Narrowcast.get(Narrowcast.broadcast_id == broadcast_id)
    return row


def begin(broadcast_id: int) -> None:
    """Forget an earlier try: it is about to leave."""
    Narrowcast.delete().where(Narrowcast.broadcast_id == broadcast_id).execute()
    of(broadcast_id)


def advance(
    broadcast_id: int, state: str, now: datetime, wall: datetime, stopping: Callable[[], bool]
) -> int:
    """Do whatever can be done without LINE; how many steps that were."""
    steps = 0
    if state == states.PLANNING:
        while not stopping() and _list_chunk(broadcast_id, now, wall):
            steps += 1
    return steps


def freeze(broadcast_id: int, now: datetime, wall: datetime) -> int:
    """Store the one request, unless LINE has one or it may not leave now: then 0.

    Have the month's messages read before.
    """
    with atomic():
        row = _locked(broadcast_id, states.SENDING)
        if row is None or _must_wait(row, now, wall):
            return 0
        if _somebody_is_new(row.id):
            back = {"state": states.PLANNING, "cursor": 0, "plan_whole_at": None}
            Broadcast.update(**back).where(Broadcast.id == row.id).execute()
            _step(row.id, LIST, ask_at=None)
            return 1
        messages, problem = _messages(row, now)
        if messages is None:
            pause(row.id, problem)
            return 1
        try:
            included, excluded = _audiences(row)
        except DomainError as error:
            pause(row.id, AUDIENCE, str(error))
            return 1
        left_out = Delivery.select().where(
            Delivery.origin_kind == int(OriginKind.BROADCAST), Delivery.origin_id == row.id
        )

        def body(most: int) -> str:
            asked = language.request(
                messages, row.estimated, included=included, excluded=excluded, most=most
            )
            return dump_json(asked)

        shipment = narrow.freeze(
            OriginKind.BROADCAST,
            row.id,
            body,
            max(1, estimated_sum.most(row.estimated, left_out.count())),
            partly=bool(row.estimated.get("up_to_remaining")),
            now=now,
            wall=wall,
        )
        if shipment is None:
            Broadcast.update(pause_reason=reasons.QUOTA).where(Broadcast.id == row.id).execute()
            return 0
        Broadcast.update(pause_reason="").where(Broadcast.id == row.id).execute()
        _step(row.id, SEND, ask_at=wall, shipment_id=shipment.id, error="")
    return 1


def is_listing(broadcast_ids: list[int]) -> bool:
    """Whether any of these has friends to look through, rather than LINE to wait for."""
    return bool(
        Narrowcast.select()
        .where(Narrowcast.broadcast_id.in_(broadcast_ids), Narrowcast.step == LIST)
        .exists()
    )


def line_has_it(broadcast_id: int) -> bool:
    """Whether LINE has the request, or may have: then nobody can call it back."""
    shipment = narrow.latest(OriginKind.BROADCAST, broadcast_id)
    return (
        shipment is not None
        and (shipment.state in HAS_IT or shipment.first_unclear_at is not None)
        and narrow.is_live(shipment)
    )


def finish_stopping(broadcast_id: int, now: datetime) -> bool:
    """Stopped, and LINE certainly has nothing of it: it is over."""
    if narrow.is_live(narrow.latest(OriginKind.BROADCAST, broadcast_id)):
        return False
    return bool(
        Broadcast.update(
            state=states.CANCELED,
            finished_at=now,
            sent_count=0,
            pause_reason="",
            version=Broadcast.version + 1,
        )
        .where(Broadcast.id == broadcast_id, Broadcast.state == states.STOPPING)
        .execute()
    )


def pause(broadcast_id: int, reason: str, words: str = "") -> None:
    """It can't go on until staff have looked; `words` say why."""
    with atomic():
        Broadcast.update(
            state=states.PAUSED, pause_reason=reason, version=Broadcast.version + 1
        ).where(
            Broadcast.id == broadcast_id,
            Broadcast.state.in_((states.PLANNING, states.SENDING)),
        ).execute()
        Narrowcast.update(error=words[:500]).where(
            Narrowcast.broadcast_id == broadcast_id
        ).execute()


def look_again(broadcast_id: int, wall: datetime) -> None:
    """Staff let it go on: have LINE asked again about what it waits for."""
    Narrowcast.update(ask_at=wall, asked=0, error="").where(
        Narrowcast.broadcast_id == broadcast_id,
        Narrowcast.step != LIST,
        Narrowcast.ask_at.is_null(),
    ).execute()


def _list_chunk(broadcast_id: int, now: datetime, wall: datetime) -> bool:
    """Write down the next friends who must not get it; False when there is nothing to do."""
    with atomic():
        row = _locked(broadcast_id, states.PLANNING)
        if row is None or of(broadcast_id).step != LIST:
            return False
        planned = plan_where(
            Origin(OriginKind.BROADCAST, row.id),
            row.content_id,
            estimated_sum.left_out_of_all(),
            after_friend_id=row.cursor,
            limit=CHUNK,
            due_at=row.leaves_at,
            priority=PRIORITY,
            now=now,
            cap=None if row.service else Cap.of(settings.shop()),
            asleep=asleep(row.wake),
            only_left_out=True,
        )
        mine = (Broadcast.id == row.id) & (Broadcast.state == states.PLANNING)
        if planned.last_friend_id is not None:
            Broadcast.update(cursor=planned.last_friend_id).where(mine).execute()
            return True
        if exclusion.is_missing_somebody(row.id):
            exclusion.hand_over(row.id, wall=wall)
            _step(row.id, HAND, ask_at=wall)
        elif now > row.leaves_at + states.LATE_AFTER:
            # LINE took hours to take the list in: whether it still makes sense is staff's to say.
            Broadcast.update(state=states.LATE, version=Broadcast.version + 1).where(mine).execute()
        else:
            Broadcast.update(state=states.SENDING, plan_whole_at=now).where(mine).execute()
            _step(row.id, SEND, ask_at=wall)
    return False


def _must_wait(row: Broadcast, now: datetime, wall: datetime) -> bool:
    shipment = narrow.latest(OriginKind.BROADCAST, row.id)
    if narrow.is_live(shipment) or narrow.must_wait(shipment, wall):
        return True
    if quiet.ends_at(settings.shop(), now) is not None and not row.quiet_override:
        return True
    return pauses.current().nothing_leaves


def _somebody_is_new(broadcast_id: int) -> bool:
    """Whether somebody opted out since the list was made: she must not get it."""
    listed = Delivery.select(Delivery.friend_id).where(
        Delivery.origin_kind == int(OriginKind.BROADCAST), Delivery.origin_id == broadcast_id
    )
    return bool(
        Friend.select().where(Friend.opted_out_at.is_null(False), Friend.id.not_in(listed)).exists()
    )


def _messages(row: Broadcast, now: datetime) -> tuple[Any, str]:
    content = Content.get_by_id(row.content_id)
    item = Item(0, None, parse_parts(content.parts), "broadcast", row.id)
    [prepared] = prepare([item], public_url=config.current().public_url, now=now)
    return prepared.messages, prepared.skip_reason or reasons.NOT_PREPARED


def _audiences(row: Broadcast) -> tuple[list[int], list[int]]:
    """:raises DomainError: LINE could not use one of them now"""
    included = [usable(name) for name in row.estimated.get("audiences", ())]
    excluded = [usable(name) for name in row.estimated.get("without", ())]
    without = exclusion.of(row.id)
    if without is not None and without.line_id is not None:
        excluded.append(without.line_id)
    return included, excluded


def _locked(broadcast_id: int, state: str) -> Broadcast | None:
    query = Broadcast.select().where(Broadcast.id == broadcast_id, Broadcast.state == state)
    row: Broadcast | None = (query.for_update() if is_postgres() else query).first()
    return row


def _step(broadcast_id: int, step: str, **values: Any) -> None:
    Narrowcast.update(step=step, asked=0, **values).where(
        Narrowcast.broadcast_id == broadcast_id
    ).execute()
