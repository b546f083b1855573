"""What messages cost by the shop's plan: pure, counted in TWD before tax."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin.settings.shop import ShopSettings


@dataclass(frozen=True)
class Cost:
    """What some more messages this month mean. `twd` None: the shop has not set its plan.

    `over` messages are beyond the plan's own; those of them it does not sell (`sold_out`) cannot be
    sent. `twd` is what comes on top of the monthly fee.
    """

    messages: int
    over: int
    twd: float | None
    sold_out: bool


def cost(messages: int, *, used: int, shop: ShopSettings) -> Cost:
    """The price of `messages` more in a month in which `used` are gone already."""
    if shop.plan_included is None:
        return Cost(messages, 0, None, sold_out=False)
    bought = max(0, used - shop.plan_included)  # extra messages this month has used before
    left = max(0, shop.plan_included - used)
    over = max(0, messages - left)
    price = 0.0
    priced = bought
    for up_to, each in tiers(shop):
        end = bought + over if up_to is None else min(bought + over, up_to)
        if end > priced:
            price += (end - priced) * each
            priced = end
    return Cost(messages, over, round(price, 2), sold_out=priced < bought + over)


def tiers(shop: ShopSettings) -> list[tuple[int | None, float]]:
    """(up to this many extra messages of a month, price of each); None = all the rest."""
    if shop.plan_tiers:
        return [(tier["up_to"], float(tier["price"])) for tier in shop.plan_tiers]
    return [] if shop.plan_extra_price is None else [(None, shop.plan_extra_price)]


def plan_limit(shop: ShopSettings) -> int | None:
    """The most messages a month can have by the plan; None where it sells any number, or is unset.

    Beyond it LINE refuses them, so they must not be tried.
    """
    if shop.plan_included is None:
        return None
    sold = tiers(shop)
    if not sold:
        return shop.plan_included
    last = sold[-1][0]
    return None if last is None else shop.plan_included + last


def average_price(fee: float | None, included: int | None) -> float | None:
    """What one message of a plan's own costs if all are used; None where that is not known."""
    if not included or fee is None:
        return None
    return fee / included
