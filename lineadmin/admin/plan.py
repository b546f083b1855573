"""Plan, reserve and approval: the owner's settings of money, and the warnings they bring.

The form is made of as many plans as the table has, so it is read by hand rather than by WTForms.
"""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.admin import shell, two_tabs
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.outbox import quota
from lineadmin.settings import plans
from lineadmin.settings.plans import Plan
from lineadmin.settings.shop import KEY, ShopSettings
from lineadmin.staff.permissions import how_many_may

WARN_AT, FULL_AT = 80, 100  # percent of the month's messages
LIMITS = ("reserve_messages", "approval_recipients", "approval_twd")


class PlanView(AdminPage):
    """One form for everything that costs money."""

    required_permission = "money"
    menu_icon = "report"

    @expose("/", methods=("GET", "POST"))
    @needs("money")
    def index(self) -> Response | str | tuple[str, int]:
        """Show and save."""
        if request.method == "GET":
            return self._page(plans.plans(), settings.shop())
        error = ""
        try:
            table, chosen, limits = _posted(request.form)
            plans.change_plans(
                table,
                chosen,
                limits,
                staff=current_staff(),
                wall=clock.wall(),
                version=two_tabs.posted_version(),
            )
        except DomainError as refused:
            error = str(refused)
        if not error:
            flash(_("Saved."), "success")
            return redirect(self.get_url(".index"))
        return self._page(None, settings.shop(), error=error, typed=request.form), 400

    def _page(
        self,
        table: list[Plan] | None,
        shop: ShopSettings,
        *,
        error: str = "",
        typed: MultiDict[str, str] | None = None,
    ) -> str:
        values = asdict(shop)
        limits = {name: values[name] for name in LIMITS}
        return self.render(
            "admin/plan.html",
            rows=_rows(table) if typed is None else _typed_rows(typed),
            chosen=(shop.plan_name or "") if typed is None else typed.get("chosen", ""),
            limits=limits if typed is None else {name: typed.get(name, "") for name in LIMITS},
            version=settings.version_of(KEY),
            error=error,
            approvers=how_many_may("send"),
            meter=quota.meter(clock.now()),
        )


def _rows(table: list[Plan] | None) -> list[dict[str, Any]]:
    """The table as its boxes hold it; at the end one plan and one price more, both empty."""
    found = [
        {
            "name": plan.name,
            "fee": _plain(plan.fee),
            "included": _plain(plan.included),
            "tiers": [
                *((_plain(tier["up_to"]), _plain(tier["price"])) for tier in plan.tiers),
                ("", ""),
            ],
        }
        for plan in table or []
    ]
    if len(found) < plans.MOST_PLANS:
        found.append({"name": "", "fee": "", "included": "", "tiers": [("", "")]})
    return found


def _typed_rows(form: MultiDict[str, str]) -> list[dict[str, Any]]:
    """What was typed, kept although it was refused."""
    found = []
    for number in range(_count(form)):
        tiers = zip(form.getlist(f"{number}-up_to"), form.getlist(f"{number}-price"), strict=False)
        box = {key: form.get(f"{number}-{key}", "") for key in ("name", "fee", "included")}
        found.append({**box, "tiers": list(tiers) or [("", "")]})
    return found


def _posted(form: MultiDict[str, str]) -> tuple[list[Plan], str, dict[str, Any]]:
    """:raises DomainError: something that should be a number is none"""
    table = []
    chosen = "?" if form.get("chosen") else ""  # a line that is not there, or has no name
    for number in range(_count(form)):
        name = " ".join(form.get(f"{number}-name", "").split())
        if form.get("chosen") == str(number):
            chosen = name or chosen
        if not name:
            continue
        tiers = []
        for up_to, price in zip(
            form.getlist(f"{number}-up_to"), form.getlist(f"{number}-price"), strict=False
        ):
            if price.strip():
                tiers.append({"up_to": _whole(up_to), "price": _amount(price)})
            elif up_to.strip():
                raise DomainError(_l("“%(name)s” lacks a price of extra messages.", name=name))
        fee, included = form.get(f"{number}-fee", ""), form.get(f"{number}-included", "")
        table.append(Plan(name, _amount(fee), _whole(included), tiers))
    limits: dict[str, Any] = {name: _whole(form.get(name, "")) for name in LIMITS}
    limits["reserve_messages"] = limits["reserve_messages"] or 0
    return table, chosen, limits


def _count(form: MultiDict[str, str]) -> int:
    return min(form.get("rows", default=0, type=int), plans.MOST_PLANS + 1)


def _whole(text: str) -> int | None:
    text = text.strip().replace(",", "").replace("，", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise DomainError(_l("“%(text)s” is not a whole number.", text=text[:20]))
    return int(text)


def _amount(text: str) -> float | None:
    text = text.strip().replace(",", "").replace("，", "")
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise DomainError(_l("“%(text)s” is not an amount.", text=text[:20]))
    return float(number)


def _plain(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else f"{number:g}"


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("banners", _warnings)
    return [(PlanView(_l("Plan and cost"), endpoint="plan"), "settings", 22)]


def _warnings() -> list[shell.Banner]:
    """At 80 and at 100 percent of the month, on top of every page."""
    found = warning()
    return [] if found is None else [shell.Banner(*found, url_for("sending.index"), _("Details"))]


def warning() -> tuple[str, str] | None:
    """(kind, sentence) where the month's messages run out; None while there are plenty."""
    shop, meter = settings.shop(), quota.meter(clock.now())
    limit = meter.limit if meter.limit is not None else shop.plan_included
    if not limit:
        return None
    percent = 100 * meter.taken // limit
    if percent < WARN_AT:
        return None
    counted = {"used": format_count(meter.taken), "limit": format_count(limit)}
    if percent < FULL_AT:
        return "warn", _(
            "%(used)s of this month's %(limit)s messages are used: over %(percent)s%%.",
            percent=WARN_AT,
            **counted,
        )
    if meter.limit is None:
        return "warn", _(
            "The %(limit)s messages of the plan are used up: every further one costs money.",
            **counted,
        )
    return "bad", _(
        "This month's %(limit)s messages are used up. What is left to send waits.", **counted
    )
