"""Replies that events owe their friends, and paying them: free, by reply token, at most once.

What is owed is kept with the event in the transaction that made its changes, so that a crash
before the reply leaves neither changes twice nor a friend without her greeting.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lineadmin import settings
from lineadmin.coupons.issue import void
from lineadmin.db import EPOCH, atomic, from_ms, to_ms
from lineadmin.friends import profile
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.line.gateway import Gateway
from lineadmin.line.limits import REPLY_TOKEN_REDELIVERED_LIFE
from lineadmin.messages.parts import Part, parse_parts
from lineadmin.messages.prepare import Prepared, prepare_one
from lineadmin.messages.render import is_personal, uses_name
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.outbox.models import Content, OriginKind, Reply, ReplyState
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import queue_one
from lineadmin.outbox.replies import ReplyOutcome, reply_once

GREETING, KEYWORD, OPT_OUT, LINK = "greeting", "keyword", "opt_out", "link"
LOTTERY, ENTRY, TOPIC, BRANCH = "lottery", "entry", "topic", "branch"
# What a coupon's copy remembers; every other reply is called "reply".
COUPON_ORIGINS = (GREETING, LOTTERY)

NAME_SECONDS = 1.0  # a reply does not wait longer for a name
GREETING_PRIORITY = 5
GREETING_STAYS_FRESH = timedelta(hours=24)


@dataclass(frozen=True)
class Owed:
    """One reply that has to be given: whose, why, and with what.

    `origin`: greeting | keyword | opt_out | link | lottery | entry | topic | branch; `rule_id` is
    the keyword rule's. `parts` are in JSON form. `first` marks a first greeting, which may follow
    as a push where the free reply certainly did not arrive.
    """

    friend_id: int
    origin: str
    parts: list[dict[str, Any]]
    reply_token: str
    token_ms: int  # real time the token reached us; 0 = it is dead
    rule_id: int = 0
    message_id: int = 0  # the InboundMessage this answers
    first: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the event's row."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Owed:
        """From the event's row."""
        return cls(**value)


def token_time(
    *, received_at: datetime, event_at: datetime, redelivered: bool, wall: datetime
) -> int:
    """From when a reply token lives, for `Owed`; 0 where LINE no longer takes it.

    A minute from its receipt; from a redelivered webhook only until 20 minutes after the event
    (line-platform "Tokens in events", REF#send-reply-message-reply-token).
    """
    if redelivered and wall - event_at > REPLY_TOKEN_REDELIVERED_LIFE:
        return 0
    return to_ms(received_at)


def pay(
    owed: Owed,
    *,
    gateway: Gateway,
    public_url: str | None,
    now: datetime,
    wall: datetime,
) -> ReplyOutcome | None:
    """Give the reply; None where there is nothing to give (blocked meanwhile, coupon gone).

    May be repeated after a crash: a token that was tried before is not tried again. Called outside
    transactions.
    """
    parts = parse_parts(owed.parts)
    kept = content.store(owed.parts, personal=is_personal(parts), summary=summarise(parts), now=now)
    outcome = _earlier(owed.reply_token)
    prepared: Prepared | None = None
    if outcome is None:
        friend = Friend.get_by_id(owed.friend_id)
        if friend.status == BLOCKED:
            return None
        prepared = _prepare(owed, friend, parts, gateway, public_url, now, wall)
        if prepared.messages is None:
            return None
        outcome = reply_once(
            owed.friend_id,
            owed.reply_token or f"none-{owed.origin}-{owed.friend_id}-{to_ms(now)}",
            from_ms(owed.token_ms) if owed.reply_token else EPOCH,
            prepared.messages,
            content=kept,
            origin=owed.origin,
            origin_id=owed.rule_id,
            gateway=gateway,
            now=now,
            wall=wall,
        )
    if outcome.dropped:
        if prepared is not None and prepared.issues:
            with atomic():
                void(prepared.issues, now=now)
        if owed.first and settings.shop().first_greeting_falls_back:
            _push_greeting(owed, kept, now)
    return outcome


def without_token(owed: Owed) -> Owed:
    """The same, certainly too late for a free reply."""
    return replace(owed, token_ms=0)


def _earlier(reply_token: str) -> ReplyOutcome | None:
    """What became of this token when it was tried before."""
    row = Reply.get_or_none(Reply.reply_token == reply_token) if reply_token else None
    return None if row is None else ReplyOutcome(ReplyState(row.state), row.reason, row.id)


def _prepare(
    owed: Owed,
    friend: Friend,
    parts: list[Part],
    gateway: Gateway,
    public_url: str | None,
    now: datetime,
    wall: datetime,
) -> Prepared:
    name = friend.display_name
    token_lives = owed.token_ms > 0
    if not name and token_lives and uses_name(parts):
        name = profile.fetch_now(
            gateway, friend.id, friend.line_user_id, wall=wall, seconds=NAME_SECONDS
        )
    with atomic():
        return prepare_one(
            owed.parts,
            friend_id=owed.friend_id,
            name=name or None,
            origin=owed.origin if owed.origin in COUPON_ORIGINS else "reply",
            origin_id=owed.rule_id,
            public_url=public_url,
            now=now,
        )


def _push_greeting(owed: Owed, kept: Content, now: datetime) -> None:
    queue_one(
        owed.friend_id,
        Origin(OriginKind.GREETING, 0),
        kept,
        due_at=now,
        expires_at=now + GREETING_STAYS_FRESH,
        priority=GREETING_PRIORITY,
        now=now,
    )
