"""The sum before sending, in words: who is left out, what it costs, what the buttons say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin import clock, settings
from lineadmin.admin.broadcast_form import ESTIMATED, BroadcastForm
from lineadmin.broadcasts import estimated_sum, ledger
from lineadmin.broadcasts.confirm import needs_approval, sum_of
from lineadmin.broadcasts.estimated import is_open
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _n, format_count, format_twd
from lineadmin.outbox import reasons
from lineadmin.settings.cost import Cost, tiers
from lineadmin.settings.shop import ShopSettings


def sum_of_form(form: BroadcastForm, broadcast_id: int) -> dict[str, Any] | None:
    """The sum for what a form says; None while no audience is chosen."""
    audience = form.audience()
    now = clock.now()
    if form.who.data == ESTIMATED:
        return _estimated_sum(form, now)
    if audience is None:
        return None
    try:
        at = form.moment()
    except DomainError:
        at = None
    percent = form.holdout_percent.data or 0
    found = ledger.ledger(
        audience,
        now=now,
        at=at,
        broadcast_id=broadcast_id,
        holdout_percent=percent if 0 <= percent <= 50 else 0,
        service=bool(form.service.data),
        wake=bool(form.wake.data),
    )
    return in_words(found, percent)


def _estimated_sum(form: BroadcastForm, now: datetime) -> dict[str, Any] | None:
    try:
        estimated, at = form.estimated(), form.moment()
    except DomainError:
        return None
    if is_open(estimated):
        return None
    service, wake = bool(form.service.data), bool(form.wake.data)
    found = estimated_sum.ledger(estimated, now=now, at=at, service=service, wake=wake)
    return in_words(found, 0)


def sum_of_row(row: Broadcast) -> dict[str, Any]:
    """The sum for a stored broadcast."""
    return in_words(sum_of(row, now=clock.now()), row.holdout_percent)


def in_words(found: ledger.Ledger, holdout_percent: int) -> dict[str, Any]:
    """The sum with its words, as _broadcast_sum.html draws it."""
    shop = settings.shop()
    return {
        "ledger": found,
        "lines": [
            (reasons.label(reasons.BLOCKED), found.blocked),
            (reasons.label(reasons.OPTED_OUT), found.opted_out),
            (reasons.label(reasons.NO_CONSENT), found.no_consent),
            (reasons.label(reasons.DORMANT), found.dormant),
            (_("Holdout group of %(percent)s%%", percent=holdout_percent), found.holdout),
            (_cap_words(shop), found.cap),
            (_("More than it may reach"), found.beyond),
        ],
        "money": _money(found),
        "price": _price(shop),
        "approval": needs_approval(found, shop),
    }


def _cap_words(shop: ShopSettings) -> str:
    if shop.cap_messages is None or shop.cap_days is None:
        return ""
    return _(
        "Has had %(messages)s messages in %(days)s days",
        messages=shop.cap_messages,
        days=shop.cap_days,
    )


def _money(found: ledger.Ledger) -> str:
    if not found.this_month:
        return _("It leaves in another month, whose messages are still untouched.")
    if found.short and not found.cost.over:
        return ""  # LINE's own limit is nearer than the plan's: that is told below, in red
    return cost_words(found.cost)


def cost_words(price: Cost) -> str:
    """What some messages cost as the month stands."""
    if price.twd is None:
        return _("The plan is not set, so the cost is not known.")
    if price.sold_out:
        return _(
            "%(count)s messages more than the plan includes; it sells no extra ones.",
            count=format_count(price.over),
        )
    if price.over == 0:
        return _("Within the plan: no extra cost.")
    return _(
        "About %(money)s: %(count)s messages beyond the plan.",
        money=format_twd(price.twd),
        count=format_count(price.over),
    )


def _price(shop: ShopSettings) -> str:
    """What a message beyond the plan costs; empty where the plan sells none."""
    sold = tiers(shop)
    if shop.plan_included is None or not sold:
        return ""
    prices = sorted({price for _up_to, price in sold})
    if len(prices) == 1:
        return _("Beyond the plan each costs %(price)s.", price=f"NT${prices[0]:g}")
    return _(
        "Beyond the plan each costs %(low)s to %(high)s.",
        low=f"NT${prices[0]:g}",
        high=f"NT${prices[-1]:g}",
    )


def people_of(told: ledger.Ledger) -> str:
    """How many get it, or how many at most where LINE chooses."""
    people = _n("%(count)s person", "%(count)s people", told.will_send)
    return _("at most %(people)s", people=people) if told.at_most else people


def button(found: dict[str, Any] | None) -> str:
    """What the main button of the editor says."""
    if found is None:
        return _("Check and send")
    told: ledger.Ledger = found["ledger"]
    people = people_of(told)
    if told.cost.twd:
        return _(
            "Check and send: %(people)s, about %(money)s",
            people=people,
            money=format_twd(told.cost.twd),
        )
    return _("Check and send: %(people)s", people=people)


def confirm_label(told: ledger.Ledger, at: datetime | None, *, approval: bool) -> str:
    """What the button that really sends says."""
    people = people_of(told)
    if approval:
        return _("Ask for approval: %(people)s", people=people)
    if at is not None and at > clock.now():
        return _("Schedule for %(people)s", people=people)
    return _("Send to %(people)s", people=people)
