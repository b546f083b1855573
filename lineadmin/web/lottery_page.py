"""A friend's page of a lottery at /c/l/<token>: the prizes, one button, and what came of it.

The link is signed for one friend. With LIFF, LINE says who is there and only she gets in (see
who.py, whose cookie is that of every page for friends); without it the link is the key.
Looking at the page never draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, abort, make_response, request, url_for
from flask import render_template as render
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.coupons import throttle
from lineadmin.coupons.benefits import period_text
from lineadmin.coupons.models import CouponIssue
from lineadmin.i18n import _, format_datetime
from lineadmin.lottery.draw import NotDrawn, draw, drawn_in, phase_sentence, prizes_of
from lineadmin.lottery.links import read_token
from lineadmin.lottery.models import Lottery, LotteryDraw
from lineadmin.lottery.plan import percent_text
from lineadmin.lottery.states import CLOSED, DAILY, PAGE, RULE_LABELS, Phase, phase_of
from lineadmin.web import who
from lineadmin.web.coupon_drawn import guarded, identity_page, missing, turned_away

bp = Blueprint("lottery_page", __name__)


@dataclass(frozen=True)
class PageView:
    """Everything the template shows. Without `token` (previews) nothing can be done."""

    shop_name: str
    title: str
    rule: str
    period: str
    phase_text: str
    may_draw: bool
    prizes: list[tuple[str, str]]
    terms: str
    seed_hash: str
    seed: str
    entry: str
    drawn: bool = False
    prize: str = ""
    note: str = ""
    number: int | None = None
    drawn_at: str = ""
    coupon_url: str = ""
    error: str = ""
    token: str = ""


def init_app(app: Flask) -> None:
    """Open this door; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)


@bp.get("/c/l/<token>")
def show(token: str) -> Response:
    """The lottery's page."""
    lottery, friend_id = _find(token)
    return _turned_away(friend_id, token) or _answer(lottery, friend_id, token)


@bp.post("/c/l/<token>/draw")
def take(token: str) -> Response:
    """Draw. A form that is sent twice draws once: the page shows what came of it."""
    lottery, friend_id = _find(token)
    turned_away = _turned_away(friend_id, token)
    if turned_away is not None:
        return turned_away
    try:
        draw(lottery.id, friend_id, how=PAGE, now=clock.now())
    except NotDrawn as refused:
        if refused.earlier is None:
            return _answer(lottery, friend_id, token, error=str(refused))
    return redirect(url_for(".show", token=token), 303)


@bp.get("/e/l/<token>")
def identity(token: str) -> Response:
    """Where LINE's script asks who is there; it works below the LIFF app's address only."""
    if not who.asks_line() or read_token(token) is None:
        abort(404)
    return identity_page(f"l/{token}")


def preview(lottery: Lottery, prizes: list[tuple[str, str]]) -> str:
    """The page as a friend will see it before she draws; for the editor."""
    page = _view(lottery, prizes, Phase.OPEN, entry="", token="")
    return render("web/lottery.html", page=page)


def _answer(lottery: Lottery, friend_id: int, token: str, *, error: str = "") -> Response:
    now = clock.now()
    prizes = [(prize.name, percent_text(prize.odds)) for prize in prizes_of(lottery)]
    phase = phase_of(lottery, now)
    drawn = drawn_in(lottery, friend_id, now)
    if drawn is None and phase in (Phase.CLOSED, Phase.ENDED):
        drawn = _last_draw(lottery, friend_id)
    more = _result(lottery, drawn) if drawn is not None else {}
    entry = f"{lottery.code}:{friend_id}:{drawn.period if drawn else 0}"
    page = _view(lottery, prizes, phase, entry=entry, token=token, error=error, **more)
    return guarded(make_response(render("web/lottery.html", page=page), 400 if error else 200))


def _view(
    lottery: Lottery, prizes: list[tuple[str, str]], phase: Phase, *, token: str, **more: Any
) -> PageView:
    starts, ends = lottery.starts_at, lottery.ends_at
    return PageView(
        shop_name=settings.shop().name,
        title=lottery.title,
        rule=str(RULE_LABELS[lottery.rule]),
        period="" if starts is None and ends is None else period_text(starts, ends),
        phase_text=phase_sentence(lottery, phase),
        may_draw=phase is Phase.OPEN and not more.get("drawn"),
        prizes=prizes,
        terms=lottery.terms,
        seed_hash=lottery.seed_hash,
        seed=lottery.seed if lottery.state == CLOSED else "",
        token=token,
        **more,
    )


def _result(lottery: Lottery, drawn: LotteryDraw) -> dict[str, Any]:
    copy = CouponIssue.get_or_none(CouponIssue.id == drawn.issue_id) if drawn.issue_id else None
    again = _("Come again tomorrow!") if lottery.rule == DAILY else _("Thank you for taking part!")
    return {
        "drawn": True,
        "prize": drawn.prize.name if drawn.prize is not None else "",
        "note": "" if drawn.prize is not None else again,
        "number": drawn.number,
        "drawn_at": format_datetime(drawn.at),
        "coupon_url": url_for("coupon_page.show", token=copy.token) if copy is not None else "",
    }


def _last_draw(lottery: Lottery, friend_id: int) -> LotteryDraw | None:
    mine = (LotteryDraw.lottery == lottery.id) & (LotteryDraw.friend_id == friend_id)
    found: LotteryDraw | None = (
        LotteryDraw.select().where(mine).order_by(LotteryDraw.id.desc()).first()
    )
    return found


def _turned_away(friend_id: int, token: str) -> Response | None:
    text = _("Only the friend who got it can draw with it. Ask us for one of your own.")
    return turned_away(friend_id, url_for(".identity", token=token), text)


def _find(token: str) -> tuple[Lottery, int]:
    counted = throttle.address_key(request.remote_addr or "")
    wall = clock.wall()
    try:
        throttle.check(counted, wall=wall)
    except throttle.TooManyTries as refused:
        abort(missing(429, _("Please wait a moment"), str(refused)))
    found = read_token(token)
    if found is None:
        throttle.miss(counted, wall=wall)
        text = _(
            "The link may be incomplete. Go back to the chat in LINE and tap the lottery again."
        )
        abort(missing(404, _("This lottery was not found"), text))
    return found
