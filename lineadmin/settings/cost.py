"""What messages cost by the shop's plan: pure, counted in TWD before tax."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin.settings.shop import ShopSettings


@dataclass(frozen=True)
class Cost:
    """What some more messages this month mean. `twd` None: the shop has not set its plan.

    `over` messages are beyond the plan; where it sells none (`sold_out`) they cannot be sent.
    """

    messages: int
    over: int
    twd: float | None
    sold_out: bool


def cost(messages: int, *, used: int, shop: ShopSettings) -> Cost:
    """The price of `messages` more in a month in which `used` are gone already."""
    if shop.plan_included is None:
        return Cost(messages, 0, None, sold_out=False)
    left = max(0, shop.plan_included - used)
    over = max(0, messages - left)
    if shop.plan_extra_price is None:
        return Cost(messages, over, 0.0, sold_out=over > 0)
    return Cost(messages, over, round(over * shop.plan_extra_price, 2), sold_out=False)
