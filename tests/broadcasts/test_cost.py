"""Money at the edges of a plan."""

from __future__ import annotations

import pytest

from lineadmin.settings.cost import cost
from lineadmin.settings.shop import ShopSettings

MEDIUM = ShopSettings(plan_included=3_000)
HIGH = ShopSettings(plan_included=6_000, plan_extra_price=0.2)
LIGHT = ShopSettings(plan_included=200)


@pytest.mark.parametrize(
    ("messages", "used", "shop", "over", "twd", "sold_out"),
    [
        (199, 0, LIGHT, 0, 0.0, False),
        (200, 0, LIGHT, 0, 0.0, False),
        (201, 0, LIGHT, 1, 0.0, True),
        (99, 2_900, MEDIUM, 0, 0.0, False),
        (100, 2_900, MEDIUM, 0, 0.0, False),
        (3_100, 2_900, MEDIUM, 3_000, 0.0, True),
        (5_999, 0, HIGH, 0, 0.0, False),
        (6_001, 0, HIGH, 1, 0.2, False),
        (412, 6_500, HIGH, 412, 82.4, False),
        (412, 0, ShopSettings(), 0, None, False),
        (0, 9_000, MEDIUM, 0, 0.0, False),
    ],
)
def test_what_more_messages_cost(
    messages: int, used: int, shop: ShopSettings, over: int, twd: float | None, sold_out: bool
) -> None:
    told = cost(messages, used=used, shop=shop)
    assert (told.over, told.twd, told.sold_out) == (over, twd, sold_out)
