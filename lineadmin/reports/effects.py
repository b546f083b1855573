"""What a broadcast brought: taps, redemptions, blocks with names, by version and over time.

Everything is asked through an index that names the broadcast's own links, coupons or recipients, so
that a million other facts cost nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from peewee import SQL, fn

from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.variants import LETTERS
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.db import from_ms, to_ms
from lineadmin.friends.models import Friend
from lineadmin.journal.models import Fact
from lineadmin.messages.parts import coupon_codes, parse_parts
from lineadmin.outbox.live import literal, one_of, rows
from lineadmin.outbox.models import Content, Delivery, DeliveryState, OriginKind
from lineadmin.purchases.models import Purchase
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import LinkClick, TrackedLink

HOUR = 60 * 60 * 1000
CHART_HOURS = 48
BUYING = timedelta(days=7)
NAMES = 50
EARLIER = 30  # broadcasts whose block rates make the shop's own median
FEWEST_EARLIER = 3


@dataclass(frozen=True)
class LinkNumbers:
    """Taps on one address; `people` None: the link is the same for all, so only taps are known."""

    id: int
    name: str
    url: str
    taps: int
    people: int | None


@dataclass(frozen=True)
class Blocker:
    """Somebody who blocked the account soon after getting the broadcast."""

    friend_id: int
    name: str
    at: datetime
    hours: int


@dataclass(frozen=True)
class Blocks:
    """Who blocked after it. `usual` is the median of earlier broadcasts, None while too few."""

    within_24: int
    within_48: int
    sent: int
    names: list[Blocker]
    usual: float | None

    @property
    def rate(self) -> float | None:
        """Of those who got it, how many blocked within 24 hours; None where nobody got it."""
        return self.within_24 / self.sent if self.sent else None

    @property
    def unusual(self) -> bool:
        """More than twice as many as usual."""
        return self.rate is not None and self.usual is not None and self.rate > 2 * self.usual


@dataclass(frozen=True)
class Redeemed:
    """Coupons that came with it and were used."""

    count: int
    people: int
    spent: int  # TWD, as far as staff entered it


@dataclass(frozen=True)
class Bought:
    """What those who got it bought in the days after: not all of it because of it."""

    count: int
    people: int
    spent: int  # TWD


@dataclass(frozen=True)
class VersionNumbers:
    """What one version brought; people, not taps."""

    letter: str
    sent: int
    clicked: int
    redeemed: int
    blocked: int


def links(broadcast_id: int) -> list[LinkNumbers]:
    """Every tracked link of its message, most taps first."""
    own = list(
        TrackedLink.select().where(
            TrackedLink.origin_kind == int(OriginKind.BROADCAST),
            TrackedLink.origin_id == broadcast_id,
        )
    )
    ids = [link.id for link in own]
    facts = Fact.select(Fact.object_id, fn.COUNT(1), fn.COUNT(Fact.friend_id.distinct())).where(
        Fact.kind == CLICKED, one_of(Fact.object_id, ids)
    )
    known = {row[0]: row[1:] for row in rows(facts.group_by(Fact.object_id))}
    plain = LinkClick.select(LinkClick.link_id, fn.COUNT(1)).where(one_of(LinkClick.link_id, ids))
    unknown: dict[int, int] = dict(rows(plain.group_by(LinkClick.link_id)))
    found = [
        LinkNumbers(
            link.id,
            link.name,
            link.url,
            known.get(link.id, (0, 0))[0] + unknown.get(link.id, 0),
            known.get(link.id, (0, 0))[1] if link.per_friend else None,
        )
        for link in own
    ]
    return sorted(found, key=lambda one: -one.taps)


def clickers(broadcast_id: int, counted: list[LinkNumbers] | None = None) -> int:
    """People who tapped any of its links, as far as links are personal.

    :param counted: its `links`, where they are known: the people of an only one are all there are
    """
    personal = [one.people or 0 for one in counted or () if one.people is not None]
    if counted is not None and len(personal) <= 1:
        return sum(personal)
    query = Fact.select(fn.COUNT(Fact.friend_id.distinct())).where(*_clicked(broadcast_id))
    return int(query.scalar() or 0)


def taps_by_hour(broadcast_id: int, since: datetime) -> list[int]:
    """Taps in each of the first 48 hours after it began to leave."""
    start = to_ms(since)
    until = since + timedelta(hours=CHART_HOURS)
    hours = [0] * CHART_HOURS
    bucket = ((Fact.at - SQL(str(start))) / HOUR).alias("bucket")
    known = (
        Fact.select(bucket, fn.COUNT(1))
        .where(*_clicked(broadcast_id), Fact.at >= since, Fact.at < until)
        .group_by(SQL("bucket"))
    )
    plain_bucket = ((LinkClick.at - SQL(str(start))) / HOUR).alias("bucket")
    plain = (
        LinkClick.select(plain_bucket, fn.COUNT(1))
        .where(
            LinkClick.link_id.in_(_link_ids(broadcast_id)),
            LinkClick.at >= since,
            LinkClick.at < until,
        )
        .group_by(SQL("bucket"))
    )
    for hour, count in rows(known) + rows(plain):
        hours[int(hour)] += count
    return hours


def redeemed(row: Broadcast) -> Redeemed:
    """The coupons it gave out that were used, and for how much."""
    query = CouponIssue.select(
        fn.COUNT(1),
        fn.COUNT(CouponIssue.friend_id.distinct()),
        fn.COALESCE(fn.SUM(CouponIssue.redeemed_amount), 0),
    ).where(*_used_coupons(row))
    count, people, spent = rows(query)[0]
    return Redeemed(int(count), int(people), int(spent))


def bought(row: Broadcast) -> Bought:
    """Purchases within seven days by those who got it."""
    if row.leaves_at is None:
        return Bought(0, 0, 0)
    query = (
        Purchase.select(
            fn.COUNT(1),
            fn.COUNT(Purchase.friend.distinct()),
            fn.COALESCE(fn.SUM(Purchase.amount), 0),
        )
        .join(Delivery, on=(Delivery.friend_id == Purchase.friend))
        .where(
            Purchase.uncounted_at.is_null(),
            Purchase.at >= row.leaves_at,
            Purchase.at < row.leaves_at + BUYING,
            _mine(row.id),
            Delivery.state == literal(DeliveryState.SENT),
            Purchase.at >= Delivery.done_at,
        )
    )
    return Bought(*map(int, rows(query)[0]))


def blocks(row: Broadcast) -> Blocks:
    """Who blocked within 48 hours of getting it, by name, and whether that is more than usual."""
    names: list[Blocker] = []
    day = two = 0
    for friend_id, name, at, sent_at in _blocked(row):
        late = at - sent_at
        day += late < 24 * HOUR
        two += 1
        if len(names) < NAMES:
            names.append(Blocker(friend_id, name, from_ms(at), int(late // HOUR)))
    return Blocks(day, two, _sent(row), names, _usual(row))


def versions(row: Broadcast) -> list[VersionNumbers]:
    """The numbers of each version; one line where there is only one."""
    contents = [row.content_id, *(row.variant_contents or [])]
    mine = _mine(row.id) & (Delivery.state == literal(DeliveryState.SENT))
    sent = _by_content(Delivery.select(Delivery.content, fn.COUNT(1)).where(mine))
    clicked = _by_content(
        Delivery.select(Delivery.content, fn.COUNT(Delivery.friend_id.distinct()))
        .join(Fact, on=(Fact.friend_id == Delivery.friend_id))
        .where(mine, *_clicked(row.id))
    )
    used = _by_content(
        Delivery.select(Delivery.content, fn.COUNT(Delivery.friend_id.distinct()))
        .join(CouponIssue, on=(CouponIssue.friend_id == Delivery.friend_id))
        .where(mine, *_used_coupons(row))
    )
    blocked: dict[int, int] = defaultdict(int)
    of_whom = {friend_id for friend_id, _name, _at, _sent in _blocked(row)}
    which = Delivery.select(Delivery.content).where(mine, one_of(Delivery.friend_id, of_whom))
    for (content_id,) in rows(which) if of_whom else []:
        blocked[content_id] += 1
    return [
        VersionNumbers(
            letter,
            sent.get(content_id, 0),
            clicked.get(content_id, 0),
            used.get(content_id, 0),
            blocked.get(content_id, 0),
        )
        for letter, content_id in zip(LETTERS, contents, strict=False)
    ]


def block_counts(row: Broadcast) -> tuple[int, int]:
    """(within 24 hours, within 48 hours)."""
    late = [at - sent_at for _friend, _name, at, sent_at in _blocked(row)]
    return sum(one < 24 * HOUR for one in late), len(late)


def _blocked(row: Broadcast) -> list[tuple[int, str, int, int]]:
    """(friend, name, blocked at, got it at) of those who blocked within 48 hours of getting it."""
    if row.leaves_at is None:
        return []
    until = (row.finished_at or row.leaves_at + timedelta(days=7)) + timedelta(hours=48)
    query = (
        Fact.select(Friend.id, Friend.display_name, fn.MIN(Fact.at), Delivery.done_at)
        .join(Delivery, on=(Delivery.friend_id == Fact.friend_id))
        .join(Friend, on=(Friend.id == Fact.friend_id))
        .where(
            Fact.kind == "blocked",
            Fact.object_id == 0,
            Fact.at >= row.leaves_at,
            Fact.at < until,
            _mine(row.id),
            Delivery.state == literal(DeliveryState.SENT),
            Fact.at >= Delivery.done_at,
            Fact.at < Delivery.done_at + 48 * HOUR,
        )
        .group_by(Friend.id, Friend.display_name, Delivery.done_at)
        .order_by(fn.MIN(Fact.at))
    )
    return [(one[0], one[1], int(one[2]), int(one[3])) for one in rows(query)]


def _usual(row: Broadcast) -> float | None:
    earlier: Any = (
        Broadcast.select(Broadcast.blocks_24, Broadcast.sent_count)
        .where(
            Broadcast.id != row.id,
            Broadcast.blocks_24.is_null(False),
            Broadcast.sent_count > 0,
        )
        .order_by(Broadcast.id.desc())
        .limit(EARLIER)
    )
    rates = [blocked / sent for blocked, sent in earlier.tuples()]
    return median(rates) if len(rates) >= FEWEST_EARLIER else None


def _sent(row: Broadcast) -> int:
    if row.sent_count is not None:
        return int(row.sent_count)
    query = Delivery.select(fn.COUNT(1)).where(
        _mine(row.id), Delivery.state == literal(DeliveryState.SENT)
    )
    return int(query.scalar() or 0)


def _mine(broadcast_id: int) -> Any:
    return (Delivery.origin_kind == int(OriginKind.BROADCAST)) & (
        Delivery.origin_id == broadcast_id
    )


def _link_ids(broadcast_id: int) -> Any:
    return TrackedLink.select(TrackedLink.id).where(
        TrackedLink.origin_kind == int(OriginKind.BROADCAST),
        TrackedLink.origin_id == broadcast_id,
    )


def _clicked(broadcast_id: int) -> list[Any]:
    return [Fact.kind == CLICKED, Fact.object_id.in_(_link_ids(broadcast_id))]


def _used_coupons(row: Broadcast) -> list[Any]:
    contents = [row.content_id, *(row.variant_contents or [])]
    parts = Content.select(Content.parts).where(Content.id.in_([one for one in contents if one]))
    codes = {code for one in parts for code in coupon_codes(parse_parts(one.parts))}
    coupons = Coupon.select(Coupon.id).where(Coupon.code.in_(sorted(codes)))
    return [
        CouponIssue.coupon.in_(coupons),
        CouponIssue.redeemed_at.is_null(False),
        CouponIssue.origin == "broadcast",
        CouponIssue.origin_id == row.id,
    ]


def _by_content(query: Any) -> dict[int, int]:
    return dict(rows(query.group_by(Delivery.content)))
