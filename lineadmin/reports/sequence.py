"""What became of the steps of a sequence, and how many friends are underway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from peewee import fn

from lineadmin.outbox.live import literal, rows
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.sequences.advance import place_of


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
