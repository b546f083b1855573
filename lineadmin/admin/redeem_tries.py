"""Tries that came to nothing: forged, foreign, used and expired codes, wrong PINs; with filters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from flask import request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import export, listing
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.coupons import numbers
from lineadmin.coupons.models import RedemptionTry
from lineadmin.coupons.redeem import OUTCOME_LABELS, Outcome, outcome_label
from lineadmin.coupons.states import STATE_LABELS, State
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

TRIES_PER_PAGE = 50
BATCH = 1_000


def _outcomes() -> list[tuple[str, Any]]:
    """Everything a try can come to; what reads the same in words is offered once."""
    labels = {key.value: label for key, label in STATE_LABELS.items() if key is not State.VALID}
    labels |= {
        key.value: label for key, label in OUTCOME_LABELS.items() if key is not Outcome.FOREIGN
    }
    return list(labels.items())


def _narrow_outcome(query: Any, value: str) -> Any:
    alike = (Outcome.UNKNOWN, Outcome.FOREIGN)
    if value in alike:
        return query.where(RedemptionTry.outcome.in_([one.value for one in alike]))
    return query.where(RedemptionTry.outcome == value)


def _people() -> list[tuple[int, str]]:
    rows = Staff.select(Staff.id, Staff.name).order_by(Staff.name)
    return [(row.id, row.name) for row in rows]


FILTERS: tuple[listing.AnyFilter, ...] = (
    listing.Filter("outcome", _l("What came of it"), _outcomes, _narrow_outcome),
    listing.Filter(
        "staff",
        _l("By"),
        _people,
        lambda query, value: query.where(RedemptionTry.staff_id == int(value)),
    ),
    listing.DayFilter("from", _l("From day"), RedemptionTry.at),
    listing.DayFilter("until", _l("To day"), RedemptionTry.at, until=True),
)


class TriesPages(AdminPage):
    """Mixed into the counter's view, whose address the list has."""

    @expose("/tries/")
    @needs("view")
    def tries(self) -> str:
        """The list, the newest first."""
        chosen, query = _chosen()
        page = listing.newest_first(
            query, RedemptionTry.id, TRIES_PER_PAGE, partial(self.get_url, ".tries", **chosen)
        )
        return self.render(
            "admin/redeem_tries.html",
            rows=numbers.with_names(page.rows),
            outcome_label=outcome_label,
            filters=listing.drawn_filters(FILTERS, chosen),
            filtered=bool(chosen),
            total=listing.count_label(listing.bounded_count(query)),
            export_url=self.get_url(".export_tries", **chosen) if self.may("edit") else "",
            page=page,
        )

    @expose("/tries/export/")
    @needs("edit")
    def export_tries(self) -> Response:
        """The same as CSV."""
        chosen, query = _chosen()
        audit.record(
            current_staff(),
            "coupon.export",
            "coupon",
            0,
            str(_("Refused tries")),
            None,
            {"filters": chosen},
            wall=clock.wall(),
        )
        return export.csv_response("refused-tries", _csv_rows(query))


def _chosen() -> tuple[dict[str, str], Any]:
    chosen = listing.chosen_filters(FILTERS, request.args)
    query: Any = numbers.tries_query()
    for one in FILTERS:
        if one.name in chosen:
            query = one.narrow(query, chosen[one.name])
    return chosen, query


def _csv_rows(query: Any) -> Iterator[list[Any]]:
    yield [
        _("Time"),
        _("What came of it"),
        _("Typed or scanned"),
        _("Coupon"),
        _("Friend"),
        _("By"),
        _("Address"),
    ]
    order = listing.Keyset(RedemptionTry.id, RedemptionTry.id, descending=True)
    walked = order.walk(query, BATCH)
    while batch := list(islice(walked, BATCH)):
        for tried in numbers.with_names(batch):
            yield [
                tried.row.at,
                outcome_label(tried.row.outcome),
                tried.row.code,
                tried.coupon_title,
                tried.friend_name,
                tried.staff_name,
                tried.row.address,
            ]
