"""Staff's screens: one module per area, collected here into one Flask-Admin."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_admin import babel as admin_babel
from flask_admin.theme import Theme

from lineadmin import i18n
from lineadmin.admin import condition_form, identity, shell, sign_in, told

# Each has `views() -> list[(view, group, order)]`; the groups are those of shell.GROUPS.
AREAS = (
    "home",
    "friends",
    "members",
    "tags",
    "segments",
    "line_audiences",
    "own_fields",
    "sources",
    "replies",
    "broadcasts",
    "sequences",
    "sequence_dry_run",
    "sequence_friends",
    "sequence_report",
    "coupons",
    "coupon_reminder",
    "lotteries",
    "surveys",
    "topics",
    "line_coupons",
    "coupon_report",
    "coupon_after",
    "coupon_codes",
    "redeem",
    "purchases",
    "deliveries",
    "links",
    "undecided",
    "sending",
    "inbox",
    "connection",
    "shop_settings",
    "branches",
    "plan",
    "people",
    "audit",
    "profile",
    "composer_doors",
    "templates",
    "condition_form",
)

Entry = tuple[Any, str, int]


def init_app(app: Flask) -> None:
    """Mount every screen. The view with the endpoint "admin" is the home page."""
    _speak_our_words()
    identity.init_app(app)
    condition_form.init_app(app)
    told.init_app()
    sign_in.init_app(app)
    entries = collect()
    home = next(view for view, _group, _order in entries if view.endpoint == "admin")
    admin = Admin(
        app,
        name="lineadmin",
        url="/admin",
        index_view=home,
        theme=Theme(folder="lineadmin", base_template="admin/base.html"),
    )
    for view, _group, _order in entries:
        if view is not home:
            admin.add_view(view)
    shell.init_app(app, entries)


def collect() -> list[Entry]:
    """A fresh instance of every view with its place in the menu."""
    entries: list[Entry] = []
    for area in AREAS:
        entries += import_module(f"lineadmin.admin.{area}").views()
    return entries


class _OurWords(type(admin_babel.domain)):  # type: ignore[misc]
    """Flask-Admin's few own sentences come from our catalogues, in our wording."""

    def get_translations(self) -> Any:
        return i18n.translations(i18n.locale())

    def get_translations_cache(self) -> dict[Any, Any]:
        return {}


def _speak_our_words() -> None:
    admin_babel.domain.__class__ = _OurWords
