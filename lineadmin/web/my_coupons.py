"""A friend's coupons among her own pages."""

from __future__ import annotations

from flask import Flask
from flask import render_template as render

from lineadmin.i18n import _, _n
from lineadmin.web import coupon_claim, my_page


def init_app(app: Flask) -> None:
    """Add the page."""
    my_page.add(my_page.Section("coupons", 10, _draw, teaser=_teaser))


def _draw(visit: my_page.Visit) -> str:
    return render("web/_coupon_lists.html", **coupon_claim.lists(visit.friend.id, visit.now))


def _teaser(visit: my_page.Visit) -> str:
    count = len(coupon_claim.lists(visit.friend.id, visit.now)["usable"])
    if not count:
        return _("None at the moment")
    return _n("%(count)s coupon to use", "%(count)s coupons to use", count)
