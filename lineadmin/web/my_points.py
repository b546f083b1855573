"""A friend's points among her own pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask import render_template as render

from lineadmin.i18n import _, _n, format_date
from lineadmin.members import points
from lineadmin.members.actions import of_friend
from lineadmin.members.models import Member, PointEntry
from lineadmin.members.setup import setup
from lineadmin.web import my_page

LINES = 30


def init_app(app: Flask) -> None:
    """Add the page."""
    my_page.add(my_page.Section("points", 30, _draw, teaser=_teaser, shown=_shown))


def _shown(visit: my_page.Visit) -> bool:
    return setup().enabled and of_friend(visit.friend.id) is not None


def _member(visit: my_page.Visit) -> Member:
    member = of_friend(visit.friend.id)
    if member is None:
        raise LookupError("a page that only members have")
    return member


def _draw(visit: my_page.Visit) -> str:
    member = _member(visit)
    lots = [
        (_last_day(ends) if ends else _("No end"), left)
        for ends, left in points.expiring(member.id)
        if ends is None or ends > visit.now
    ]
    return render(
        "web/my_points.html",
        balance=sum(left for _day, left in lots),
        lots=lots,
        lines=[_line(entry) for entry in points.entries(member.id, limit=LINES)],
    )


def _line(entry: PointEntry) -> dict[str, Any]:
    labels = {
        points.GIVE: _("Points received"),
        points.TAKE: _("Points used"),
        points.EXPIRE: _("Points expired"),
    }
    return {
        "at": entry.at,
        "amount": entry.amount,
        "text": entry.reason or labels[entry.kind],
    }


def _last_day(ends: datetime) -> str:
    return _("until %(day)s", day=format_date(ends - timedelta(milliseconds=1)))


def _teaser(visit: my_page.Visit) -> str:
    return _n("%(count)s point", "%(count)s points", points.balance(_member(visit).id, visit.now))
