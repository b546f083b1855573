"""The shop's own settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lineadmin import settings
from lineadmin.settings import ShopSettings, plans
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import Plan, Shop

# Where the file has what the settings call by these names.
PLACES: dict[str, Path] = {
    "quiet_from": ("quiet_hours", "from"),
    "quiet_until": ("quiet_hours", "until"),
    "cap_messages": ("cap", "messages"),
    "cap_days": ("cap", "days"),
    "plan_name": ("plan", "name"),
    "plan_included": ("plan", "included"),
    "plan_extra_price": ("plan", "extra_price"),
    "plan_fee": ("plan", "fee"),
    "plan_tiers": ("plan", "tiers"),
    "approval_recipients": ("approval", "recipients"),
    "approval_twd": ("approval", "twd"),
}


def load_shop(part: Shop, context: Context) -> None:
    """Change the settings the file names; `null` switches quiet hours, cap or plan off."""
    changes: dict[str, Any] = {
        key: getattr(part, key)
        for key in (
            "name",
            "timezone",
            "undo_minutes",
            "reserve_messages",
            "wake_tries",
            "order_notices",
            "branch_reply",
        )
        if getattr(part, key) is not None
    }
    if part.given("quiet_hours"):
        hours = part.quiet_hours
        changes["quiet_from"] = None if hours is None else hours.from_
        changes["quiet_until"] = None if hours is None else hours.until
    if part.given("cap"):
        changes["cap_messages"] = None if part.cap is None else part.cap.messages
        changes["cap_days"] = None if part.cap is None else part.cap.days
    if part.given("plan"):
        changes |= _plan(part.plan)
    if part.given("approval"):
        for key in ("recipients", "twd"):
            changes[f"approval_{key}"] = getattr(part.approval, key, None)
    before = settings.shop()
    changed = any(getattr(before, key) != value for key, value in changes.items())
    with context.at(("shop",), PLACES):
        if changed:
            settings.change_shop(changes, staff=context.staff, wall=context.wall)
        if part.plans is not None:
            with context.at(("shop", "plans")):
                table = [plans.Plan(**one.model_dump()) for one in part.plans]
                changed |= plans.put_plans(table, staff=context.staff, wall=context.wall)
    if changed:
        context.report.note("shop", "settings", created=False, changed=True)
    else:
        context.report.unchanged += 1


def _plan(part: Plan | None) -> dict[str, Any]:
    """The changes a plan means: naming one price for all takes the prices by amount away."""
    if part is None:
        return plans.as_settings(None)
    changes = {
        f"plan_{key}": getattr(part, key)
        for key in ("name", "included", "extra_price", "fee")
        if part.given(key)
    }
    if part.given("tiers"):
        changes["plan_tiers"] = [tier.model_dump() for tier in part.tiers or []] or None
    elif part.given("extra_price"):
        changes["plan_tiers"] = None
    return changes


def dump_shop() -> dict[str, Any]:
    """The settings as they are, the ones that are switched off as null."""
    now: ShopSettings = settings.shop()
    stored = asdict(now)
    plan = {key: stored[f"plan_{key}"] for key in ("name", "included", "extra_price")}
    plan |= {
        key: stored[f"plan_{key}"] for key in ("fee", "tiers") if stored[f"plan_{key}"] is not None
    }
    table = settings.get(plans.KEY)
    approval = {key: stored[f"approval_{key}"] for key in ("recipients", "twd")}
    return {
        "name": now.name,
        "timezone": now.timezone,
        "quiet_hours": (
            None if now.quiet_from is None else {"from": now.quiet_from, "until": now.quiet_until}
        ),
        "plan": plan if any(value is not None for value in plan.values()) else None,
        "cap": (
            None
            if now.cap_messages is None
            else {"messages": now.cap_messages, "days": now.cap_days}
        ),
        "undo_minutes": now.undo_minutes,
        **({} if table is None else {"plans": table}),
        "reserve_messages": now.reserve_messages,
        "wake_tries": now.wake_tries,
        "order_notices": now.order_notices,
        **({"branch_reply": True} if now.branch_reply else {}),
        "approval": approval if any(value is not None for value in approval.values()) else None,
    }
