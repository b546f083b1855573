"""A click: who is credited with it, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lineadmin import journal
from lineadmin.db import atomic
from lineadmin.friends.expiring_tags import keep_tag
from lineadmin.friends.learn import seen
from lineadmin.friends.observed import observe_os
from lineadmin.tracking import agents, tokens
from lineadmin.tracking.models import LinkClick, TrackedLink

CLICKED = "link.clicked"


@dataclass(frozen=True)
class Visit:
    """Where a token leads. `friend_id` None: the signature is not ours, or there is none."""

    link: TrackedLink
    friend_id: int | None
    plain: bool


def resolve(token: str) -> Visit | None:
    """The link behind a token, with whoever it was made for; None where there is no such link."""
    read = tokens.read(token)
    if read is None:
        return None
    link = TrackedLink.get_or_none(TrackedLink.code == read.code)
    return None if link is None else Visit(link, read.friend_id, read.plain)


def record(visit: Visit, *, agent: str, now: datetime) -> None:
    """Write a person's click down: as a fact about the friend, or in the sum of the link.

    A token somebody has changed counts for nobody, nor does a personal link without its friend.
    """
    link = visit.link
    if visit.friend_id is None:
        if visit.plain and not link.per_friend:
            LinkClick.insert(link_id=link.id, at=now).execute()
        return
    with atomic():
        value = {
            "origin_kind": link.origin_kind,
            "origin_id": link.origin_id,
            "place": link.place,
        }
        journal.record(visit.friend_id, CLICKED, object_id=link.id, value=value, at=now)
        seen(visit.friend_id, at=now)
        system = agents.system_of(agent)
        if system is not None:
            observe_os(visit.friend_id, system, at=now)
        if link.tag_id is not None:
            until = None if link.tag_days is None else now + timedelta(days=link.tag_days)
            keep_tag(
                visit.friend_id, link.tag_id, at=now, by_kind="link", by_id=link.id, until=until
            )
