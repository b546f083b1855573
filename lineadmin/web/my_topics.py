"""A friend's preference centre among her own pages: a switch for each topic, and one for all.

Every switch is a form with one button, so it works without a script.
"""

from __future__ import annotations

from flask import Blueprint, Flask, abort, redirect, request
from flask import render_template as render
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.friends import consent as notifications
from lineadmin.i18n import _, _n
from lineadmin.topics import consent, queries
from lineadmin.topics.models import Topic
from lineadmin.topics.plan import wording_of
from lineadmin.topics.states import FREQUENCIES, PAGE
from lineadmin.web import my_page
from lineadmin.web.coupon_drawn import guarded

bp = Blueprint("my_topics", __name__)

CODE = "topics"
BY_FRIEND = "friend"


def init_app(app: Flask) -> None:
    """Add the page and its forms; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
    my_page.add(my_page.Section(CODE, 40, _draw, teaser=_teaser))


@bp.post("/me/<token>/topics/all")
def notify(token: str) -> Response:
    """No notifications at all, or notifications again."""
    seen = my_page.visit(token, CODE)
    change = notifications.opt_in if _wants() else notifications.opt_out
    change(seen.friend.id, by=BY_FRIEND, at=seen.now, wished_at=clock.wall())
    return _back(seen)


@bp.post("/me/<token>/topics/of/<code>")
def switch(token: str, code: str) -> Response:
    """Subscribe to one topic, or stop it. Sent twice, it is done once."""
    seen = my_page.visit(token, CODE)
    topic = Topic.get_or_none(Topic.code == code)
    if topic is None:
        abort(404)
    wish = consent.Wish(PAGE, seen.now, clock.wall())
    if not _wants():
        consent.stop(topic, seen.friend.id, wish)
    elif topic.archived_at is None:
        consent.subscribe(topic, seen.friend.id, wish)
    return _back(seen)


def _wants() -> bool:
    """:raises HTTPException: the form says neither yes nor no"""
    wanted = request.form.get("on")
    if wanted not in ("0", "1"):
        abort(400)
    return wanted == "1"


def _back(seen: my_page.Visit) -> Response:
    return guarded(redirect(my_page.address(seen, CODE), 303))


def _draw(visit: my_page.Visit) -> str:
    rows = [
        {
            "topic": one.topic,
            "on": one.on,
            "frequency": FREQUENCIES[one.topic.frequency],
            "wording": wording_of(one.topic),
            "until": one.until if one.on else None,
        }
        for one in queries.of_friend(visit.friend.id, visit.now)
    ]
    stopped = visit.friend.opted_out_at is not None
    return render("web/my_topics.html", rows=rows, stopped=stopped, token=visit.token)


def _teaser(visit: my_page.Visit) -> str:
    if visit.friend.opted_out_at is not None:
        return _("You get no notifications")
    on = sum(one.on for one in queries.of_friend(visit.friend.id, visit.now))
    if not on:
        return _("None at the moment")
    return _n("%(count)s subscription", "%(count)s subscriptions", on)
