"""What became of the steps of a sequence, and how many friends are underway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from peewee import fn

from lineadmin.journal.models import Fact
from lineadmin.outbox.live import literal, one_of, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.sequences.advance import place_of
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import TrackedLink

NEWEST = 20_000  # taps, redemptions and blocks that are looked at


def outcomes(sequence_id: int) -> Mapping[tuple[int, int], Mapping[DeliveryState, int]]:
    """{(branch, step from 1): {state: friends}}, over all versions and runs."""
    # The kind is written out and the grouping follows the index, so that it answers alone.
    query = (
        Delivery.select(Delivery.state, Delivery.origin_run, fn.COUNT(Delivery.id))
        .where(Delivery.origin_kind == literal(OriginKind.STEP), Delivery.origin_id == sequence_id)
        .group_by(Delivery.state, Delivery.origin_run)
    )
    found: dict[tuple[int, int], dict[DeliveryState, int]] = defaultdict(lambda: defaultdict(int))
    for state, run, count in rows(query):
        found[place_of(run)][DeliveryState(state)] += count
    return found


def tapped(sequence_id: int) -> dict[tuple[int, int], int]:
    """{(branch, step from 1): friends who tapped}, for steps with links of each friend's own."""
    links = TrackedLink.select(TrackedLink.id, TrackedLink.place).where(
        TrackedLink.origin_kind == int(OriginKind.STEP),
        TrackedLink.origin_id == sequence_id,
        TrackedLink.per_friend == True,  # noqa: E712
    )
    places: dict[int, int] = dict(rows(links))
    taps = (
        Fact.select(Fact.object_id, Fact.friend_id)
        .where(Fact.kind == CLICKED, one_of(Fact.object_id, places))
        .distinct()
        .limit(NEWEST)
    )
    people: dict[tuple[int, int], set[int]] = {place_of(place): set() for place in places.values()}
    for link_id, friend_id in rows(taps):
        people[place_of(places[link_id])].add(friend_id)
    return {place: len(ids) for place, ids in people.items()}
