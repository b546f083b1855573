"""Topics for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin.topics import actions
from lineadmin.topics.consent import Wish
from lineadmin.topics.models import Topic
from lineadmin.topics.plan import Plan
from tests.conftest import NOON

YES, NO = "訂閱", "不用了"


def make_topic(name: str = "每週菜單", *, code: str = "weekly", **plan: Any) -> Topic:
    return actions.create(
        Plan(name=name, code=code, **plan), staff=None, now=NOON, wall=NOON - timedelta(days=1)
    )


def wish(place: str = "page", at: datetime = NOON, **more: Any) -> Wish:
    """Something she wants at `at`, by both clocks."""
    return Wish(place, at, more.pop("wished_at", at), **more)
