"""The shop's own settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lineadmin import settings
from lineadmin.settings import ShopSettings
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import Shop

# Where the file has what the settings call by these names.
PLACES: dict[str, Path] = {
    "quiet_from": ("quiet_hours", "from"),
    "quiet_until": ("quiet_hours", "until"),
    "cap_messages": ("cap", "messages"),
    "cap_days": ("cap", "days"),
    "plan_name": ("plan", "name"),
    "plan_included": ("plan", "included"),
    "plan_extra_price": ("plan", "extra_price"),
}


def load_shop(part: Shop, context: Context) -> None:
    """Change the settings the file names; `null` switches quiet hours, cap or plan off."""
    changes: dict[str, Any] = {
        key: getattr(part, key)
        for key in ("name", "timezone", "undo_minutes")
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
        for key in ("name", "included", "extra_price"):
            if part.plan is None or part.plan.given(key):
                changes[f"plan_{key}"] = None if part.plan is None else getattr(part.plan, key)
    before = settings.shop()
    if all(getattr(before, key) == value for key, value in changes.items()):
        context.report.unchanged += 1
        return
    with context.at(("shop",), PLACES):
        settings.change_shop(changes, staff=context.staff, wall=context.wall)
    context.report.note("shop", "settings", created=False, changed=True)


def dump_shop() -> dict[str, Any]:
    """The settings as they are, the ones that are switched off as null."""
    now: ShopSettings = settings.shop()
    stored = asdict(now)
    plan = {key: stored[f"plan_{key}"] for key in ("name", "included", "extra_price")}
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
    }
