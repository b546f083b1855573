"""A friend's coupon at /c/<token>: what it gives, whether it can be used, and using it there.

Whose it is, who.py knows; the page says which way. The form that uses the coupon carries
a signed token with the request's own key.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Flask, abort, current_app, jsonify, make_response, request, url_for
from flask import render_template as render
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, config, settings
from lineadmin.coupons import benefits, codes, throttle
from lineadmin.coupons.issue import open_issue
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.redeem import (
    Outcome,
    Refused,
    find,
    note_try,
    note_unknown_link,
    shown_code,
)
from lineadmin.coupons.self_redeem import redeem_by_friend
from lineadmin.coupons.states import State, state_of
from lineadmin.db import to_ms
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, format_datetime
from lineadmin.tracking import agents
from lineadmin.web import coupon_claim, who
from lineadmin.web.coupon_drawn import STATE_TITLES, ask_line, gate_page, guarded, missing
from lineadmin.web.drawn import qr_svg

bp = Blueprint("coupon_page", __name__)

GATE = "gate"  # told instead of a state while she is no friend
FORM_LIFE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class PageView:
    """Everything the template shows. `token` is empty in a preview, where nothing can be done."""

    shop_name: str
    title: str
    headline: str
    state: State
    state_title: str
    note: str
    minimum: str
    period: str
    terms: str
    code: str
    qr: Markup
    redeem: str
    now_ms: int
    ends_ms: int | None
    token: str = ""
    form_token: str = ""
    error: str = ""
    picture: str = ""
    by_line: bool = False  # LINE said whose page this is
    mine: bool = False  # this browser may see her other coupons


def init_app(app: Flask) -> None:
    """Open this door; its form brings a token of its own instead of the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


@bp.get("/c/<token>")
def show(token: str) -> Response:
    """The coupon's page; for a claim link, the page that gives one."""
    now = clock.now()
    claimable = coupon_claim.find(token)
    if claimable is not None:
        return coupon_claim.show(token, *claimable, now)
    issue = _find(token)
    known = who.holder()
    turned_away = _turned_away(issue, known, now)
    if turned_away is not None:
        return turned_away
    looked = request.method == "GET" and not agents.is_robot(request.headers)
    first = looked and open_issue(issue, now=now)
    is_hers = known is not None and known.friend_id == issue.friend_id
    response = _answer(issue, now, holder=known if is_hers else None, first=first)
    if first and not is_hers and not who.asks_line():
        who.remember(response, issue.friend_id, who.BY_LINK)
    return response


@bp.get("/c/<token>/state")
def state(token: str) -> Response:
    """The state alone, which the page asks for every few seconds."""
    issue = _find(token)
    told = state_of(issue, issue.coupon, clock.now()).value
    if _is_gated(issue):
        told = GATE
    response: Response = jsonify(state=told)
    return guarded(response)


@bp.post("/c/<token>/use")
def use(token: str) -> Response:
    """Use the coupon from its page, where it allows that. Sending the form twice uses it once."""
    issue = _find(token)
    now, wall = clock.now(), clock.wall()
    turned_away = _turned_away(issue, who.holder(), now)
    if turned_away is not None:
        return turned_away
    request_key = _read_form_token(issue)
    if request_key is None:
        return _answer(issue, now, error=_("The page was open for too long. Try again."))
    try:
        redeem_by_friend(
            issue,
            pin=request.form.get("pin", "")[:20],
            request_key=request_key,
            now=now,
            wall=wall,
            address=request.remote_addr or "",
        )
    except (Refused, throttle.TooManyTries) as refused:
        if isinstance(refused, Refused) and isinstance(refused.outcome, State):
            return redirect(url_for(".show", token=token), 303)  # the page itself says why
        fresh = find(token=token) or issue
        return _answer(fresh, now, error=str(refused), form_token=request.form["form_token"])
    return redirect(url_for(".show", token=token), 303)


def _turned_away(issue: CouponIssue, known: who.Holder | None, now: datetime) -> Response | None:
    """The page for whoever may not see this copy now: somebody unknown, another, no friend."""
    if who.asks_line():
        if known is None:
            return ask_line(issue.token)
        if known.friend_id != issue.friend_id:
            note_try(Outcome.NOT_HERS, issue=issue, now=now, address=request.remote_addr or "")
            text = _("It can only be opened by the friend who got it. Ask for one of your own.")
            return missing(403, _("This coupon belongs to somebody else"), text)
    return gate_page(issue.token) if _is_gated(issue) else None


def _is_gated(issue: CouponIssue) -> bool:
    if not issue.coupon.friends_only or issue.redeemed_at is not None:
        return False
    gone = (Friend.id == issue.friend_id) & (Friend.status == BLOCKED)
    return bool(Friend.select().where(gone).exists())


def preview(coupon: Coupon, now: datetime, *, picture: str = "") -> str:
    """The page as a friend will see it who gets this coupon now; for the editor."""
    from lineadmin.coupons.issue import expiry

    issue = CouponIssue(
        coupon=coupon,
        code="ABCDEF123456",
        issued_at=now,
        usable_from=coupon.valid_from,
        expires_at=expiry(coupon, now, settings.shop_zone()),
    )
    return render("web/coupon.html", page=page_view(issue, now, is_preview=True, picture=picture))


def page_view(
    issue: CouponIssue,
    now: datetime,
    *,
    error: str = "",
    form_token: str = "",
    is_preview: bool = False,
    picture: str = "",
) -> PageView:
    """What the page shows of one copy at shop time `now`."""
    coupon = issue.coupon
    current = state_of(issue, coupon, now)
    key = form_token if is_preview or form_token else _new_form_token(issue)
    return PageView(
        shop_name=settings.shop().name,
        title=coupon.title,
        headline=benefits.headline(coupon),
        state=current,
        state_title=str(STATE_TITLES[current]),
        note=_note(issue, current),
        minimum=benefits.minimum_text(coupon),
        period=benefits.period_text(issue.usable_from, issue.expires_at),
        terms=coupon.terms,
        code=shown_code(issue),
        qr=qr_picture(issue),
        redeem=coupon.redeem,
        now_ms=to_ms(now),
        ends_ms=None if issue.expires_at is None else to_ms(issue.expires_at),
        token="" if is_preview else issue.token,
        form_token=key,
        error=error,
        picture=picture or (f"/media/{coupon.picture}/preview" if coupon.picture else ""),
    )


def qr_picture(issue: CouponIssue) -> Markup:
    """The code as a QR: a link to the counter screen, which any phone camera of staff reads."""
    base = config.current().public_url or ""
    return qr_svg(f"{base}/admin/redeem/{codes.shown(issue.code)}", border=2)


def _note(issue: CouponIssue, current: State) -> str:
    if current is State.USED and issue.redeemed_at is not None:
        return _("Used at %(time)s", time=format_datetime(issue.redeemed_at))
    if current is State.NOT_YET and issue.usable_from is not None:
        return _("It starts %(time)s.", time=format_datetime(issue.usable_from))
    if current is State.PAUSED:
        return _("The shop has paused this coupon. Please look again later.")
    if current in (State.CLOSED, State.VOIDED):
        return _("The shop has ended this coupon.")
    if current is State.EXPIRED:
        return _("Thank you for your interest; watch our chat for the next one.")
    return ""


def _find(token: str) -> CouponIssue:
    counted = throttle.address_key(request.remote_addr or "")
    wall = clock.wall()
    try:
        throttle.check(counted, wall=wall)
    except throttle.TooManyTries as refused:
        abort(missing(429, _("Please wait a moment"), str(refused)))
    issue = find(token=token) if codes.TOKEN.fullmatch(token) else None
    if issue is None:
        throttle.miss(counted, wall=wall)
        note_unknown_link(token, now=clock.now(), address=request.remote_addr or "")
        text = _(
            "The link may be incomplete. Go back to the chat in LINE and tap the coupon again."
        )
        abort(missing(404, _("This coupon was not found"), text))
    return issue


def _answer(
    issue: CouponIssue,
    now: datetime,
    *,
    error: str = "",
    form_token: str = "",
    holder: who.Holder | None = None,
    first: bool = False,
) -> Response:
    page = page_view(issue, now, error=error, form_token=form_token)
    page = replace(
        page,
        by_line=holder is not None and holder.how == who.BY_LINE,
        mine=first or holder is not None,
    )
    return guarded(make_response(render("web/coupon.html", page=page), 400 if error else 200))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="coupon-page")


def _new_form_token(issue: CouponIssue) -> str:
    return str(_signer().dumps([issue.id, str(uuid.uuid4())]))


def _read_form_token(issue: CouponIssue) -> str | None:
    """The request's key, where the form was made here for this copy and not too long ago."""
    try:
        issue_id, key = _signer().loads(
            request.form.get("form_token", ""), max_age=FORM_LIFE_SECONDS
        )
    except BadSignature:
        return None
    return str(key) if issue_id == issue.id else None
