"""What came of a sequence: by step, by branch, by source, and the hour at which friends tap."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import settings
from lineadmin.admin import charts
from lineadmin.admin.gate import AdminPage
from lineadmin.admin.sequence_forms import WEEKDAY_LABELS
from lineadmin.i18n import _, _l
from lineadmin.reports import steps
from lineadmin.reports.steps import FEWEST_TAPS, GoldenTime, SourceCurve, StepNumbers
from lineadmin.sequences import actions, enrolments
from lineadmin.sequences.definition import WEEKDAYS, Definition
from lineadmin.sequences.models import Sequence

CURVES_SHOWN = 4


class SequenceReportView(AdminPage):
    """Everybody reads it."""

    in_menu = False

    @expose("/")
    def index(self) -> Response:
        """Which step messages? The list knows."""
        return redirect(self.get_url("sequences.index"))

    @expose("/<int:sequence_id>/")
    def page(self, sequence_id: int) -> str:
        """The numbers of one sequence, over all its versions."""
        row: Sequence = Sequence.get_or_none(Sequence.id == sequence_id) or abort(404)
        definition = actions.live_definition(row)
        numbers = steps.steps(row.id)
        curves = steps.curves(row.id)
        golden = steps.golden_time(settings.shop_zone())
        return self.render(
            "admin/sequence_report.html",
            sequence=row,
            numbers=[(_name(definition, one), one) for one in numbers],
            branches=[(_branch(definition, one.branch), one) for one in steps.by_branch(numbers)]
            if definition.branched
            else [],
            counts=enrolments.counts([row.id])[row.id],
            flow=_flow(definition, numbers),
            curve=_curve(curves) if curves else None,
            curves=curves,
            golden=golden,
            hours=_hours(golden),
            suggestion=_suggestion(golden),
        )


def _branch(definition: Definition, number: int) -> str:
    if number < len(definition.branches):
        return definition.branches[number].name or _("Everyone else")
    return _("Branch %(number)s of an earlier version", number=number + 1)


def _name(definition: Definition, one: StepNumbers) -> str:
    step = _("Step %(number)s", number=one.step)
    return f"{_branch(definition, one.branch)}・{step}" if definition.branched else step


def _flow(definition: Definition, numbers: list[StepNumbers]) -> charts.Chart | None:
    if not numbers:
        return None
    return charts.bars(
        _("From step to step"),
        _("Step"),
        [_name(definition, one) for one in numbers],
        [
            (_("Entered"), [one.entered for one in numbers]),
            (_("Sent"), [one.sent for one in numbers]),
        ],
    )


def _curve(curves: list[SourceCurve]) -> charts.Chart:
    shown = curves[:CURVES_SHOWN]
    return charts.lines(
        _("Percent who had blocked, by day after the start"),
        _("Day"),
        [str(day + 1) for day in range(steps.CURVE_DAYS)],
        [(curve.name or _("not known"), curve.shares) for curve in shown],
    )


def _hours(golden: GoldenTime) -> charts.Chart | None:
    if not golden.taps:
        return None
    hours = [str(hour) for hour in range(24)]
    return charts.bars(_("Taps by hour of the day"), _("Hour"), hours, [(_("Taps"), golden.hours)])


def _suggestion(golden: GoldenTime) -> str:
    if golden.hour is None or golden.weekday is None:
        return _(
            "Not enough data yet: %(taps)s taps of the %(fewest)s it needs.",
            taps=golden.taps,
            fewest=FEWEST_TAPS,
        )
    return _(
        "Friends tap most at %(hour)s o'clock, and on %(day)s: a good time for a step.",
        hour=golden.hour,
        day=str(WEEKDAY_LABELS[WEEKDAYS[golden.weekday]]),
    )


def views() -> list[tuple[Any, str, int]]:
    """The screen; the sequence's other pages lead to it."""
    name, address = _l("Report of step messages"), "/admin/sequence-report"
    view = SequenceReportView(name, endpoint="sequence_report", url=address)
    return [(view, "messages", 23)]
