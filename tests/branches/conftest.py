"""A shop with two branches in Taipei and one in Kaohsiung, and its staff."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin.branches.actions import save_branch
from lineadmin.friends.models import Branch
from tests.conftest import NOON
from tests.friends_screens.conftest import manager, owner  # noqa: F401
from tests.inbox.conftest import event, inbox, shop  # noqa: F401

STATION = (25.0478, 121.5170)  # Taipei Main Station
CITY_HALL = (25.0411, 121.5654)
TAINAN = (22.9971, 120.2126)


def make_branch(code: str, name: str, latitude: float, longitude: float, **more: Any) -> Branch:
    """A branch, through the door staff and files use."""
    changes = {"name": name, "latitude": latitude, "longitude": longitude, **more}
    save_branch(code, changes, staff=None, now=NOON, wall=shop_clock.wall())
    row: Branch = Branch.get(Branch.code == code)
    return row


@pytest.fixture
def branches(db: Any) -> dict[str, Branch]:
    """The three, by code."""
    return {
        "ximen": make_branch("ximen", "西門店", 25.0421, 121.5081, address="台北市漢中街 1 號"),
        "xinyi": make_branch("xinyi", "信義店", 25.0339, 121.5645),
        "cijin": make_branch("cijin", "旗津店", 22.6130, 120.2673),
    }


def at(place: tuple[float, float], **more: Any) -> dict[str, Any]:
    """The event of a location she sends."""
    number = more.pop("id", f"{place[0]}-{more.get('age', 0)}")
    message = {"id": number, "type": "location", "latitude": place[0], "longitude": place[1]}
    return event("message", message=message, **more)
