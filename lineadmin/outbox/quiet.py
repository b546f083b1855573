"""Quiet hours: when steps and broadcasts wait. Pure, from the shop's settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from lineadmin.settings import ShopSettings
from lineadmin.settings.shop import parse_clock


def ends_at(shop: ShopSettings, moment: datetime) -> datetime | None:
    """The end (UTC) of the quiet hours `moment` falls into; None outside them.

    The hours are those of the shop's wall clock and may run over midnight. They are built as
    moments, not compared as clock times: on the night the clocks change, an hour that happens
    twice or never neither repeats the quiet nor loses it.
    """
    if shop.quiet_from is None or shop.quiet_until is None:
        return None
    start, end = parse_clock(shop.quiet_from), parse_clock(shop.quiet_until)
    if start is None or end is None:
        return None
    today = moment.astimezone(shop.zone).date()
    for day in (today - timedelta(days=1), today):
        begins = _at(shop, day, start)
        ends = _at(shop, day if end > start else day + timedelta(days=1), end)
        if begins <= moment < ends:
            return ends
    return None


def _at(shop: ShopSettings, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=shop.zone).astimezone(UTC)
