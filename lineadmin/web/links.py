"""Tracked links at /t/<token>: count the tap, then on to the address that was fixed long ago.

The page a friend wanted matters more than the count: where a click can't be written down, she is
sent on all the same.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, make_response, render_template, request
from peewee import OperationalError
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.i18n import _
from lineadmin.tracking import agents, clicks

bp = Blueprint("links", __name__)
logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Open this door."""
    app.register_blueprint(bp)


@bp.get("/t/<token>")
def follow(token: str) -> Response:
    """On to where the link leads; a page of ours where there is no such link."""
    visit = clicks.resolve(token)
    if visit is None:
        return _private(make_response(_missing(), 404))
    if request.method == "GET" and not agents.is_robot(request.headers):
        try:
            clicks.record(visit, agent=request.user_agent.string, now=clock.now())
        except OperationalError:
            logger.exception("A click on link %s was not counted", visit.link.id)
    return _private(redirect(visit.link.url, 302))


def _missing() -> str:
    return render_template(
        "web/coupon_missing.html",
        heading=_("This link leads nowhere any more"),
        text=_("It may be incomplete. Go back to the chat in LINE and tap it again."),
        shop_name=settings.shop().name,
    )


def _private(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
