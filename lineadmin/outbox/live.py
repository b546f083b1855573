"""Conditions on what is still underway, written so that the partial indexes answer them.

A database uses a partial index only where it can see the index's condition in the query: a state
handed over as a parameter would hide it, and five million finished rows would be read instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import SQL

from lineadmin.outbox.models import Delivery, DeliveryState, Shipment, ShipmentState


def queued(delivery: Any = Delivery) -> Any:
    """Deliveries that are waiting."""
    return delivery.state == literal(DeliveryState.QUEUED)


def packed(delivery: Any = Delivery) -> Any:
    """Deliveries whose shipment is underway."""
    return delivery.state == literal(DeliveryState.PACKED)


def ready(shipment: Any = Shipment) -> Any:
    """Shipments to be tried, now or later."""
    return shipment.state == literal(ShipmentState.READY)


def flying(shipment: Any = Shipment) -> Any:
    """Shipments somebody holds a lease on."""
    return shipment.state == literal(ShipmentState.FLYING)


def one_of(column: Any, numbers: Iterable[int]) -> Any:
    """`column IN (…)` without a parameter per number; they are our own integers."""
    listed = ",".join(str(int(number)) for number in numbers)
    return column.in_(SQL(f"({listed})" if listed else "(NULL)"))


def rows(query: Any) -> list[Any]:
    """Run a SELECT or a … RETURNING and answer plain tuples."""
    return list(query.tuples().execute())


def changed(query: Any) -> int:
    """Run an UPDATE and answer the number of rows it changed."""
    return int(query.execute())


def literal(state: int) -> SQL:
    """A state as the query text itself, never a parameter."""
    return SQL(str(int(state)))
