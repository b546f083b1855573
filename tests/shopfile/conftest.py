"""Loading shop files as the shell does."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.shopfile.context import Report
from tests.conftest import MovableClock


@pytest.fixture
def load(db: Any, clock: MovableClock) -> Any:
    """A function that loads a text at the shop's present time."""

    def run(text: str, **more: Any) -> Report:
        return shopfile.load(
            text,
            **{
                "staff": None,
                "now": clock(),
                "wall": shop_clock.wall(),
                "public_url": "https://shop.example",
                **more,
            },
        )

    return run
