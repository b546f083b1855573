"""What became of the steps of a sequence, and how many friends are underway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from peewee import SQL, Select, fn

from lineadmin.db import is_postgres
from lineadmin.journal.models import Fact
from lineadmin.outbox.live import literal, one_of, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.sequences.advance import place_of
from lineadmin.tracking.clicks import CLICKED
from lineadmin.tracking.models import TrackedLink

NEWEST = 20_000  # taps, redemptions, blocks and starts that are looked at


def outcomes(sequence_id: int) -> Mapping[tuple[int, int], Mapping[DeliveryState, int]]:
    """{(branch, step from 1): {state: friends}}, over all versions and runs."""
    of_steps = (Delivery.origin_kind == literal(OriginKind.STEP)) & (
        Delivery.origin_id == sequence_id
    )
    # The kind is written out, so that the index over steps answers alone.
    query = Delivery.select(Delivery.state, Delivery.origin_run, fn.COUNT(SQL("*"))).where(of_steps)
    query = query.group_by(Delivery.state, Delivery.origin_run)
    if not is_postgres():
        query = _each_counted(of_steps)
    found: dict[tuple[int, int], dict[DeliveryState, int]] = defaultdict(lambda: defaultdict(int))
    for state, run, count in rows(query):
        found[place_of(run)][DeliveryState(state)] += count
    return found


def _each_counted(of_steps: Any) -> Any:
    """The same rows. SQLite finds the few pairs by leaping from one to the next in the index, and
    counts each of them in half the time that grouping takes."""
    places = Delivery.select(Delivery.state, Delivery.origin_run).where(of_steps).distinct()
    place = places.alias("place")
    each = Delivery.select(fn.COUNT(SQL("*"))).where(
        of_steps,
        Delivery.state == place.c.state,
        Delivery.origin_run.between(place.c.origin_run, place.c.origin_run),
    )
    return Select([place], [place.c.state, place.c.origin_run, each])


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
        .limit(NEWEST)
    )
    # Made distinct here: for DISTINCT, SQLite would walk through everything that ever happened.
    people: dict[tuple[int, int], set[int]] = {place_of(place): set() for place in places.values()}
    for link_id, friend_id in rows(taps):
        people[place_of(places[link_id])].add(friend_id)
    return {place: len(ids) for place, ids in people.items()}
