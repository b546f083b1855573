"""The home page: how the shop stands today, what leaves next, and who waits for an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask_admin import expose
from werkzeug.routing import BuildError

from lineadmin import clock, i18n, settings
from lineadmin.admin import charts
from lineadmin.admin.base import AdminPage, current_staff
from lineadmin.broadcasts import approval
from lineadmin.friends.queries import names_of
from lineadmin.i18n import _, _l, _n
from lineadmin.inbox import queries as inbox
from lineadmin.members import binding
from lineadmin.outbox import quota
from lineadmin.purchases import queries as purchases
from lineadmin.reports import home as numbers
from lineadmin.settings.cost import cost

SPANS = (7, 30, 90)
OPEN_MESSAGES = 8


class HomeView(AdminPage):
    """One page of true numbers; each is one indexed query."""

    menu_icon = "home"

    @expose("/")
    def index(self) -> str:
        """The page; `days` chooses the span of the chart."""
        now, zone = clock.now(), settings.shop_zone()
        today = numbers.leaves_today(now, zone)
        span = _span(request.args.get("days", ""))
        days = numbers.friend_days(now, zone, span)
        title = _("Friends won and lost in the last %(days)s days", days=span)
        chart = charts.bars(
            title,
            _("Day"),
            [f"{day.day.month}/{day.day.day}" for day in days],
            [
                (_("Added or unblocked"), [day.followed for day in days]),
                (_("Blocked"), [day.blocked for day in days]),
            ],
        )
        return self.render(
            "admin/home.html",
            hello=_hello(now, current_staff().name),
            friends=numbers.friend_numbers(now),
            latest=numbers.latest_broadcasts(),
            waiting=approval.waiting(limit=5),
            claims=binding.open_claims(),
            month=_month(now, zone),
            coupons=numbers.coupon_numbers(now),
            today=today,
            price=_price(today.total, now),
            bound=numbers.BOUND,
            chart=chart,
            spans=SPANS,
            span=span,
            coming=_coming_with_cost(numbers.coming(now, zone), now),
            open_messages=inbox.unanswered(OPEN_MESSAGES, wall=clock.wall()),
            open_count=inbox.unanswered_count(),
            wishes=purchases.open_wishes(OPEN_MESSAGES),
            wish_count=purchases.open_count(),
            friend_names=names_of,
            address=_address,
            signed=_signed,
            percent=_percent,
            at_most=_at_most,
        )


def views() -> list[tuple[Any, str, int]]:
    """The page and its place in the menu."""
    return [(HomeView(_l("Home"), endpoint="admin", url="/admin"), "", 0)]


def _span(text: str) -> int:
    return int(text) if text in map(str, SPANS) else 30


def _hello(now: datetime, name: str) -> str:
    hour = i18n.local(now).hour
    if 5 <= hour < 11:
        return _("Good morning, %(name)s", name=name)
    if 11 <= hour < 18:
        return _("Good afternoon, %(name)s", name=name)
    return _("Good evening, %(name)s", name=name)


def _month(now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The month's messages as a bar, and what was saved by answering for free."""
    meter, shop = quota.meter(now), settings.shop()
    limit = meter.limit if meter.limit is not None else shop.plan_included
    percent = 0 if not limit else min(100, round(100 * meter.taken / limit))
    return {
        "used": meter.taken,
        "limit": limit,
        "left": None if limit is None else max(0, limit - meter.taken),
        "percent": percent,
        "kind": "bad" if percent >= 100 else "warn" if percent >= 80 else "",
        "reserve": 0 if meter.limit is None else shop.reserve_messages,
        "free": numbers.free_replies(now, zone),
        "plan": shop.plan_name or "",
    }


def _coming_with_cost(coming: list[numbers.Coming], now: datetime) -> list[dict[str, Any]]:
    """What comes, each with what it costs beyond the plan after all that comes before it."""
    shop, used = settings.shop(), quota.meter(now).taken
    zone = shop.zone
    found = []
    for one in coming:
        told = _coming(one, now)
        same_month = one.at.astimezone(zone).month == now.astimezone(zone).month
        if one.people and same_month:
            price = cost(one.people, used=used, shop=shop)
            used += one.people
            if price.twd:
                told["people"] += "・" + _("about %(twd)s", twd=i18n.format_twd(price.twd))
        found.append(told)
    return found


def _coming(one: numbers.Coming, now: datetime) -> dict[str, Any]:
    today, day = i18n.local(now).date(), i18n.local(one.at).date()
    clock_time = i18n.format_time(one.at)
    if day == today:
        when = clock_time
    elif (day - today).days == 1:
        when = _("tomorrow %(time)s", time=clock_time)
    else:
        when = f"{i18n.format_date(day)} {clock_time}"
    name = one.name
    if one.kind == "step":
        name = _("%(name)s・step %(step)s", name=one.name, step=one.step)
    people = ""
    if one.people is not None:
        people = _n("%(count)s person", "%(count)s people", one.people)
    return {"when": when, "name": name, "people": people}


def _price(messages: int, now: datetime) -> str:
    """What today's messages cost beyond the plan, or nothing where they are in it."""
    meter = quota.meter(now)
    told = cost(messages, used=meter.taken, shop=settings.shop())
    if told.sold_out:
        return _("%(count)s more than the plan has", count=i18n.format_count(told.over))
    return _("about %(twd)s", twd=i18n.format_twd(told.twd)) if told.twd else ""


def _address(endpoint: str, **values: Any) -> str:
    """The address of another area's page, or "" where this installation has none."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def _signed(number: int) -> str:
    return f"+{number:,}" if number > 0 else f"−{-number:,}" if number < 0 else ""


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{part * 100:.1f}%"


def _at_most(number: int) -> str:
    if number > numbers.BOUND:
        return _("over %(count)s", count=i18n.format_count(numbers.BOUND))
    return i18n.format_count(number)
