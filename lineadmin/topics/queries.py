"""Questions about topics that screens and other rooms ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import fn

from lineadmin.db import insert_ignore, one_of
from lineadmin.topics.card import TopicView, card_view
from lineadmin.topics.consent import agreed
from lineadmin.topics.models import Consent, Subscription, Topic, TopicAsk, TopicWording
from lineadmin.topics.states import NONE, STOPPED, SUBSCRIBED


@dataclass(frozen=True)
class Known:
    """A topic with its present wording, as messages speak of it."""

    topic: Topic
    wording: str

    def card(
        self, locale: str, *, origin: str = "", origin_id: int = 0, place: int = 0
    ) -> TopicView:
        """The card in a message of this origin."""
        return card_view(
            self.topic, self.wording, locale, origin=origin, origin_id=origin_id, place=place
        )


@dataclass(frozen=True)
class Hers:
    """One topic as one friend has it."""

    topic: Topic
    state: str  # subscribed | stopped | none
    since: datetime | None = None
    until: datetime | None = None

    @property
    def on(self) -> bool:
        """Whether it may be sent to her."""
        return self.state == SUBSCRIBED


def by_codes(codes: Iterable[str]) -> dict[str, Known]:
    """The topics with these short names, in two queries."""
    wanted = list(codes)
    if not wanted:
        return {}
    topics = {row.id: row for row in Topic.select().where(Topic.code.in_(wanted))}
    texts = {
        (row.topic_id, row.version): row.text
        for row in TopicWording.select().where(one_of(TopicWording.topic, topics))
    }
    return {
        topic.code: Known(topic, texts.get((topic.id, topic.wording_version), ""))
        for topic in topics.values()
    }


def live() -> list[Topic]:
    """Topics that are not archived, by name."""
    return list(Topic.select().where(Topic.archived_at.is_null()).order_by(Topic.name))


def called(name: str) -> Topic | None:
    """The live topic a friend means by its name."""
    found: Topic | None = Topic.get_or_none(Topic.name == name, Topic.archived_at.is_null())
    return found


def of_friend(friend_id: int, now: datetime, *, archived: bool = False) -> list[Hers]:
    """Every topic that is offered as she has it; with `archived` also those she once had."""
    topics = list(Topic.select().order_by(Topic.name))
    if not topics:
        return []
    mine = Subscription.select().where(Subscription.friend_id == friend_id)
    rows = {row.topic_id: row for row in mine}
    return [
        _hers(topic, rows.get(topic.id), now)
        for topic in topics
        if topic.archived_at is None or (archived and topic.id in rows)
    ]


def history_of(friend_id: int) -> dict[int, list[Consent]]:
    """Her lines of the ledger by topic, the newest first."""
    found: dict[int, list[Consent]] = defaultdict(list)
    query = Consent.select().where(Consent.friend_id == friend_id).order_by(Consent.id.desc())
    for row in query:
        found[row.topic_id].append(row)
    return found


def subscribers(topic_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """How many agree to each topic at `now`."""
    found = {}
    for topic_id in topic_ids:
        rows = Subscription.select(fn.COUNT(Subscription.id)).where(agreed(topic_id, now))
        found[topic_id] = int(rows.scalar())
    return found


def note_ask(
    topic: Topic, *, origin: str, origin_id: int, origin_place: int, now: datetime
) -> None:
    """Remember that messages of this origin carry the card; harmless to repeat."""
    insert_ignore(
        TopicAsk.insert(
            topic=topic.id,
            origin=origin,
            origin_id=origin_id,
            origin_place=origin_place,
            since=now,
        )
    )


def _hers(topic: Topic, row: Subscription | None, now: datetime) -> Hers:
    if row is None:
        return Hers(topic, NONE)
    over = row.until is not None and row.until <= now
    state = STOPPED if over or row.state != SUBSCRIBED else SUBSCRIBED
    return Hers(topic, state, row.since, row.until)
