"""What came of a topic: its people, where they were asked, what sending it brought and costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import sendings
from lineadmin.coupons.models import Coupon
from lineadmin.db import one_of
from lineadmin.i18n import _
from lineadmin.journal.models import Fact
from lineadmin.outbox.live import literal, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind, Reply, ReplyState
from lineadmin.outbox.queries import counts_by_state
from lineadmin.replies.actions import label as rule_label
from lineadmin.replies.models import ReplyRule
from lineadmin.reports.effects import block_counts
from lineadmin.sequences.models import Sequence
from lineadmin.sequences.places import BRANCH_FACTOR, RUN_FACTOR
from lineadmin.settings.cost import cost
from lineadmin.settings.plans import monthly_fee
from lineadmin.settings.shop import ShopSettings
from lineadmin.topics.models import Consent, Subscription, Topic, TopicAsk
from lineadmin.topics.states import (
    CARD,
    CSV,
    EXPIRED,
    KEYWORD,
    PAGE,
    SENDINGS_PER_MONTH,
    STAFF,
    STOPPED,
    SUBSCRIBED,
)
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import LinkClick, TrackedLink

WEEK = timedelta(days=7)
BROADCAST, STEP, GREETING, REPLY, THANKS = "broadcast", "step", "greeting", "reply", "thanks"


@dataclass(frozen=True)
class People:
    """Friends of one topic."""

    subscribers: int
    new: int  # subscribed within the last 7 days
    stopped: int  # do not agree any more, by their own wish or by time
    stopped_lately: int  # within the last 7 days


@dataclass(frozen=True)
class Sendings:
    """What its broadcasts brought, together."""

    sent: int  # messages
    tapped: int  # friends, and taps on links that are the same for everybody
    blocked: int  # friends, within 48 hours of getting one


@dataclass(frozen=True)
class Place:
    """One place in which friends were asked. `asked` None: nobody counts that there."""

    kind: str
    id: int
    name: str
    asked: int | None
    agreed: int

    @property
    def rate(self) -> float | None:
        """The share of those asked who agreed."""
        return min(1.0, self.agreed / self.asked) if self.asked else None


@dataclass(frozen=True)
class MonthlyCost:
    """What a topic costs a month if it is sent as often as agreed.

    `twd`: its share of the monthly fee and what lies beyond the plan; None where the plan is not
    set. `share` of the plan's own messages.
    """

    messages: int
    twd: float | None
    share: float | None
    sold_out: bool


def people(topic_ids: Iterable[int], now: datetime) -> dict[int, People]:
    """The numbers of some topics; indexes answer, the rows are not read."""
    ids = list(topic_ids)
    found: dict[tuple[int, str], int] = {}
    states = Subscription.select(
        Subscription.topic, Subscription.state, fn.COUNT(Subscription.id)
    ).where(one_of(Subscription.topic, ids))
    for topic_id, state, count in rows(states.group_by(Subscription.topic, Subscription.state)):
        found[topic_id, state] = count
    # Over, though nobody has written that down yet.
    over = (
        Subscription.select(Subscription.topic, fn.COUNT(Subscription.id))
        .where(Subscription.state == SUBSCRIBED, Subscription.until <= now)
        .group_by(Subscription.topic)
    )
    late = dict(rows(over))
    lately: dict[tuple[int, str], int] = {}
    changes = (
        Consent.select(Consent.topic, Consent.change, fn.COUNT(Consent.friend_id.distinct()))
        .where(one_of(Consent.topic, ids), Consent.at > now - WEEK, Consent.at <= now)
        .group_by(Consent.topic, Consent.change)
    )
    for topic_id, change, count in rows(changes):
        lately[topic_id, change] = count
    return {
        one: People(
            subscribers=found.get((one, SUBSCRIBED), 0) - late.get(one, 0),
            new=lately.get((one, SUBSCRIBED), 0),
            stopped=found.get((one, STOPPED), 0) + late.get(one, 0),
            stopped_lately=lately.get((one, STOPPED), 0) + lately.get((one, EXPIRED), 0),
        )
        for one in ids
    }


def brought(topic: Topic) -> Sendings:
    """What the broadcasts of a topic brought."""
    sent = [row for row in sendings(topic) if row.finished_at is not None or row.plan_whole_at]
    counted = counts_by_state(OriginKind.BROADCAST, [row.id for row in sent])
    return Sendings(
        sent=sum(_sent(row, counted.get(row.id, {})) for row in sent),
        tapped=_tapped([row.id for row in sent]),
        blocked=sum(
            block_counts(row)[1] if row.blocks_48 is None else row.blocks_48 for row in sent
        ),
    )


def places(topic: Topic) -> list[Place]:
    """Every place in which friends were asked, the best first; those nobody counts come last."""
    agreed = _agreed(topic)
    asks = list(TopicAsk.select().where(TopicAsk.topic == topic.id))
    found = [
        Place(
            ask.origin,
            ask.origin_id,
            place_name(ask.origin, ask.origin_id, ask.origin_place),
            _asked(ask),
            agreed.pop((CARD, ask.origin, ask.origin_id, ask.origin_place), 0),
        )
        for ask in asks
    ]
    others: dict[str, int] = {}
    for (place, *_where), count in agreed.items():
        others[place] = others.get(place, 0) + count
    found += [Place(place, 0, _other(place), None, count) for place, count in others.items()]
    return sorted(found, key=lambda one: (one.rate is None, -(one.rate or 0), -one.agreed))


def monthly_cost(topic: Topic, subscribers: int, shop: ShopSettings) -> MonthlyCost:
    """The price of sending it to `subscribers` as often as they agreed to, before tax."""
    messages = round(subscribers * SENDINGS_PER_MONTH[topic.frequency])
    beyond = cost(messages, used=0, shop=shop)
    if beyond.twd is None or not shop.plan_included:
        return MonthlyCost(messages, beyond.twd, None, beyond.sold_out)
    share = min(1.0, messages / shop.plan_included)
    twd = round((monthly_fee(shop) or 0.0) * share + beyond.twd, 2)
    return MonthlyCost(messages, twd, share, beyond.sold_out)


def _sent(row: Broadcast, states: dict[DeliveryState, int]) -> int:
    return states.get(DeliveryState.SENT, 0) if row.sent_count is None else int(row.sent_count)


def _tapped(broadcast_ids: list[int]) -> int:
    links = TrackedLink.select(TrackedLink.id).where(
        TrackedLink.origin_kind == int(OriginKind.BROADCAST),
        one_of(TrackedLink.origin_id, broadcast_ids),
    )
    ids = [link_id for (link_id,) in rows(links)]
    friends = Fact.select(fn.COUNT(Fact.friend_id.distinct())).where(
        Fact.kind == CLICKED, one_of(Fact.object_id, ids)
    )
    plain = LinkClick.select(fn.COUNT(LinkClick.id)).where(one_of(LinkClick.link_id, ids))
    return int(friends.scalar()) + int(plain.scalar())


def _agreed(topic: Topic) -> dict[tuple[str, str, int, int], int]:
    where = (Consent.place, Consent.origin, Consent.origin_id, Consent.origin_place)
    query = (
        Consent.select(*where, fn.COUNT(Consent.friend_id.distinct()))
        .where(Consent.topic == topic.id, Consent.change == SUBSCRIBED)
        .group_by(*where)
    )
    return {tuple(found): count for *found, count in rows(query)}


def _asked(ask: TopicAsk) -> int | None:
    """How many got the card there: by a push, or by a free reply."""
    if ask.origin in (GREETING, REPLY):
        origin = GREETING if ask.origin == GREETING else "keyword"
        replies = Reply.select(fn.COUNT(Reply.friend_id.distinct())).where(
            Reply.origin == origin,
            Reply.origin_id == ask.origin_id,
            Reply.at >= ask.since,
            Reply.state == literal(ReplyState.SENT),
        )
        return int(replies.scalar())
    kind = {BROADCAST: OriginKind.BROADCAST, STEP: OriginKind.STEP, THANKS: OriginKind.THANKS}.get(
        ask.origin
    )
    if kind is None:
        return None
    condition: Any = (
        (Delivery.origin_kind == literal(kind))
        & (Delivery.origin_id == ask.origin_id)
        & (Delivery.state == literal(DeliveryState.SENT))
    )
    if kind == OriginKind.STEP:
        condition &= Delivery.origin_run % RUN_FACTOR == ask.origin_place
    return int(Delivery.select(fn.COUNT(Delivery.friend_id)).where(condition).scalar())


def place_name(origin: str, number: int, place: int) -> str:
    """A message that carries cards, as staff know it."""
    if origin == GREETING:
        return _("The greeting")
    if origin == REPLY:
        rule = ReplyRule.get_or_none(ReplyRule.id == number)
        return _("Keyword reply “%(name)s”", name="" if rule is None else rule_label(rule))
    if origin == STEP:
        name = Sequence.select(Sequence.name).where(Sequence.id == number).scalar() or ""
        return _("Step %(step)s of “%(name)s”", step=place % BRANCH_FACTOR, name=name)
    if origin == BROADCAST:
        name = Broadcast.select(Broadcast.name).where(Broadcast.id == number).scalar() or ""
        return _("Broadcast “%(name)s”", name=name)
    if origin == THANKS:
        title = Coupon.select(Coupon.title).where(Coupon.id == number).scalar() or ""
        return _("After redeeming “%(name)s”", name=title)
    return _("Another message")


def _other(place: str) -> str:
    words = {
        CARD: _("Buttons under our answers"),
        PAGE: _("Her own page"),
        KEYWORD: _("Words she wrote"),
        STAFF: _("Staff, for her"),
        CSV: _("A file"),
    }
    return words.get(place, place)
