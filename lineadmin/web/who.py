"""Who looks at a page for friends: known by LINE where that is set up, else by the link alone.

With LIFF, LINE's id token is checked on the server and a signed cookie remembers the answer; a page
is shown to its own friend only. Without it the link is the key. The browser that opens a copy first
is remembered as its friend's, which opens "my coupons" to it and nothing to whoever gets the link
from her.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import Blueprint, Flask, abort, current_app, jsonify, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.checkup import look as checkup
from lineadmin.friends import learn
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.i18n import _
from lineadmin.line.errors import LineError, LineRefused
from lineadmin.line.gateway import Gateway

bp = Blueprint("who", __name__)

COOKIE = "holder"
BY_LINE, BY_LINK = "line", "link"
LIFE_SECONDS = 90 * 24 * 3600
LONGEST_TOKEN = 6_000
LIFF_SDK = "https://static.line-scdn.net/liff/edge/2/sdk.js"
LIFF_HOSTS = "https://*.line.me https://*.line-scdn.net https://*.line-apps.com"


@dataclass(frozen=True)
class Holder:
    """A friend as her browser is known to us, and by what."""

    friend_id: int
    how: str


def init_app(app: Flask) -> None:
    """Open this door. Its one call carries LINE's own token and no session."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


def asks_line() -> bool:
    """Whether LINE tells who opens a page. A demo has no LINE Login: there the link is the key."""
    running = config.current()
    return running.liff_configured and not running.simulator


def holder() -> Holder | None:
    """Whose browser is asking; None where nobody knows. A link proves nothing to LIFF's pages."""
    try:
        friend_id, how = _signer().loads(request.cookies.get(COOKIE, ""), max_age=LIFE_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return None
    if asks_line() and how != BY_LINE:
        return None
    return Holder(int(friend_id), str(how))


def remember(response: Response, friend_id: int, how: str) -> None:
    """Let this browser be known as a friend's."""
    response.set_cookie(
        COOKIE,
        _signer().dumps([friend_id, how]),
        max_age=LIFE_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def add_friend_link() -> str:
    """Where to add the account as a friend; empty while its @id is not known."""
    for finding in checkup.kept():
        if finding.code == "account" and finding.values.get("id"):
            return f"https://line.me/R/ti/p/{str(finding.values['id']).replace('@', '%40')}"
    return ""


@bp.post("/c/identity")
def identify() -> Response | tuple[Response, int]:
    """Who is there, by LINE's word; nothing else the browser says about it is believed."""
    channel = config.current().line_login_channel_id
    said: Any = request.get_json(silent=True)
    token = said.get("id_token") if isinstance(said, dict) else None
    if channel is None or not asks_line():
        abort(404)
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        return jsonify(error=_("Please open the link in LINE again.")), 400
    try:
        person = _gateway().verify_id_token(token, client_id=channel)
    except LineRefused:
        return jsonify(error=_("Please open the link in LINE again.")), 400
    except LineError:
        return jsonify(error=_("LINE does not answer. Please try again in a moment.")), 503
    friend = _as_friend(person.user_id)
    response: Response = jsonify(friend=friend.status == FRIEND)
    remember(response, friend.id, BY_LINE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_friend(line_user_id: str) -> Friend:
    """Her row; where it does not say she is a friend, LINE is asked: it shows us friends only."""
    now, wall = clock.now(), clock.wall()
    friend = learn.learn_friend(line_user_id, at=now, wall=wall)
    if friend.status == FRIEND:
        return friend
    try:
        _gateway().profile(line_user_id, read_seconds=2)
    except LineError:
        return friend
    learn.heard_from(friend.id, event_at=wall, at=now)
    again: Friend = Friend.get_by_id(friend.id)
    return again


@cache
def _gateway_of(running: config.Config) -> Gateway:
    return Gateway(running)


def _gateway() -> Gateway:
    return _gateway_of(config.current())


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="coupon-holder")
