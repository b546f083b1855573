"""What a friend bought among her own pages: orders and their status, and a wish to change one.

Forms with one button, so it works without a script.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, abort, redirect, request
from flask import render_template as render
from werkzeug.wrappers import Response

from lineadmin.errors import DomainError
from lineadmin.i18n import _, _n
from lineadmin.purchases import actions, queries
from lineadmin.purchases.models import Purchase
from lineadmin.purchases.record import REDEMPTION_KEY, said_of
from lineadmin.purchases.states import STATUS_LABELS, UNDERWAY
from lineadmin.web import my_page
from lineadmin.web.coupon_drawn import guarded

bp = Blueprint("my_orders", __name__)

CODE = "orders"
SHOWN = 30


def init_app(app: Flask) -> None:
    """Add the page and its form; the token in the address stands for the session's."""
    app.extensions["csrf"].exempt(bp)
    app.register_blueprint(bp)
    my_page.add(my_page.Section(CODE, 20, _draw, teaser=_teaser))


@bp.post("/me/<token>/orders/<int:purchase_id>/change")
def ask_change(token: str, purchase_id: int) -> Response:
    """Ask for a change of an order of hers. Sent twice, it is asked once."""
    seen = my_page.visit(token, CODE)
    row = Purchase.get_or_none(Purchase.id == purchase_id, Purchase.friend == seen.friend.id)
    if row is None:
        abort(404)
    try:
        actions.ask_change(row, request.form.get("words", ""), now=seen.now)
    except DomainError as refused:
        return my_page.answer(replace(seen, error=str(refused)), 400)
    return guarded(redirect(my_page.address(seen, CODE), 303))


def _draw(visit: my_page.Visit) -> str:
    rows = [row for row in queries.latest(visit.friend.id, SHOWN) if row.voided_at is None]
    ids = [row.id for row in rows]
    lines, wishes = queries.lines_of(ids), queries.wishes_of(ids)
    drawn = [
        {
            "row": row,
            "what": said_of(lines.get(row.id, [])),
            "number": "" if row.receipt_no.startswith(REDEMPTION_KEY) else row.receipt_no,
            "status": STATUS_LABELS[row.status],
            "underway": row.status in UNDERWAY,
            "wish": next(iter(wishes.get(row.id, [])), None),
        }
        for row in rows
    ]
    return render("web/my_orders.html", rows=drawn, token=visit.token)


def _teaser(visit: my_page.Visit) -> str:
    rows = queries.latest(visit.friend.id, SHOWN)
    underway = sum(row.status in UNDERWAY and row.voided_at is None for row in rows)
    if underway:
        return _n("%(count)s order underway", "%(count)s orders underway", underway)
    return _("None at the moment") if not rows else _("See what you bought")
