"""Entry links of sources: a page for browsers, and the page LINE opens that learns who came.

`/e` is the endpoint of the LIFF app; it hands LINE's id token to this server, which asks LINE whose
it is. Nothing a browser says about a person is believed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Flask, abort, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response

from lineadmin import clock, config, settings
from lineadmin.checkup import look as checkup
from lineadmin.friends.models import Source
from lineadmin.friends.source_actions import in_use
from lineadmin.i18n import _
from lineadmin.line.errors import LineError, LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.tracking import agents, entry
from lineadmin.web.drawn import qr_svg

bp = Blueprint("entry", __name__)

LONGEST_TOKEN = 6_000
LIFF_SDK = "https://static.line-scdn.net/liff/edge/2/sdk.js"
LOOKS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
PLAIN = LOOKS + "frame-ancestors 'none'"
# LINE's own script and the servers it talks to (DOC liff/developing-liff-apps).
INSIDE_LINE = (
    LOOKS + "script-src 'self' https://static.line-scdn.net; frame-ancestors 'none'; "
    "connect-src 'self' https://*.line.me https://*.line-scdn.net https://*.line-apps.com"
)


def init_app(app: Flask) -> None:
    """Open this door. Its one form-like call carries LINE's own token and no session."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


@bp.get("/e/<code>")
def page(code: str) -> Response:
    """A source's page for browsers, such as behind a link on a web page: on to LINE."""
    source = in_use(code.lower())
    if source is None:
        return _guarded(make_response(_missing(), 404), PLAIN)
    if request.method == "GET" and not agents.is_robot(request.headers):
        entry.looked(source, campaign=request.args, now=clock.now())
    link = _way_in(source)
    html = render_template(
        "web/entry.html",
        shop_name=settings.shop().name,
        link=link,
        qr=qr_svg(link) if link else "",
        liff_id="",
    )
    return _guarded(make_response(html), PLAIN)


@bp.get("/e")
def inside_line() -> Response:
    """The LIFF app's page. LINE opens it with `?src=CODE`, the first time wrapped in liff.state."""
    running = config.current()
    if not running.liff_configured:
        abort(404)
    html = render_template(
        "web/entry.html",
        shop_name=settings.shop().name,
        link="",
        qr="",
        liff_id=running.liff_id,
        sdk="" if running.simulator else LIFF_SDK,
    )
    return _guarded(make_response(html), INSIDE_LINE)


@bp.post("/e")
def arrive() -> Response | tuple[Response, int]:
    """Who came, by LINE's word, and through which source. Answers whether she is a friend."""
    running = config.current()
    channel = running.line_login_channel_id
    said: Any = request.get_json(silent=True)
    if not running.liff_configured or channel is None:
        abort(404)
    token = said.get("id_token") if isinstance(said, dict) else None
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        return jsonify(error=_("Please open the link in LINE again.")), 400
    try:
        person = _gateway().verify_id_token(token, client_id=channel)
    except LineRefused:
        return jsonify(error=_("Please open the link in LINE again.")), 400
    except LineError:
        return jsonify(error=_("LINE does not answer. Please try again in a moment.")), 503
    source = in_use(str(said.get("src", ""))[:40].lower())
    is_friend = False
    if source is not None:
        campaign = {key: str(said.get(key, "")) for key in entry.CAMPAIGN_KEYS}
        arrival = entry.arrived(person.user_id, source, campaign=campaign, now=clock.now())
        is_friend = arrival.is_friend
    account = _account()
    return jsonify(friend=is_friend, add=entry.add_friend_link(account) if account else "")


def _way_in(source: Source) -> str:
    """The link into LINE; empty while the account is not known."""
    running = config.current()
    if running.liff_configured and running.liff_id is not None:
        return entry.liff_link(running.liff_id, source.code)
    account = _account()
    return entry.code_link(account, source.code) if account else ""


def _account() -> str:
    """The account's @id; LINE is asked where nobody has looked yet."""
    known = checkup.basic_id()
    if known or not config.current().line_configured:
        return known
    try:
        return _gateway().bot_info().basic_id
    except LineError:
        return ""


@cache
def _gateway() -> Gateway:
    return Gateway(config.current())


def _missing() -> str:
    return render_template(
        "web/coupon_missing.html",
        heading=_("This link leads nowhere any more"),
        text=_("Search for us in LINE, or ask at the counter."),
        shop_name=settings.shop().name,
    )


def _guarded(response: Response, security: str) -> Response:
    response.headers["Content-Security-Policy"] = security
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
