"""Surveys: the list, the editor with its preview, opening, closing, copying and putting away."""

from __future__ import annotations

from typing import Any

from flask import Response as JSONResponse
from flask import abort, flash, g, jsonify, redirect, request
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.admin import listing
from lineadmin.admin.base import current_staff, flash_refusals, needs
from lineadmin.admin.coded import CodedView
from lineadmin.admin.survey_form import SurveyForm
from lineadmin.admin.survey_results import STATE_KINDS, SurveyResults, period_of
from lineadmin.coupons.models import Coupon
from lineadmin.i18n import _, _l, format_count, locale
from lineadmin.messages import survey_card
from lineadmin.messages.rehearsal import send_test
from lineadmin.surveys import actions
from lineadmin.surveys.card import card_view
from lineadmin.surveys.models import Survey
from lineadmin.surveys.states import CLOSED, OPEN, REPEAT_LABELS, STATE_LABELS
from lineadmin.web import survey_page

NOWHERE = "https://line.me/"  # where the button of a preview would lead


class SurveysView(SurveyResults, CodedView):
    """Every survey of the shop."""

    form_of = SurveyForm
    room = actions
    menu_icon = "survey"
    audit_kind = "survey"
    column_list = ("title", "repeat", "period", "gift", "answers", "state")
    column_labels = {
        "title": _l("Name"),
        "repeat": _l("How often a friend answers"),
        "period": _l("Period"),
        "gift": _l("Gift"),
        "answers": _l("Answers received"),
        "state": _l("State"),
    }
    number_columns = ("answers",)
    column_formatters = {
        "repeat": lambda view, context, row, name: REPEAT_LABELS[row.repeat],
        "period": lambda view, context, row, name: period_of(row),
        "gift": lambda view, context, row, name: _gift(context, row),
        "answers": lambda view, context, row, name: format_count(row.answers),
        "state": lambda view, context, row, name: Markup('<span class="badge {}">{}</span>').format(
            STATE_KINDS[row.state], STATE_LABELS[row.state]
        ),
    }
    search_columns = (Survey.title, Survey.code)
    toolbar_filters = (
        listing.choice_filter("state", _l("State"), Survey.state, tuple(STATE_LABELS.items())),
        listing.Filter(
            "archived",
            _l("Archive"),
            (("1", _l("In the archive")),),
            lambda query, value: query.where(Survey.archived_at.is_null(False)),
            any_label=_l("On the list"),
        ),
    )
    create_template = edit_template = "admin/survey_edit.html"
    details_template = "admin/survey.html"

    def get_query(self) -> Any:
        """Without what was put away, unless that is asked for."""
        query = super().get_query()
        if request.args.get("archived") == "1":
            return query
        return query.where(Survey.archived_at.is_null())

    # --- words ----------------------------------------------------------------------------

    def create_label(self) -> str:
        return _("New survey")

    def edit_heading(self, record: Survey) -> str:
        return _("Edit")

    def empty_title(self) -> str:
        return _("No survey yet")

    def empty_text(self) -> str:
        return _(
            "Ask what friends like and tag them by it, or how content they are month by month. "
            "Put it into a message, and they answer on their phones."
        )

    def row_label(self, record: Survey) -> str:
        return str(record.title)

    def _form_page(self, template: str, form: Any, **more: Any) -> Any:
        model = more.get("model")
        more.setdefault("answered", model.answers if model is not None else 0)
        return super()._form_page(template, form, preview=preview_of(form), **more)

    @expose("/preview/", methods=("POST",))
    @needs("edit")
    def preview(self) -> JSONResponse:
        """The card and the page of what is in the form right now, and what is wrong with it."""
        form = SurveyForm(request.form)
        return jsonify({**preview_of(form), "problems": form.judged()})

    # --- the survey as a whole ------------------------------------------------------------

    @expose("/state/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def set_state(self) -> Response | str:
        """Open or close; closing asks first where friends are answering."""
        survey = self._survey()
        wanted = request.form.get("state", "")
        staff, wall = current_staff(), clock.wall()
        if wanted == CLOSED and not self.confirmed():
            asked: str = self.confirm(
                _("Close “%(name)s”?", name=survey.title),
                text=_(
                    "Nobody answers any more, and messages that go out from now on leave it out. "
                    "Answers and gifts stay. You can open it again."
                ),
                label=_("Close"),
                hidden={"id": survey.id, "state": CLOSED},
                action=self.get_url(".set_state"),
                cancel_url=self.row_url(survey),
            )
            return asked
        if wanted == OPEN:
            actions.open_up(survey.id, staff=staff, wall=wall)
            said = _("“%(name)s” is open to answers.", name=survey.title)
        elif wanted == CLOSED:
            actions.close(survey.id, staff=staff, wall=wall)
            said = _("“%(name)s” is closed.", name=survey.title)
        else:
            abort(400)
        flash(said, "success")
        return redirect(self.row_url(survey))

    @expose("/copy/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def copy(self) -> Response:
        """A draft with the same questions, straight into the editor."""
        made = actions.duplicate(
            self._survey().id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("“%(name)s” was added.", name=made.title), "success")
        return redirect(self.get_url(".edit_view", id=made.id))

    @expose("/archive/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def archive(self) -> Response:
        """Put a closed survey away, or back on the list."""
        survey = self._survey()
        staff, wall = current_staff(), clock.wall()
        if request.form.get("back") == "1":
            actions.unarchive(survey.id, staff=staff, wall=wall)
            flash(_("“%(name)s” is on the list again.", name=survey.title), "success")
        else:
            actions.archive(survey.id, staff=staff, now=clock.now(), wall=wall)
            flash(_("“%(name)s” was put away.", name=survey.title), "success")
        return redirect(self.row_url(survey))

    @expose("/test/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def test_send(self) -> Response:
        """Send the card to one's own LINE; what is answered there is not kept."""
        survey = self._survey()
        friend = send_test(
            [{"survey": survey.code}],
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.current().public_url,
        )
        said = _("On its way to your own LINE (%(name)s).", name=friend.display_name)
        flash(said, "success")
        return redirect(self.row_url(survey))

    def back_url(self) -> str:
        survey = request.form.get("id", type=int)
        return str(self.get_url(".details_view", id=survey)) if survey else super().back_url()

    def _survey(self) -> Survey:
        survey: Survey = self.get_one(request.values.get("id")) or abort(404)
        return survey


def _gift(context: Any, survey: Survey) -> str:
    """What a friend gets for answering; one query serves all rows of the page."""
    if "survey_gifts" not in g:
        ids = {row.coupon_id for row in context["data"] if row.coupon_id}
        rows = Coupon.select(Coupon.id, Coupon.title).where(Coupon.id.in_(sorted(ids)))
        g.survey_gifts = {row.id: row.title for row in rows}
    return str(g.survey_gifts.get(survey.coupon_id, ""))


def preview_of(form: SurveyForm) -> dict[str, Any]:
    """The card and the page of what the form says."""
    plan, questions = form.sketch()
    coupon = Coupon.get_or_none(Coupon.code == plan.coupon) if plan.coupon else None
    gift = coupon.title if coupon is not None else ""
    title = plan.title or _("Name of the survey")
    sketch = Survey(title=title, intro=plan.intro)
    view = card_view(sketch, len(questions), gift, NOWHERE, locale())
    return {
        "messages": [survey_card.render(view)],
        "page": survey_page.preview(title, plan.intro, gift, questions),
    }


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(SurveysView(Survey, _l("Surveys"), endpoint="surveys"), "messages", 45)]
