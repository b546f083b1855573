"""LINE's monthly plans as the shop knows them: a table it can correct when LINE changes prices.

The figures below are what a new shop starts from (Taiwan, before tax, since 2023-09); nothing else
in the house knows a price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.settings import actions
from lineadmin.settings.shop import ShopSettings, change_shop, check_plan, shop
from lineadmin.staff.models import Staff

KEY = "plans"
MOST_PLANS = 12
MOST_TIERS = 8


@dataclass(frozen=True)
class Plan:
    """One line of the table. `tiers`: [{"up_to": extra messages or None, "price": TWD each}]."""

    name: str
    fee: float | None = None  # TWD a month
    included: int | None = None
    tiers: list[dict[str, Any]] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """As it is stored and written to files."""
        return {
            "name": self.name,
            "fee": self.fee,
            "included": self.included,
            "tiers": self.tiers,
        }


START: tuple[Plan, ...] = (
    Plan("輕用量", 0, 200),
    Plan("中用量", 800, 3_000),
    Plan("高用量", 1_200, 6_000, [{"up_to": None, "price": 0.2}]),
)


def plans() -> list[Plan]:
    """The table; a plan in use that is not in it stands at its end."""
    stored = actions.get(KEY)
    found = list(START) if stored is None else [Plan(**one) for one in stored]
    now = shop()
    if now.plan_included is not None and all(one.name != now.plan_name for one in found):
        found.append(in_use(now))
    return found


def in_use(now: ShopSettings) -> Plan:
    """The plan the shop has now, as a line of the table."""
    tiers = now.plan_tiers
    if not tiers and now.plan_extra_price is not None:
        tiers = [{"up_to": None, "price": now.plan_extra_price}]
    return Plan(now.plan_name or "", now.plan_fee, now.plan_included, list(tiers or []))


def monthly_fee(now: ShopSettings) -> float | None:
    """What the plan in use costs a month, in TWD; None where nobody has said so.

    A shop file may name a plan of the table without its fee: then it is the table's.
    """
    if now.plan_fee is not None:
        return now.plan_fee
    named = (plan.fee for plan in plans() if plan.name == now.plan_name)
    return next((fee for fee in named if fee is not None), None)


def as_settings(plan: Plan | None) -> dict[str, Any]:
    """The shop's settings for being on this plan; None = no plan set."""
    if plan is None:
        plan = Plan("")
    flat = plan.tiers[0]["price"] if [tier["up_to"] for tier in plan.tiers] == [None] else None
    return {
        "plan_name": plan.name or None,
        "plan_fee": plan.fee,
        "plan_included": plan.included,
        "plan_extra_price": flat,
        "plan_tiers": None if flat is not None or not plan.tiers else plan.tiers,
    }


def change_plans(
    table: list[Plan],
    chosen: str | None,
    limits: dict[str, Any],
    *,
    staff: Staff | None,
    wall: datetime,
    version: int | None = None,
) -> None:
    """Save the table, the plan in use (by name) and the other settings of money together.

    :param version: of the shop's settings, when the form was opened
    :raises DomainError: a plan cannot be, two have one name, or `chosen` is none of them
    :raises Conflict: somebody else saved meanwhile
    """
    check_table(table)
    named = next((plan for plan in table if plan.name == chosen), None)
    if chosen and named is None:
        raise DomainError(_l("Choose one of the plans in the table."), field="chosen")
    with atomic():
        change_shop({**as_settings(named), **limits}, staff=staff, wall=wall, version=version)
        put_plans(table, staff=staff, wall=wall)


def put_plans(table: list[Plan], *, staff: Staff | None, wall: datetime) -> bool:
    """Save the table alone; False where it already was like this."""
    check_table(table)
    before = actions.get(KEY)
    data = [plan.as_data() for plan in table]
    if data == ([plan.as_data() for plan in START] if before is None else before):
        return False
    return actions.put(KEY, data, staff=staff, wall=wall, action="plans.edit")


def check_table(table: list[Plan]) -> None:
    """:raises DomainError: names the first line that cannot be."""
    if len(table) > MOST_PLANS:
        raise DomainError(_l("At most %(most)s plans.", most=MOST_PLANS))
    seen: set[str] = set()
    for plan in table:
        if not 1 <= len(plan.name) <= 40:
            raise DomainError(_l("The name of a plan needs 1 to 40 characters."))
        if plan.name in seen:
            raise DomainError(_l("Two plans are called “%(name)s”.", name=plan.name))
        seen.add(plan.name)
        if plan.included is None:
            raise DomainError(
                _l("“%(name)s” needs its number of messages per month.", name=plan.name)
            )
        check_plan(plan.fee, plan.included, plan.tiers)
