"""Tracked links over all messages: who tapped them and when, and where each of them stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.db import from_ms, to_ms
from lineadmin.friends.models import Friend, Tag
from lineadmin.i18n import _, _l
from lineadmin.journal.models import Fact
from lineadmin.outbox.live import one_of, rows
from lineadmin.outbox.models import OriginKind
from lineadmin.replies.actions import label as rule_label
from lineadmin.replies.models import ReplyRule
from lineadmin.sequences.models import Sequence
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.links import REPLY
from lineadmin.tracking.models import LinkClick, TrackedLink

HOUR = 3_600_000
CHART_DAYS, FEWEST_DAYS = 30, 7
NAMES = 100

KIND_LABELS: dict[int, Any] = {
    REPLY: _l("Free reply"),
    OriginKind.BROADCAST: _l("Broadcast"),
    OriginKind.STEP: _l("Step messages"),
    OriginKind.GREETING: _l("Greeting"),
    OriginKind.STAFF: _l("Staff's answer"),
    OriginKind.TEST: _l("Test send"),
    OriginKind.REMINDER: _l("Reminder"),
    OriginKind.THANKS: _l("After a redemption"),
}


@dataclass(frozen=True)
class Totals:
    """All taps on a link; `people` None: it is the same for everybody, nobody is known."""

    taps: int
    people: int | None


@dataclass(frozen=True)
class Tapper:
    """A friend who tapped a link."""

    friend_id: int
    name: str
    times: int
    last: datetime


@dataclass(frozen=True)
class Page:
    """What a link stands in; `id` of the program, for a way there."""

    kind: int
    id: int
    label: str


def totals(links: Collection[TrackedLink]) -> dict[int, Totals]:
    """{link id: taps and people}, two questions for all of them."""
    ids = [link.id for link in links]
    if not ids:
        return {}
    facts = Fact.select(Fact.object_id, fn.COUNT(1), fn.COUNT(Fact.friend_id.distinct())).where(
        Fact.kind == CLICKED, one_of(Fact.object_id, ids)
    )
    known: dict[int, tuple[int, int]] = {
        link_id: (taps, people) for link_id, taps, people in rows(facts.group_by(Fact.object_id))
    }
    plain = LinkClick.select(LinkClick.link_id, fn.COUNT(1)).where(one_of(LinkClick.link_id, ids))
    unknown: dict[int, int] = dict(rows(plain.group_by(LinkClick.link_id)))
    found = {}
    for link in links:
        taps, people = known.get(link.id, (0, 0))
        everyone = taps + unknown.get(link.id, 0)
        found[link.id] = Totals(everyone, people if link.per_friend or people else None)
    return found


def places(links: Iterable[TrackedLink]) -> dict[int, Page]:
    """{link id: what it stands in}, one question per kind of program."""
    links = list(links)
    ids: dict[int, set[int]] = defaultdict(set)
    for link in links:
        ids[link.origin_kind].add(link.origin_id)
    names = {kind: _NAMES[kind](found) for kind, found in ids.items() if kind in _NAMES}
    pages = {}
    for link in links:
        kind = str(KIND_LABELS.get(link.origin_kind, ""))
        name = names.get(link.origin_kind, {}).get(link.origin_id)
        label = _("%(kind)s “%(name)s”", kind=kind, name=name) if name else kind
        pages[link.id] = Page(link.origin_kind, link.origin_id, label)
    return pages


def tags_of(links: Iterable[TrackedLink]) -> dict[int, str]:
    """{tag id: name} of the tags these links set."""
    ids = {link.tag_id for link in links if link.tag_id}
    return dict(rows(Tag.select(Tag.id, Tag.name).where(one_of(Tag.id, ids)))) if ids else {}


def taps_by_day(link: TrackedLink, *, now: datetime) -> list[tuple[date, int]]:
    """Taps on each day since it was made, by the shop's days: a week at least, 30 days at most."""
    zone = settings.shop_zone()
    today = now.astimezone(zone).date()
    made = min(link.created_at.astimezone(zone).date(), today - timedelta(days=FEWEST_DAYS - 1))
    first = max(made, today - timedelta(days=CHART_DAYS - 1))
    counted = {first + timedelta(days=step): 0 for step in range((today - first).days + 1)}
    since = datetime.combine(first, time(), tzinfo=zone)
    for hour, taps in _by_hour(link.id, since):
        day = from_ms(to_ms(since) + hour * HOUR).astimezone(zone).date()
        if day in counted:
            counted[day] += taps
    return list(counted.items())


def tappers(link: TrackedLink) -> list[Tapper]:
    """Who tapped it, the latest first."""
    last = fn.MAX(Fact.at)
    query = (
        Fact.select(Fact.friend_id, Friend.display_name, fn.COUNT(1), last)
        .join(Friend, on=(Friend.id == Fact.friend_id))
        .where(Fact.kind == CLICKED, Fact.object_id == link.id)
        .group_by(Fact.friend_id, Friend.display_name)
        .order_by(last.desc(), Fact.friend_id)
        .limit(NAMES)
    )
    return [
        Tapper(friend_id, name, times, from_ms(int(at)))
        for friend_id, name, times, at in rows(query)
    ]


def _by_hour(link_id: int, since: datetime) -> list[tuple[int, int]]:
    start = SQL(str(to_ms(since)))
    known = ((Fact.at - start) / HOUR).alias("bucket")
    plain = ((LinkClick.at - start) / HOUR).alias("bucket")
    facts = Fact.select(known, fn.COUNT(1)).where(
        Fact.kind == CLICKED, Fact.object_id == link_id, Fact.at >= since
    )
    clicks = LinkClick.select(plain, fn.COUNT(1)).where(
        LinkClick.link_id == link_id, LinkClick.at >= since
    )
    found = [
        *rows(facts.group_by(SQL("bucket"))),
        *rows(clicks.group_by(SQL("bucket"))),
    ]
    return [(int(hour), taps) for hour, taps in found]


def _named(model: Any, column: Any) -> Callable[[set[int]], dict[int, str]]:
    return lambda ids: dict(rows(model.select(model.id, column).where(one_of(model.id, ids))))


def _rules(ids: set[int]) -> dict[int, str]:
    return {row.id: rule_label(row) for row in ReplyRule.select().where(one_of(ReplyRule.id, ids))}


_NAMES: dict[int, Callable[[set[int]], dict[int, str]]] = {
    REPLY: _rules,
    OriginKind.BROADCAST: _named(Broadcast, Broadcast.name),
    OriginKind.STEP: _named(Sequence, Sequence.name),
    OriginKind.REMINDER: _named(Coupon, Coupon.title),
    OriginKind.THANKS: _named(Coupon, Coupon.title),
}
