"""What came of a sequence: step by step, branch by branch, by source, and when friends tap.

Every question walks along an index and is bounded where it could grow; taps and redemptions are
counted in people, a block within a day of a step is that step's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from peewee import SQL, Case, Select, fn

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.db import from_ms
from lineadmin.friends.models import BLOCKED, Friend, Source
from lineadmin.journal.models import Fact
from lineadmin.messages.parts import coupon_codes, parse_parts
from lineadmin.outbox.live import literal, one_of, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reports.sequence import NEWEST, outcomes
from lineadmin.sequences.models import Enrolment, SequenceVersion
from lineadmin.sequences.places import RUN_FACTOR, place_of
from lineadmin.sequences.published import parsed
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import TrackedLink

HOUR, DAY = 60 * 60 * 1000, 24 * 60 * 60 * 1000
CURVE_DAYS = 14
FEWEST_TAPS = 20  # before an hour is suggested

Place = tuple[int, int]  # branch, step from 1


@dataclass(frozen=True)
class StepNumbers:
    """One step. People, not taps; `drop` is the share that did not come on from the step before."""

    branch: int
    step: int
    entered: int
    sent: int
    clicked: int
    redeemed: int
    blocked: int  # within 24 hours of getting it
    drop: float | None
    hours: float | None  # the median until somebody taps or redeems


@dataclass(frozen=True)
class SourceCurve:
    """How many of a source's friends had blocked by each day after they started."""

    name: str  # "" = unknown
    started: int
    blocked: list[int]  # by day, not summed up

    @property
    def shares(self) -> list[float]:
        """Percent that had blocked by the end of each day."""
        total, found = 0, []
        for number in self.blocked:
            total += number
            found.append(round(100 * total / self.started, 1))
        return found


@dataclass
class GoldenTime:
    """Taps on step messages by the shop's hour and weekday; `hour` None: too few to say."""

    taps: int = 0
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    hour: int | None = None
    weekday: int | None = None


def steps(sequence_id: int) -> list[StepNumbers]:
    """Every step that ever was planned for anybody, over all versions and runs."""
    planned = outcomes(sequence_id)
    clicked, hours = _clicks(sequence_id)
    redeemed, later = _redemptions(sequence_id)
    blocked = _blocks(sequence_id)
    found: list[StepNumbers] = []
    for branch, step in sorted(planned):
        entered = sum(planned[branch, step].values())
        before = found[-1] if found and found[-1].branch == branch else None
        times = hours.get((branch, step), []) + later.get((branch, step), [])
        found.append(
            StepNumbers(
                branch,
                step,
                entered,
                planned[branch, step].get(DeliveryState.SENT, 0),
                clicked.get((branch, step), 0),
                redeemed.get((branch, step), 0),
                blocked.get((branch, step), 0),
                None if before is None or not before.entered else 1 - entered / before.entered,
                round(median(times), 1) if times else None,
            )
        )
    return found


def by_branch(numbers: Iterable[StepNumbers]) -> list[StepNumbers]:
    """Each branch summed up: who entered it, and what its steps brought together."""
    found = []
    groups: dict[int, list[StepNumbers]] = defaultdict(list)
    for one in numbers:
        groups[one.branch].append(one)
    for branch, members in sorted(groups.items()):
        first, last = members[0], members[-1]
        found.append(
            StepNumbers(
                branch,
                len(members),
                first.entered,
                sum(one.sent for one in members),
                sum(one.clicked for one in members),
                sum(one.redeemed for one in members),
                sum(one.blocked for one in members),
                1 - last.entered / first.entered if first.entered else None,
                None,
            )
        )
    return found


def curves(sequence_id: int, days: int = CURVE_DAYS) -> list[SourceCurve]:
    """The newest starters by source, most first, and when they blocked the account."""
    newest = int(Enrolment.select(fn.MAX(Enrolment.id)).scalar() or 0)
    # With a limit of its own the database can't turn it into a walk through all friends by source.
    recent = (
        Enrolment.select(Enrolment.friend_id, Enrolment.entered_at)
        .where((Enrolment.id > newest - NEWEST) & (Enrolment.sequence == sequence_id))
        .limit(NEWEST)
        .alias("recent")
    )
    gone = (Friend.status == BLOCKED) & (Friend.blocked_at >= recent.c.entered_at)
    bucket = Case(None, [(gone, (Friend.blocked_at - recent.c.entered_at) / DAY)])
    found = (
        Friend.select(Friend.source, bucket.alias("bucket"), fn.COUNT(SQL("1")))
        .join(recent, on=(recent.c.friend_id == Friend.id))
        .group_by(Friend.source, SQL("bucket"))
    )
    started: Counter[int | None] = Counter()
    blocked: dict[int | None, list[int]] = defaultdict(lambda: [0] * days)
    for source_id, day, count in rows(found):
        started[source_id] += count
        if day is not None and int(day) < days:
            blocked[source_id][int(day)] += count
    names: dict[int, str] = dict(rows(Source.select(Source.id, Source.name)))
    drawn = [
        SourceCurve(names.get(source_id or 0, ""), count, blocked[source_id])
        for source_id, count in started.items()
    ]
    return sorted(drawn, key=lambda curve: -curve.started)


def golden_time(zone: ZoneInfo) -> GoldenTime:
    """When friends tap what step messages bring them: the newest taps of all sequences."""
    of_steps = TrackedLink.origin_kind == int(OriginKind.STEP)
    links = [row[0] for row in rows(TrackedLink.select(TrackedLink.id).where(of_steps))]
    taps = (
        Fact.select(Fact.at)
        .where(Fact.kind == CLICKED, one_of(Fact.object_id, links))
        .order_by(Fact.at.desc())
        .limit(NEWEST)
    )
    moments = [from_ms(at).astimezone(zone) for (at,) in rows(taps)]
    told = GoldenTime(taps=len(moments))
    for moment in moments:
        told.hours[moment.hour] += 1
    if len(moments) >= FEWEST_TAPS:
        told.hour = max(range(24), key=lambda hour: told.hours[hour])
        told.weekday = Counter(moment.weekday() for moment in moments).most_common(1)[0][0]
    return told


# -- whose step was it -------------------------------------------------------------------------


def _clicks(sequence_id: int) -> tuple[dict[Place, int], dict[Place, list[float]]]:
    """People who tapped a link of each step, and how many hours after they got it."""
    of_steps = (TrackedLink.origin_kind == int(OriginKind.STEP)) & (
        TrackedLink.origin_id == sequence_id
    )
    places: dict[int, int] = dict(
        rows(TrackedLink.select(TrackedLink.id, TrackedLink.place).where(of_steps))
    )
    people: dict[Place, set[int]] = defaultdict(set)
    hours: dict[Place, list[float]] = defaultdict(list)
    taps = (
        Fact.select(Fact.object_id, Fact.friend_id, fn.MIN(Fact.at), _got_at(sequence_id))
        .join(TrackedLink, on=(TrackedLink.id == Fact.object_id))
        .where(Fact.kind == CLICKED, one_of(Fact.object_id, places))
        .group_by(Fact.object_id, Fact.friend_id, TrackedLink.place)
        .limit(NEWEST)
    )
    for link_id, friend_id, at, got in rows(taps):
        place = place_of(places[link_id])
        people[place].add(friend_id)
        if got is not None and at >= got:
            hours[place].append((at - got) / HOUR)
    return {place: len(ids) for place, ids in people.items()}, hours


def _got_at(sequence_id: int) -> Any:
    """When the friend of a tap got the step the link is in."""
    of = Delivery.alias("got")
    return of.select(fn.MIN(of.done_at)).where(
        of.friend_id == Fact.friend_id,
        of.origin_kind == literal(OriginKind.STEP),
        of.origin_id == sequence_id,
        # What is left of the division by the run: `%` means something else on SQLite.
        of.origin_run - of.origin_run / RUN_FACTOR * RUN_FACTOR == TrackedLink.place,
        of.state == literal(DeliveryState.SENT),
    )


def _redemptions(sequence_id: int) -> tuple[dict[Place, int], dict[Place, list[float]]]:
    """Coupons of each step that were used, and how many hours after they came."""
    versions = SequenceVersion.select(SequenceVersion.definition).where(
        SequenceVersion.sequence == sequence_id
    )
    codes = {
        code
        for row in versions
        for branch in parsed(row.definition).branches
        for step in branch.steps
        for code in coupon_codes(parse_parts(list(step.messages)))
    }
    if not codes:
        return {}, {}
    ids = [row[0] for row in rows(Coupon.select(Coupon.id).where(Coupon.code.in_(sorted(codes))))]
    used = (
        CouponIssue.select(
            CouponIssue.redeemed_at,
            _last_step(sequence_id, CouponIssue.friend_id, CouponIssue.issued_at),
        )
        .where(
            one_of(CouponIssue.coupon, ids),
            CouponIssue.redeemed_at.is_null(False),
            CouponIssue.origin == "step",
            CouponIssue.origin_id == sequence_id,
        )
        .order_by(CouponIssue.id.desc())
        .limit(NEWEST)
    )
    counts: Counter[Place] = Counter()
    hours: dict[Place, list[float]] = defaultdict(list)
    for redeemed_at, place, got in _with_steps(used):
        counts[place] += 1
        hours[place].append(max(0, redeemed_at - got) / HOUR)
    return dict(counts), hours


def _blocks(sequence_id: int) -> dict[Place, int]:
    """Friends who blocked the account within 24 hours of a step, by the last one they got."""
    run = _last_step(sequence_id, Fact.friend_id, Fact.at, DAY, answer="origin_run")
    gone = (
        Fact.select(run.alias("run"))
        .where(Fact.kind == "blocked", Fact.object_id == 0)
        .order_by(Fact.at.desc())
        .limit(NEWEST)
    )
    found = Select([gone.alias("gone")], [SQL("run"), fn.COUNT(SQL("*"))]).group_by(SQL("run"))
    counts: Counter[Place] = Counter()
    for last, people in rows(found):
        if last is not None:
            counts[place_of(last)] += people
    return dict(counts)


def _last_step(
    sequence_id: int, friend_id: Any, at: Any, within: int | None = None, answer: str = "id"
) -> Any:
    """The delivery of the step a friend got last by a moment: one row of her deliveries.

    :param within: it was due at most so many milliseconds before
    :param answer: which column of it
    """
    of = Delivery.alias("last")
    found = of.select(getattr(of, answer))
    if within is not None:
        found = found.where(of.due_at >= at - within)
    return (
        found.where(
            of.friend_id == friend_id,
            of.origin_kind == literal(OriginKind.STEP),
            of.origin_id == sequence_id,
            of.state == literal(DeliveryState.SENT),
            of.due_at <= at,
        )
        .order_by(of.due_at.desc())
        .limit(1)
    )


def _with_steps(found: Any) -> list[tuple[int, Place, int]]:
    """(when, which step, when that was due) of rows of (when, delivery); without one: left out."""
    told = [(at, delivery) for at, delivery in rows(found) if delivery is not None]
    steps = {
        delivery: (place_of(run), due_at)
        for delivery, run, due_at in rows(
            Delivery.select(Delivery.id, Delivery.origin_run, Delivery.due_at).where(
                one_of(Delivery.id, {delivery for _at, delivery in told})
            )
        )
    }
    return [(at, *steps[delivery]) for at, delivery in told if delivery in steps]
