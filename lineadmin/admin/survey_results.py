"""What friends answered, on screen: per question, sending and month, every text, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import abort, request
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import charts, export, listing
from lineadmin.admin.gate import current_staff, needs
from lineadmin.coupons.benefits import period_text
from lineadmin.coupons.issue import REASON_LABELS, Reason
from lineadmin.coupons.models import CouponIssue
from lineadmin.friends.queries import names_of
from lineadmin.i18n import _, format_count
from lineadmin.line.text import cut_to_graphemes
from lineadmin.reports import surveys as report
from lineadmin.staff import audit, audit_words
from lineadmin.surveys import results
from lineadmin.surveys.answer import HELD
from lineadmin.surveys.models import Survey, SurveyReply
from lineadmin.surveys.plan import tag_names
from lineadmin.surveys.questions import TYPE_LABELS, Question, ever_asked, questions_of
from lineadmin.surveys.results import Narrow, Result
from lineadmin.surveys.sendings import sent_counts
from lineadmin.surveys.states import REPEAT_LABELS, STATE_LABELS

HISTORY = 12
LONGEST_LABEL = 34
STATE_KINDS = {"draft": "warn", "open": "ok", "closed": "quiet"}


@dataclass(frozen=True)
class BarChart:
    """Bars lying down, with room for long labels; `width` in percent of the longest."""

    title: str
    rows: list[dict[str, Any]]


class SurveyResults:
    """Routes of the surveys screen that show what came of one."""

    _survey: Any
    details_template: str
    get_url: Any
    may: Any
    page_size: int
    render: Any

    @expose("/details/")
    def details_view(self) -> Response | str:
        """The numbers; `sending` and `month` choose whose answers are looked at."""
        survey = self._survey()
        narrow = _narrow()
        sendings = results.sendings(survey)
        labels = report.labels(sendings)
        found = results.cells(survey)
        rows, months = results.per_sending(survey, found), results.per_month(survey, found)
        sent = sent_counts(sendings)
        rated = results.ratings(survey)
        page: str = self.render(
            self.details_template,
            survey=survey,
            narrow=narrow,
            sent=sum(sent.values()),
            opened=sum(row.opened for row in rows.values()),
            sendings=[(row, labels[row.id], sent[row.id], rows[row.id]) for row in sendings],
            months=[(month, report.month_label(month), row) for month, row in months.items()],
            rated=[(one.key, cut_to_graphemes(one.text, LONGEST_LABEL)) for one in rated],
            trend=_trend(rated, sendings, labels, rows, months),
            answers=[
                (one, TYPE_LABELS[one.question.type], chart(one))
                for one in results.per_question(survey, narrow, found)
            ],
            facts=_facts(survey),
            state_mark=(STATE_KINDS[survey.state], STATE_LABELS[survey.state]),
            history=audit.lines_of("survey", survey.id, limit=HISTORY),
            audit_sentence=audit_words.sentence,
            audit_changes=audit_words.changes,
        )
        return page

    @expose("/words/")
    def words(self) -> str:
        """What friends wrote to one question, the latest first."""
        survey = self._survey()
        narrow, key = _narrow(), request.args.get("q", "")
        asked = {one.key: one for one in ever_asked(survey)[0]}
        question = asked.get(key) or abort(404)
        listed = listing.newest_first(
            results.written(survey, narrow, key),
            SurveyReply.id,
            self.page_size,
            partial(
                self.get_url,
                ".words",
                id=survey.id,
                q=key,
                sending=narrow.sending,
                month=narrow.month,
            ),
        )
        page: str = self.render(
            "admin/survey_words.html",
            survey=survey,
            question=question,
            narrow=narrow,
            said=[(row, results.said(question, [row])) for row in listed.rows],
            names=_names(listed.rows) if self.may("lookup") else {},
            labels=report.labels(results.sendings(survey)),
            page=listed,
        )
        return page

    @expose("/answers.csv")
    @needs("edit")
    def answers_csv(self) -> Response:
        """Every answer as CSV, a column per question."""
        survey = self._survey()
        narrow = _narrow()
        audit.record(
            current_staff(),
            "survey.export",
            "survey",
            survey.id,
            survey.title,
            None,
            {"rows": survey.answers},
            wall=clock.wall(),
        )
        return export.csv_response(survey.code, _csv_rows(survey, narrow))


def _names(replies: Sequence[SurveyReply]) -> Mapping[int, str]:
    """Whose words these are."""
    return names_of({row.answer.friend_id for row in replies})


def chart(result: Result) -> BarChart | None:
    """The bars of a question; None where there are none."""
    if not result.bars:
        return None
    highest = max((count for _label, count in result.bars), default=0) or 1
    rows = []
    for label, count in result.bars:
        share = 100 * count / result.answered if result.answered else 0
        rows.append(
            {
                "label": label,
                "count": format_count(count),
                "share": f"{share:.0f}%",
                "width": round(100 * count / highest, 1),
            }
        )
    return BarChart(result.question.text, rows)


def period_of(survey: Survey) -> str:
    """When friends may answer, in words."""
    if survey.starts_at is None and survey.ends_at is None:
        return _("no end date")
    return period_text(survey.starts_at, survey.ends_at)


def _narrow() -> Narrow:
    return Narrow(
        request.args.get("sending", type=int) or None, request.args.get("month", type=int) or None
    )


def _trend(
    rated: list[Question],
    sendings: list[Any],
    labels: dict[int, str],
    rows: dict[int, results.Row],
    months: dict[int, results.Row],
) -> charts.Chart | None:
    """How ratings went: by step where a sequence asks, else by month; None for a single point."""
    steps = [row for row in sendings if row.origin == "step" and rows[row.id].averages]
    points = [(labels[row.id], rows[row.id]) for row in steps]
    axis = _("Step")
    if len(points) < 2:
        points = [(report.month_label(month), row) for month, row in months.items()]
        axis = _("Month")
    if len(points) < 2 or not rated:
        return None
    shown = [str(number) for number in range(1, len(points) + 1)] if axis == _("Step") else None
    drawn = charts.lines(
        _("Average rating"),
        axis,
        shown or [label for label, _row in points],
        [
            (
                cut_to_graphemes(one.text, LONGEST_LABEL),
                [row.averages.get(one.key, 0.0) for _label, row in points],
            )
            for one in rated[:3]
        ],
    )
    if shown:
        drawn.rows = [
            (label, values) for (label, _row), (_n, values) in zip(points, drawn.rows, strict=True)
        ]
    return drawn


def _facts(survey: Survey) -> list[tuple[Any, Any]]:
    rows: list[tuple[Any, Any]] = [
        (_("How often a friend answers"), REPEAT_LABELS[survey.repeat]),
        (_("Period"), period_of(survey)),
        (_("Short name"), Markup("<code>{}</code>").format(survey.code)),
    ]
    if survey.coupon is not None:
        each = _("for every answer") if survey.gift_each else _("once per friend")
        rows.append((_("Gift"), f"{survey.coupon.title}・{each}"))
    for label, text in ((_("Introduction"), survey.intro), (_("Thank-you text"), survey.thanks)):
        if text:
            rows.append((label, Markup('<span class="pre-line">{}</span>').format(text)))
    tags = {
        f"{choice.text} → {name}"
        for one, names in _tagged(survey)
        for choice in one.choices
        for name in (names.get(tag) for tag in choice.tags)
        if name
    }
    if tags:
        rows.append((_("Tags"), _(", ").join(sorted(tags))))
    return rows


def _tagged(survey: Survey) -> Iterator[tuple[Question, dict[int, str]]]:
    asked = questions_of(survey)
    names = tag_names(asked)
    for one in asked:
        yield one, names


def _csv_rows(survey: Survey, narrow: Narrow) -> Iterator[list[Any]]:
    asked, _present = ever_asked(survey)
    labels = report.labels(results.sendings(survey))
    words = {one.key: results.label_of(one) for one in asked}
    yield [
        _("Time"),
        _("Friend"),
        _("Came with"),
        *[one.text for one in asked],
        _("Gift"),
    ]
    for answers, replies in results.batches(survey, narrow):
        friends = names_of({one.friend_id for one in answers})
        gifts = [one.issue_id for one in answers if one.issue_id]
        used = {
            row.id: row.redeemed_at for row in CouponIssue.select().where(CouponIssue.id.in_(gifts))
        }
        for one in answers:
            mine = replies.get(one.id, {})
            yield [
                one.at,
                friends.get(one.friend_id, ""),
                labels.get(one.sending_id, ""),
                *[
                    results.said(question, mine.get(question.key, []), words[question.key])
                    for question in asked
                ],
                _gift(one, used),
            ]


def _gift(answer: Any, used: dict[int, Any]) -> str:
    if answer.issue_id:
        return _("Redeemed") if used.get(answer.issue_id) else _("Issued")
    if answer.no_gift == HELD:
        return _("Had one already")
    return str(REASON_LABELS[Reason(answer.no_gift)]) if answer.no_gift else ""
