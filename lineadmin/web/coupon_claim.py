"""Claim links and "my coupons": looking takes nothing, the tap takes one copy, two taps the same.

`/c/<token>` with a coupon's public claim token, or with a link signed for one friend: these are
handed on to here by coupon_page.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, current_app, make_response, request, url_for
from flask import render_template as render
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, config, settings
from lineadmin.coupons import benefits
from lineadmin.coupons.claim import (
    NO_MESSAGE,
    Signed,
    by_public_token,
    claim,
    held_by,
    read_personal,
)
from lineadmin.coupons.issue import REASON_LABELS, Reason, Refusal, closed_reason
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.states import State, state_of
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.i18n import _, _l
from lineadmin.segments.among import fitting
from lineadmin.web import who
from lineadmin.web.coupon_drawn import STATE_TITLES, ask_line, guarded, identity_page, missing

bp = Blueprint("coupon_claim", __name__)

LIST_LIMIT = 60
FORM_LIFE_SECONDS = 24 * 3600
USABLE = (State.VALID, State.NOT_YET, State.PAUSED)

# What a friend reads where she gets none.
SORRY: dict[Reason, Any] = {
    Reason.PAUSED: _l("The shop has paused this coupon. Please look again later."),
    Reason.CLOSED: _l("The shop has ended this coupon."),
    Reason.ENDED: _l("This coupon's last day is over."),
    Reason.STOCK: _l("All of them are gone."),
    Reason.LIMIT: _l("You have had yours."),
    Reason.DAY: _l("Today's share is gone. Come back tomorrow."),
    Reason.WHO: _l("This coupon is for other friends of ours."),
    Reason.NOT_FRIEND: _l("Add us as a friend first"),
}


def init_app(app: Flask) -> None:
    """Open this door; its forms bring a token of their own instead of the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


@bp.get("/c/mine")
def mine() -> Response:
    """Every coupon of the friend whose browser this is."""
    known = who.holder()
    if known is None and who.asks_line():
        return ask_line("mine")
    if known is None:
        text = _("Open one of your coupons from our chat in LINE first; then they all show here.")
        return missing(200, _("My coupons"), text)
    page = render(
        "web/coupon_mine.html",
        shop_name=settings.shop().name,
        **lists(known.friend_id, clock.now()),
        by_line=known.how == who.BY_LINE,
    )
    return guarded(make_response(page))


def lists(friend_id: int, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """A friend's coupons: those she can use, and the others."""
    rows = [
        {
            "title": copy.coupon.title,
            "headline": benefits.headline(copy.coupon),
            "period": benefits.period_text(copy.usable_from, copy.expires_at),
            "state": (state := state_of(copy, copy.coupon, now)).value,
            "state_title": STATE_TITLES[state],
            "usable": state in USABLE,
            "url": url_for("coupon_page.show", token=copy.token),
        }
        for copy in held_by(friend_id, limit=LIST_LIMIT)
    ]
    return {
        "usable": [row for row in rows if row["usable"]],
        "others": [row for row in rows if not row["usable"]],
    }


@bp.get("/e/c/<token>")
def identity(token: str) -> Response:
    """Asks LINE who is there, and leads back."""
    if not who.asks_line():
        return redirect(url_for("coupon_page.show", token=token))
    return identity_page(token)


def find(token: str) -> tuple[Coupon, Signed | None] | None:
    """The coupon of a claim link, and what it is signed for if it is a personal one."""
    personal = read_personal(token, config.current().secret_key)
    if personal is not None:
        return personal.coupon, personal
    coupon = by_public_token(token)
    return None if coupon is None else (coupon, None)


def show(token: str, coupon: Coupon, signed: Signed | None, now: datetime) -> Response:
    """What the link gives, with one button; or why it gives nothing."""
    friend = _who(signed)
    if friend is None and who.asks_line():
        return ask_line(token)
    return _page(token, coupon, friend, closed_reason(coupon, now))


@bp.post("/c/<token>/claim")
def take(token: str) -> Response:
    """Claim. The same friend gets the same copy, from however many phones."""
    found = find(token)
    if found is None:
        return missing(404, _("This coupon was not found"), "")
    coupon, signed = found
    friend, now = _who(signed), clock.now()
    if friend is None or not _form_is_ours(token):
        return redirect(url_for("coupon_page.show", token=token), 303)
    source = NO_MESSAGE if signed is None else signed.source
    answer = claim(coupon, friend, source=source, now=now, fitting=fitting)
    if isinstance(answer, Refusal):
        return _page(token, coupon, friend, answer.reason, status=409)
    response = redirect(url_for("coupon_page.show", token=answer.token), 303)
    if signed is not None and not who.asks_line():
        who.remember(response, friend.id, who.BY_LINK)
    return response


def _who(signed: Signed | None) -> Friend | None:
    """By LINE's word where it is asked; else whom the link is signed for, or whose browser."""
    known = who.holder()
    if who.asks_line() or signed is None:
        return None if known is None else Friend.get_or_none(Friend.id == known.friend_id)
    return signed.friend


def _page(
    token: str, coupon: Coupon, friend: Friend | None, reason: Reason | None, *, status: int = 200
) -> Response:
    if reason is None and friend is not None and coupon.friends_only and friend.status != FRIEND:
        reason = Reason.NOT_FRIEND
    page = render(
        "web/coupon_claim.html",
        shop_name=settings.shop().name,
        coupon=coupon,
        headline=benefits.headline(coupon),
        minimum=benefits.minimum_text(coupon),
        period=benefits.validity_text(coupon),
        picture=f"/media/{coupon.picture}/preview" if coupon.picture else "",
        known=friend is not None,
        sorry=SORRY.get(reason, REASON_LABELS.get(reason)) if reason is not None else "",
        gate=reason is Reason.NOT_FRIEND or friend is None,
        add_friend=who.add_friend_link(),
        token=token,
        form_token=_signer().dumps(token),
    )
    return guarded(make_response(page, status))


def _form_is_ours(token: str) -> bool:
    try:
        return bool(
            _signer().loads(request.form.get("form_token", ""), max_age=FORM_LIFE_SECONDS) == token
        )
    except BadSignature:
        return False


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="coupon-claim")
