"""Coupons in numbers: the way from handed out to used, by source, day, coupon and staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from flask import abort, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.admin import charts, export
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.coupons import ORIGIN_LABELS
from lineadmin.coupons import codes
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.redeem import HOW_LABELS
from lineadmin.i18n import _, _l
from lineadmin.reports import coupons as report
from lineadmin.reports.coupons import Numbers, Span
from lineadmin.staff import audit

SPAN_DAYS = 30
LONGEST_DAYS = 731
CHART_DAYS = 92  # more bars than that are no picture any more: weeks then
COUPONS = 200  # offered in the filter, the newest first
Row = list[Any]


class CouponReportView(AdminPage):
    """One page of sums; each is one indexed query."""

    menu_icon = "report"

    @expose("/")
    def index(self) -> str:
        """The page; `from`, `until` and `coupon` choose what is counted."""
        span = _span()
        now = clock.now()
        sources = report.by_source(span, now=now)
        coupons = {} if span.coupon_id else report.by_coupon(span, now=now)
        total = sum(sources.values(), Numbers())
        days = report.by_day(span)
        titles = _titles(coupons)
        return self.render(
            "admin/coupon_report.html",
            span=span,
            choices=_choices(),
            total=total,
            sources=[(source_label(code), numbers) for code, numbers in sources.items()],
            coupons=[(key, titles.get(key, ""), numbers) for key, numbers in coupons.items()],
            staff=report.by_staff(span),
            chart=_chart(days),
            any_use=any(day.redeemed for day in days),
            may_export=self.may("edit"),
            export_url=lambda what: self.get_url(
                ".export",
                what=what,
                coupon=span.coupon_id,
                **{"from": span.first.isoformat(), "until": span.last.isoformat()},
            ),
        )

    @expose("/export/")
    @needs("edit")
    def export(self) -> Response:
        """One of the tables as CSV: sources, days, coupons, staff, or every single copy."""
        span = _span()
        what = request.args.get("what", "")
        table = TABLES.get(what) or abort(404)
        audit.record(
            current_staff(),
            "coupon.export",
            "coupon",
            span.coupon_id or 0,
            what,
            None,
            {"period_from": span.first, "period_until": span.last},
            wall=clock.wall(),
        )
        return export.csv_response(f"coupons-{what}", table(span))


def source_label(code: str) -> str:
    """The way a copy came to its friend, in words."""
    return str(ORIGIN_LABELS.get(code, code))


def _span() -> Span:
    zone = settings.shop_zone()
    today = clock.now().astimezone(zone).date()
    last = _date("until") or today
    first = _date("from") or last - timedelta(days=SPAN_DAYS - 1)
    if first > last:
        first, last = last, first
    first = max(first, last - timedelta(days=LONGEST_DAYS - 1))
    return Span(first, last, zone, request.args.get("coupon", type=int) or None)


def _date(name: str) -> date | None:
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _choices() -> list[Coupon]:
    return list(Coupon.select(Coupon.id, Coupon.title).order_by(Coupon.id.desc()).limit(COUPONS))


def _titles(numbers: dict[int, Numbers]) -> dict[int, str]:
    rows = Coupon.select(Coupon.id, Coupon.title).where(Coupon.id.in_(list(numbers)))
    return {row.id: row.title for row in rows}


def _chart(days: list[report.Day]) -> charts.Chart:
    """Bars by day; by week where the days would be too many to see."""
    step = 1 if len(days) <= CHART_DAYS else 7
    grouped = [days[start : start + step] for start in range(0, len(days), step)]
    labels = [f"{group[0].day.month}/{group[0].day.day}" for group in grouped]
    return charts.bars(
        _("Copies handed out and used"),
        _("Day") if step == 1 else _("Week from"),
        labels,
        [
            (_("Handed out"), [sum(day.issued for day in group) for group in grouped]),
            (_("Redeemed"), [sum(day.redeemed for day in group) for group in grouped]),
        ],
    )


def _numbers_head() -> Row:
    return [
        _("Handed out"),
        _("Opened"),
        _("Redeemed"),
        _("Expired"),
        _("Purchases (NT$)"),
        _("Discount (NT$)"),
    ]


def _numbers_cells(one: Numbers) -> Row:
    return [one.issued, one.opened, one.redeemed, one.expired, one.amount, one.discount]


def _source_rows(span: Span) -> Iterator[Row]:
    yield [_("By way of"), *_numbers_head()]
    for code, numbers in report.by_source(span, now=clock.now()).items():
        yield [source_label(code), *_numbers_cells(numbers)]


def _coupon_rows(span: Span) -> Iterator[Row]:
    yield [_("Coupon"), *_numbers_head()]
    found = report.by_coupon(span, now=clock.now())
    titles = _titles(found)
    for coupon_id, numbers in found.items():
        yield [titles.get(coupon_id, ""), *_numbers_cells(numbers)]


def _day_rows(span: Span) -> Iterator[Row]:
    yield [_("Day"), _("Handed out"), _("Redeemed"), _("Purchases (NT$)")]
    for day in report.by_day(span):
        yield [day.day, day.issued, day.redeemed, day.amount]


def _staff_rows(span: Span) -> Iterator[Row]:
    yield [_("By"), _("Redeemed"), _("Undone"), _("Purchases (NT$)"), _("Discount (NT$)")]
    for one in report.by_staff(span):
        name = one.name or _("The friends themselves")
        yield [name, one.redeemed, one.undone, one.amount, one.discount]


def _copy_rows(span: Span) -> Iterator[Row]:
    yield [
        _("Coupon"),
        _("Friend"),
        _("Code"),
        _("By way of"),
        _("Handed out"),
        _("Opened"),
        _("Redeemed"),
        _("Redeemed how"),
        _("By"),
        _("Purchases (NT$)"),
        _("Discount (NT$)"),
        _("Valid until"),
        _("Taken back"),
    ]
    for row, title, friend, staff, discount in report.copies(span):
        yield [
            title,
            friend,
            codes.shown(row.code),
            source_label(row.origin),
            row.issued_at,
            row.opened_at,
            row.redeemed_at,
            HOW_LABELS.get(row.redeemed_how, "") if row.redeemed_at else "",
            staff,
            row.redeemed_amount,
            discount,
            row.expires_at,
            row.voided_at,
        ]


TABLES: dict[str, Callable[[Span], Iterator[Row]]] = {
    "sources": _source_rows,
    "coupons": _coupon_rows,
    "days": _day_rows,
    "staff": _staff_rows,
    "copies": _copy_rows,
}


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(CouponReportView(_l("Coupon report"), endpoint="coupon_report"), "results", 5)]
