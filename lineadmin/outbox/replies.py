"""Free replies: a reply token is used at most once, whatever happens.

LINE gives replies no retry key, so nobody could tell a repeat apart. The row is committed before
the call; from then on this token is never tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin.db import db, dump_json, insert_ignore
from lineadmin.line.errors import (
    LineAuthFailed,
    LineError,
    LineRateLimited,
    LineUnclear,
    LineUnreachable,
)
from lineadmin.line.gateway import Gateway
from lineadmin.line.limits import REPLY_TOKEN_LIFE
from lineadmin.outbox import pauses, reasons
from lineadmin.outbox.live import changed, literal, one_of
from lineadmin.outbox.models import Content, Reply, ReplyState

# LINE counts the minute from its own sending of the event; leave the request time to arrive.
TOKEN_IS_GOOD_FOR = REPLY_TOKEN_LIFE - timedelta(seconds=10)
CUT_SHORT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class ReplyOutcome:
    """`dropped`: certainly not sent, so something else may be; `unknown`: nothing else may be."""

    state: ReplyState
    reason: str = ""
    reply_id: int | None = None

    @property
    def sent(self) -> bool:
        """The friend has it."""
        return self.state == ReplyState.SENT

    @property
    def dropped(self) -> bool:
        """LINE certainly did not take it."""
        return self.state == ReplyState.DROPPED

    @property
    def unknown(self) -> bool:
        """She may have it: never follow it with a push."""
        return self.state in (ReplyState.UNKNOWN, ReplyState.PENDING)


def reply_once(
    friend_id: int,
    reply_token: str,
    token_at: datetime,
    messages: Sequence[dict[str, Any]],
    *,
    content: Content | None = None,
    origin: str,
    origin_id: int = 0,
    gateway: Gateway,
    now: datetime,
    wall: datetime,
) -> ReplyOutcome:
    """Answer an event with rendered LINE messages, once.

    A token that was used before answers what became of it then. Call it outside transactions: its
    row has to be on disk before LINE is asked.

    :param token_at: real time at which the event reached us
    :raises RuntimeError: called within a transaction
    """
    if db.in_transaction():
        raise RuntimeError("a reply's row must be committed before LINE is called")
    body = dump_json({"messages": list(messages), "replyToken": reply_token})
    too_late = wall - token_at >= TOKEN_IS_GOOD_FOR
    stopped = pauses.current().stopped_at is not None
    dropped = reasons.TOKEN_EXPIRED if too_late else reasons.STOPPED if stopped else ""
    is_ours = insert_ignore(
        Reply.insert(
            friend_id=friend_id,
            reply_token=reply_token,
            origin=origin,
            origin_id=origin_id,
            content=None if content is None else content.id,
            body=body,
            state=int(ReplyState.DROPPED if dropped else ReplyState.PENDING),
            reason=dropped,
            at=now,
            tried_at=wall,
        )
    )
    row = Reply.get(Reply.reply_token == reply_token)
    if not is_ours or dropped:
        return ReplyOutcome(ReplyState(row.state), row.reason, row.id)
    try:
        accepted = gateway.reply(body.encode())
    except LineError as error:
        return _failed(row.id, error, wall)
    _write(row.id, ReplyState.SENT, line_request_id=accepted.request_id or "")
    return ReplyOutcome(ReplyState.SENT, "", row.id)


def sweep(*, wall: datetime) -> int:
    """Mark replies whose process died during the call as unknown; they are never repeated."""
    cut_short = (Reply.state == literal(ReplyState.PENDING)) & (
        Reply.tried_at <= wall - CUT_SHORT_AFTER
    )
    if not Reply.select(Reply.id).where(cut_short).exists():
        return 0
    return changed(
        Reply.update(state=int(ReplyState.UNKNOWN), reason=reasons.CRASHED).where(cut_short)
    )


def _failed(reply_id: int, error: LineError, wall: datetime) -> ReplyOutcome:
    reason = _reason(error)
    state = ReplyState.UNKNOWN if isinstance(error, LineUnclear) else ReplyState.DROPPED
    _write(
        reply_id,
        state,
        reason=reason,
        error=str(error)[:1000],
        line_request_id=error.request_id or "",
    )
    if isinstance(error, LineAuthFailed):
        pauses.pause_for_line(error, wall=wall)
    return ReplyOutcome(state, reason, reply_id)


def _reason(error: LineError) -> str:
    if isinstance(error, LineUnclear):
        return reasons.NO_REPLY_ANSWER
    if isinstance(error, LineUnreachable):
        return reasons.UNREACHABLE
    if isinstance(error, LineAuthFailed):
        return reasons.AUTH
    if isinstance(error, LineRateLimited):
        return reasons.RATE
    if "reply token" in error.message.lower():
        return reasons.TOKEN_EXPIRED
    return reasons.REFUSED


def _write(reply_id: int, state: ReplyState, **more: str) -> None:
    """Only over a reply that is still open: a sweep may have been quicker."""
    Reply.update(state=int(state), **more).where(
        (Reply.id == reply_id) & one_of(Reply.state, (ReplyState.PENDING, ReplyState.UNKNOWN))
    ).execute()
