"""Broadcasts to the subscribers of a topic: only with their consent, and no oftener than agreed.

Such an audience is whoever has ever subscribed; who does not agree any more is left out with the
reason, at planning and once more at sending, so that a stop in between wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin import segments
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, format_datetime
from lineadmin.outbox import reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.segments.tree import AllOf, Leaf, Tree, TreeError
from lineadmin.topics.consent import agreed
from lineadmin.topics.models import Subscription, Topic
from lineadmin.topics.states import FREQUENCIES, SPANS, SUBSCRIBED

LONGEST_REASON = 200
# What has not left and will not is no matter; all others were sent, or still may be.
_NEVER = (states.DRAFT, states.CANCELED)


def subscribers_of(code: str) -> dict[str, Any]:
    """The audience of a topic, as a condition tree."""
    return {"field": f"topic:{code}", "op": "known"}


def is_subscribers(tree: Any) -> str | None:
    """The topic's code, where an audience is exactly that."""
    whole = isinstance(tree, Mapping) and set(tree) == {"field", "op"} and tree["op"] == "known"
    if not whole or not str(tree["field"]).startswith("topic:"):
        return None
    return str(tree["field"]).removeprefix("topic:")


def topic_of(audience: Any) -> Topic | None:
    """The topic a broadcast is sent under: its subscribers, or some of them by more conditions."""
    if audience is None:
        return None
    try:
        tree = segments.parse(audience)
    except TreeError:
        return None
    codes = [code for part in _parts(tree) if (code := _code(part)) is not None]
    return Topic.get_or_none(Topic.code == codes[0]) if codes else None


def without_consent(audience: Any, now: datetime) -> Any:
    """Who does not agree to the topic of an audience, as a condition on Friend; None: no topic."""
    topic = topic_of(audience)
    if topic is None:
        return None
    hers = Subscription.select(Subscription.id).where(
        agreed(topic.id, now), Subscription.friend_id == Friend.id
    )
    return ~fn.EXISTS(hers)


def left_out(broadcast_id: int, friend_ids: Iterable[int], now: datetime) -> dict[int, str]:
    """Those of a few thousand friends who have stopped since it was planned, with the reason."""
    row = Broadcast.select(Broadcast.audience).where(Broadcast.id == broadcast_id).first()
    topic = None if row is None else topic_of(row.audience)
    if topic is None:
        return {}
    listed = list(friend_ids)
    agree = Subscription.select(Subscription.friend_id).where(
        agreed(topic.id, now), one_of(Subscription.friend_id, listed)
    )
    still = {friend_id for (friend_id,) in rows(agree)}
    return {one: reasons.NO_CONSENT for one in listed if one not in still}


def sendings(topic: Topic) -> list[Broadcast]:
    """Every broadcast of a topic that was sent or still may be, by its time."""
    found = Broadcast.select().where(
        Broadcast.state != states.DRAFT,
        Broadcast.audience.cast("TEXT").contains(f'"topic:{topic.code}"'),
    )
    mine = [
        row for row in found if _is_of(row, topic) and (row.state not in _NEVER or row.sent_count)
    ]
    return sorted(mine, key=lambda row: (moment_of(row), row.id))


def moment_of(row: Broadcast) -> datetime:
    """When it leaves, left, or is meant to."""
    moment: datetime = row.leaves_at or row.at or row.confirmed_at or row.created_at
    return moment


def too_soon(row: Broadcast, when: datetime) -> Broadcast | None:
    """The other broadcast of its topic that is nearer to `when` than friends agreed to."""
    topic = topic_of(row.audience)
    if topic is None:
        return None
    span = SPANS[topic.frequency]
    near = [
        other
        for other in sendings(topic)
        if other.id != row.id and abs(moment_of(other) - when) < span
    ]
    return min(near, key=lambda other: abs(moment_of(other) - when), default=None)


def check_frequency(row: Broadcast, when: datetime, override: str | None) -> str:
    """The reason why it may leave oftener than agreed, tidied; empty where it does not.

    :raises DomainError: it is too soon and no reason is given, or its topic is archived
    """
    topic = topic_of(row.audience)
    if topic is None:
        return ""
    if topic.archived_at is not None:
        raise DomainError(_("The topic “%(name)s” is archived.", name=topic.name), field="audience")
    other = too_soon(row, when)
    if other is None:
        return ""
    reason = " ".join((override or "").split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise DomainError(too_soon_words(topic, other), field="frequency_override")
    return reason


def too_soon_words(topic: Topic, other: Broadcast) -> str:
    """Why it should wait, as a sentence."""
    return _(
        "Friends agreed to “%(topic)s” like this: %(frequency)s. “%(other)s” is sent at %(when)s. "
        "To send this one all the same, say in 1 to %(most)s characters why.",
        topic=topic.name,
        frequency=str(FREQUENCIES[topic.frequency]),
        other=other.name,
        when=format_datetime(moment_of(other)),
        most=LONGEST_REASON,
    )


def _parts(tree: Tree) -> Iterable[Tree]:
    return tree.items if isinstance(tree, AllOf) else (tree,)


def _code(part: Tree) -> str | None:
    """The topic whose subscribers a condition asks for; None where it is another question."""
    if not isinstance(part, Leaf) or part.kind != "topic":
        return None
    is_hers = part.op == "known" or (part.op == "is" and part.value == SUBSCRIBED)
    return part.about if is_hers else None


def _is_of(row: Broadcast, topic: Topic) -> bool:
    found = topic_of(row.audience)
    return found is not None and bool(found.id == topic.id)
