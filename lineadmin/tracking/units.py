"""The names under which LINE counts opens and clicks of what is not sent to one person alone.

LINE takes 1,000 names a month and silently counts nothing for the 1,001st (line-platform
"Aggregation units"), so each name is claimed once per month and then kept.
"""

from __future__ import annotations

from datetime import datetime

from lineadmin import settings
from lineadmin.db import insert_ignore
from lineadmin.line.limits import AGGREGATION_UNITS_PER_MONTH
from lineadmin.outbox.models import OriginKind
from lineadmin.tracking.models import AggregationUnit

PREFIXES = {OriginKind.BROADCAST: "broadcast", OriginKind.STEP: "sequence"}


def name_of(kind: int, origin_id: int) -> str | None:
    """The name of a program's messages in LINE's statistics; None for answers to one person."""
    prefix = PREFIXES.get(OriginKind(kind))
    return None if prefix is None else f"{prefix}_{origin_id}"


def claim(kind: int, origin_id: int, now: datetime) -> str | None:
    """The program's name, where this month still has room for it."""
    name = name_of(kind, origin_id)
    if name is None:
        return None
    month = f"{now.astimezone(settings.shop_zone()):%Y-%m}"
    this_month = AggregationUnit.month == month
    if AggregationUnit.select().where(this_month, AggregationUnit.name == name).exists():
        return name
    if AggregationUnit.select().where(this_month).count() >= AGGREGATION_UNITS_PER_MONTH:
        return None
    insert_ignore(AggregationUnit.insert(month=month, name=name))
    return name
