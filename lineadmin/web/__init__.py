"""Doors for LINE and for friends: the webhook, coupons, pictures, health."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

DOORS = (
    "errors",
    "webhook",
    "health",
    "media",
    "who",
    "coupon_claim",
    "coupon_page",
    "lottery_page",
    "my_page",
    "my_coupons",
    "my_orders",
    "my_topics",
    "survey_page",
    "my_member",
    "my_points",
    "links",
    "entry",
)


def init_app(app: Flask) -> None:
    """Open every door: each module has an `init_app` of its own."""
    for name in DOORS:
        if find_spec(f"lineadmin.web.{name}"):
            import_module(f"lineadmin.web.{name}").init_app(app)
