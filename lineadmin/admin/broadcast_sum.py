"""The sum before sending, in words: who is left out, what it costs, what the buttons say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin import clock, settings
from lineadmin.admin.broadcast_form import BroadcastForm
from lineadmin.broadcasts import ledger
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _n, format_count, format_twd
from lineadmin.settings.cost import Cost
from lineadmin.settings.shop import ShopSettings


def sum_of(form: BroadcastForm) -> dict[str, Any] | None:
    """The sum for what a form says; None while no audience is chosen."""
    audience = form.audience()
    if audience is None:
        return None
    now = clock.now()
    try:
        at = form.moment()
    except DomainError:
        at = None
    return in_words(ledger.ledger(audience, now=now, at=at))


def in_words(found: ledger.Ledger) -> dict[str, Any]:
    """The sum with its words, as _broadcast_sum.html draws it."""
    shop = settings.shop()
    return {
        "ledger": found,
        "lines": [
            (_("Has blocked the account"), found.blocked),
            (_("Wants no notifications"), found.opted_out),
            (_cap_words(shop), found.cap),
        ],
        "money": _money(found),
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


def button(found: dict[str, Any] | None) -> str:
    """What the main button of the editor says."""
    if found is None:
        return _("Check and send")
    told: ledger.Ledger = found["ledger"]
    people = _n("%(count)s person", "%(count)s people", told.will_send)
    if told.cost.twd:
        return _(
            "Check and send: %(people)s, about %(money)s",
            people=people,
            money=format_twd(told.cost.twd),
        )
    return _("Check and send: %(people)s", people=people)


def confirm_label(told: ledger.Ledger, at: datetime | None) -> str:
    """What the button that really sends says."""
    people = _n("%(count)s person", "%(count)s people", told.will_send)
    if at is not None and at > clock.now():
        return _("Schedule for %(people)s", people=people)
    return _("Send to %(people)s", people=people)
