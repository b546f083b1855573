"""A friend's own pages at /me/<token>: one frame with tabs, filled by the rooms.

The link is signed for one friend (members/links.py). With LIFF, LINE says who is there and only she
gets in; without it the link is the key. Nothing else in an address says whose page it is.

A room adds its page by a module like my_coupons.py: `my_page.add(Section(…))` when its door is
opened, and forms of its own below /me/<token>/ that begin with `visit(token, code)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Flask, abort, make_response, request, url_for
from flask import render_template as render
from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.coupons import throttle
from lineadmin.friends.models import Friend
from lineadmin.i18n import _
from lineadmin.members.links import HOME, page_path, read_token
from lineadmin.members.pages import PAGES
from lineadmin.web import who
from lineadmin.web.coupon_drawn import guarded, identity_page, missing, turned_away

bp = Blueprint("my_page", __name__)

MINE = "mine"  # in place of a token: whoever LINE says it is


@dataclass(frozen=True)
class Visit:
    """One look of a friend at one of her pages."""

    friend: Friend
    token: str
    code: str
    now: datetime
    error: str = ""  # why the form she sent did nothing


@dataclass(frozen=True)
class Section:
    """One page of the tabs; its name is that of its code in members/pages.py.

    `draw` answers what stands under the tabs. `teaser` says in a line what is there, for the first
    page; empty where there is nothing to say.
    """

    code: str
    place: int  # among the tabs
    draw: Callable[[Visit], str]
    teaser: Callable[[Visit], str] | None = None
    shown: Callable[[Visit], bool] = lambda _visit: True


_sections: dict[str, Section] = {}


def init_app(app: Flask) -> None:
    """Open this door; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
    add(Section(HOME, 0, _draw_home))


def add(section: Section) -> None:
    """Give every friend this page."""
    _sections[section.code] = section


@bp.get("/me/<token>")
@bp.get("/me/<token>/<code>")
def show(token: str, code: str = HOME) -> Response:
    """One of her pages. Looking changes nothing."""
    if token == MINE:
        return _mine(code)
    return answer(visit(token, code))


@bp.get("/e/me/<token>")
@bp.get("/e/me/<token>/<code>")
def identity(token: str, code: str = HOME) -> Response:
    """Where LINE's script asks who is there; it works below the LIFF app's address only."""
    if not who.asks_line() or (token != MINE and read_token(token) is None):
        abort(404)
    return identity_page(token if code == HOME else f"{token}/{code}", below="/me")


def visit(token: str, code: str) -> Visit:
    """Who is there, for every address below /me/<token>. Aborts for anybody else."""
    counted = throttle.address_key(request.remote_addr or "")
    wall = clock.wall()
    try:
        throttle.check(counted, wall=wall)
    except throttle.TooManyTries as refused:
        abort(missing(429, _("Please wait a moment"), str(refused)))
    friend_id = read_token(token)
    friend = None if friend_id is None else Friend.get_or_none(Friend.id == friend_id)
    if friend is None:
        throttle.miss(counted, wall=wall)
        abort(_not_found())
    text = _("It shows its own friend only. Ask us in the chat for yours.")
    refused_page = turned_away(friend.id, _asking(token, code), text)
    if refused_page is not None:
        abort(refused_page)
    seen = Visit(friend, token, code, clock.now())
    if code not in _sections or not _sections[code].shown(seen):
        abort(_not_found())
    return seen


def answer(seen: Visit, status: int = 200) -> Response:
    """Her page, with the tabs."""
    page = render(
        "web/my_page.html",
        shop_name=settings.shop().name,
        title=PAGES[seen.code].title,
        tabs=[(PAGES[one.code].title, address(seen, one.code), one.code) for one in _hers(seen)],
        here=seen.code,
        error=seen.error,
        body=Markup(_sections[seen.code].draw(seen)),  # noqa: S704 - drawn by our templates
        by_line=who.asks_line(),
    )
    return guarded(make_response(page, status))


def address(seen: Visit, code: str) -> str:
    """Where another of her pages is."""
    return page_path(seen.friend.id, code)


def _hers(seen: Visit) -> list[Section]:
    shown = [section for section in _sections.values() if section.shown(seen)]
    return sorted(shown, key=lambda section: section.place)


def _draw_home(seen: Visit) -> str:
    rows = [
        (PAGES[section.code].title, section.teaser(seen), address(seen, section.code))
        for section in _hers(seen)
        if section.teaser is not None
    ]
    return render("web/my_home.html", name=seen.friend.display_name or "", rows=rows)


def _mine(code: str) -> Response:
    """On to the pages of whoever LINE says is there; for a menu that is the same for everybody."""
    known = who.holder()
    if known is not None:
        return guarded(redirect(page_path(known.friend_id, code)))
    if who.asks_line():
        return guarded(redirect(_asking(MINE, code)))
    text = _("Open the link to your page from our chat in LINE.")
    return missing(200, _("My page"), text)


def _asking(token: str, code: str) -> str:
    return url_for("my_page.identity", token=token, code=None if code == HOME else code)


def _not_found() -> Response:
    text = _("The link may be incomplete. Go back to the chat in LINE and tap it again.")
    return missing(404, _("This page was not found"), text)
