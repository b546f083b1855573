"""A friend's membership among her own pages: her number, or the form by which she binds herself."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, request, url_for
from flask import render_template as render
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.coupons.throttle import TooManyTries
from lineadmin.i18n import _
from lineadmin.members.actions import of_friend
from lineadmin.members.binding import NotBound, bind
from lineadmin.members.setup import BIRTHDAY, setup
from lineadmin.web import my_page
from lineadmin.web.drawn import qr_svg

bp = Blueprint("my_member", __name__)

CODE = "member"


def init_app(app: Flask) -> None:
    """Add the page and its form; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
    my_page.add(
        my_page.Section(CODE, 20, _draw, teaser=_teaser, shown=lambda _visit: setup().enabled)
    )


@bp.post("/me/<token>/member/bind")
def bind_member(token: str) -> Response:
    """Bind her to the member whose number and proof she sends. Twice is once."""
    seen = my_page.visit(token, CODE)
    number, proof = (request.form.get(name, "")[:60] for name in ("number", "proof"))
    try:
        bind(seen.friend.id, number, proof, now=clock.now(), wall=clock.wall())
    except (NotBound, TooManyTries) as refused:
        status = 429 if isinstance(refused, TooManyTries) else 400
        return my_page.answer(replace(seen, error=str(refused)), status)
    return redirect(my_page.address(seen, CODE), 303)


def _draw(visit: my_page.Visit) -> str:
    member = of_friend(visit.friend.id)
    return render(
        "web/my_member.html",
        member=member,
        qr=qr_svg(member.number, border=2) if member is not None else "",
        by_birthday=setup().proof == BIRTHDAY,
        action=url_for("my_member.bind_member", token=visit.token),
        number=request.form.get("number", "")[:60],
    )


def _teaser(visit: my_page.Visit) -> str:
    member = of_friend(visit.friend.id)
    if member is None:
        return _("Bind your member card")
    return f"{member.number}・{member.level}" if member.level else member.number
