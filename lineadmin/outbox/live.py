"""Conditions on what is still underway, written so that the partial indexes answer them.

A database uses a partial index only where it can see the index's condition in the query: a state
handed over as a parameter would hide it, and five million finished rows would be read instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import SQL, Field, Model

from lineadmin.db import db, one_of
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


def rows(query: Any) -> list[Any]:
    """Run a SELECT or a … RETURNING and answer the driver's own tuples: times are plain numbers.

    Going through peewee's cursors would cost more than the statement itself.
    """
    return list(db.execute(query).fetchall())


class Listed:
    """Rows to join with: `VALUES (1, 2, 'a'), …` in one piece, our own integers before texts.

    Its columns are called column1, column2, … on both databases. Peewee's own ValuesList builds a
    node per value, which costs more than sending the message.
    """

    def __init__(self, name: str, values: str, params: Sequence[str] = ()) -> None:
        self._name = name
        self.source = SQL(f"(VALUES {values}) AS {name}", params)

    @classmethod
    def pairs(cls, name: str, pairs: Iterable[tuple[int, int]]) -> Listed:
        """Rows of two integers."""
        return cls(name, ",".join(["(%d,%d)" % pair for pair in pairs]))  # noqa: UP031 - twice as fast

    @classmethod
    def rows(cls, name: str, rows: Iterable[tuple[Sequence[int | None], Sequence[str]]]) -> Listed:
        """Rows of integers and texts."""
        params: list[str] = []
        lines = []
        for numbers, texts in rows:
            values = ["NULL" if one is None else str(int(one)) for one in numbers]
            values += [db.param] * len(texts)
            params += texts
            lines.append(f"({','.join(values)})")
        return cls(name, ",".join(lines), params)

    def column(self, number: int) -> SQL:
        """The column of that number, from 1."""
        return SQL(f"{self._name}.column{number}")


def insert_texts(
    model: type[Model],
    columns: Sequence[Field],
    rows: Iterable[tuple[Sequence[int], Sequence[str]]],
    *,
    returning: Sequence[Field],
) -> list[Any]:
    """Insert many rows, integers before texts; what is not named gets its default.

    As with `Listed`, going through peewee's values would cost more than the statement.
    """
    named = {field.name for field in columns}
    constant = {
        field: field.db_value(field.default() if callable(field.default) else field.default)
        for field in model._meta.sorted_fields
        if field.name not in named and field.default is not None
    }
    params: list[Any] = []
    lines = []
    for numbers, texts in rows:
        values = [str(int(one)) for one in numbers] + [db.param] * (len(texts) + len(constant))
        params += [*texts, *constant.values()]
        lines.append(f"({','.join(values)})")
    names = ", ".join(f'"{field.column_name}"' for field in (*columns, *constant))
    wanted = ", ".join(f'"{field.column_name}"' for field in returning)
    sql = (
        f'INSERT INTO "{model._meta.table_name}" ({names})'  # noqa: S608 - our own names
        f" VALUES {','.join(lines)} RETURNING {wanted}"
    )
    return list(db.execute_sql(sql, params).fetchall())


def changed(query: Any) -> int:
    """Run an UPDATE and answer the number of rows it changed."""
    return int(query.execute())


def literal(state: int) -> SQL:
    """A state as the query text itself, never a parameter."""
    return SQL(str(int(state)))


__all__ = ["Listed", "flying", "literal", "one_of", "packed", "queued", "ready", "rows"]
