"""What the pages for friends have in common: their words for states, their guards, their frames."""

from __future__ import annotations

from typing import Any

from flask import make_response, url_for
from flask import render_template as render
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import config, settings
from lineadmin.coupons.states import State
from lineadmin.i18n import _, _l
from lineadmin.web import who

SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

STATE_TITLES: dict[State, Any] = {
    State.VALID: _l("Ready to use"),
    State.USED: _l("Used"),
    State.VOIDED: _l("No longer valid"),
    State.EXPIRED: _l("Expired"),
    State.CLOSED: _l("No longer valid"),
    State.PAUSED: _l("Paused for the moment"),
    State.NOT_YET: _l("Not valid yet"),
}


def guarded(response: Response, security: str = SECURITY) -> Response:
    """Kept by nobody, found by no search engine, framed and scripted by nobody else."""
    response.headers["Content-Security-Policy"] = security
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def missing(status: int, heading: str, text: str) -> Response:
    """A friendly page with nothing on it."""
    shop_name = settings.shop().name
    page = render("web/coupon_missing.html", heading=heading, text=text, shop_name=shop_name)
    return guarded(make_response(page, status))


def identity_page(token: str, *, below: str = "/c") -> Response:
    """The page that asks LINE who is there, with LINE's own script; then it opens `/c/<token>`,
    or the token's page below another address.

    It lies below the address of the LIFF app, where alone LINE's script works.
    """
    page = render(
        "web/coupon_identity.html",
        shop_name=settings.shop().name,
        liff_id=config.current().liff_id,
        sdk=who.LIFF_SDK,
        back=f"{below}/{token}",
    )
    security = SECURITY.replace(
        "script-src 'self'", "script-src 'self' https://static.line-scdn.net"
    ).replace("connect-src 'self'", f"connect-src 'self' {who.LIFF_HOSTS}")
    return guarded(make_response(page), security)


def ask_line(token: str) -> Response:
    """On to that page."""
    return guarded(redirect(url_for("coupon_claim.identity", token=token)))


def turned_away(friend_id: int, asking: str, text: str) -> Response | None:
    """The page for whoever LINE does not know as the friend a link was made for; None for her.

    :param asking: the address of the page that asks LINE who is there
    :param text: what somebody else reads
    """
    if not who.asks_line():
        return None
    known = who.holder()
    if known is None:
        return guarded(redirect(asking))
    if known.friend_id != friend_id:
        return missing(403, _("This link belongs to somebody else"), text)
    return None


def gate_page(token: str) -> Response:
    """「先加入好友」: the coupon is hers, and it shows once she is a friend again."""
    page = render(
        "web/coupon_gate.html",
        shop_name=settings.shop().name,
        add_friend=who.add_friend_link(),
        token=token,
    )
    return guarded(make_response(page))
