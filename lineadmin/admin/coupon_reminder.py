"""The reminder of a coupon: when, in which words, whom it reaches and what that costs."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField, validators

from lineadmin import clock, config
from lineadmin.admin import two_tabs
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.broadcast_sum import cost_words
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.coupons.models import Coupon
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, _n
from lineadmin.messages.preview import preview
from lineadmin.outbox import reasons
from lineadmin.outbox.models import OriginKind
from lineadmin.reminders import actions, advance, forecast
from lineadmin.reminders.actions import Plan
from lineadmin.reminders.models import CouponReminder
from lineadmin.reminders.timing import DAYS, HOURS

UNIT_LABELS = {DAYS: _l("Days before"), HOURS: _l("Hours before")}


class ReminderForm(StaffForm):
    """What staff decide; hidden fields that do not matter for a unit are hidden by CSS."""

    enabled = BooleanField(_l("Remind holders before the end"))
    unit = RadioField(_l("How long before"), choices=list(UNIT_LABELS.items()), default=DAYS)
    lead = IntegerField(
        _l("How many days or hours"),
        [validators.InputRequired()],
        render_kw={"inputmode": "numeric", "class": "num"},
    )
    at = StringField(_l("At"), render_kw={"type": "time"})
    words = TextAreaField(_l("Words"), filters=[stripped], render_kw={"rows": 3})

    def plan(self) -> Plan:
        """The decisions that were typed."""
        return Plan(
            lead=self.lead.data if self.lead.data is not None else -1,
            unit=self.unit.data or "",
            at=(self.at.data or "").strip() or Plan.at,
            words=self.words.data or "",
            enabled=bool(self.enabled.data),
        )


class CouponReminderView(AdminPage):
    """One form per coupon, reached from the coupon's own page."""

    in_menu = False

    @expose("/", methods=("GET", "POST"))
    @needs("view", post="edit")
    def index(self) -> Response | str | tuple[str, int]:
        """Show and save the reminder of the coupon `id`."""
        coupon = Coupon.get_or_none(Coupon.id == request.args.get("id", 0, type=int)) or abort(404)
        form = ReminderForm(request.form) if request.method == "POST" else _stored_form(coupon.id)
        note = None
        if request.method == "POST" and form.validate():
            try:
                actions.save(
                    coupon,
                    form.plan(),
                    version=two_tabs.posted_version(),
                    staff=current_staff(),
                    now=clock.now(),
                    wall=clock.wall(),
                )
            except Conflict:
                newest = _stored_form(coupon.id)
                note = two_tabs.merge(
                    form, newest, kind="coupon", object_id=coupon.id, action="reminder.edit"
                )
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
            else:
                flash(_("Saved."), "success")
                return redirect(url_for("coupons.details_view", id=coupon.id))
        page = self._page(coupon, form, note)
        return (page, 409 if note else 400) if note or form.errors else page

    def _page(self, coupon: Coupon, form: ReminderForm, note: Any) -> str:
        now = clock.now()
        stored = actions.of_coupon(coupon.id)
        words = form.words.data or actions.usual_words()
        shown = preview(
            [{"text": words}, {"coupon": coupon.code}],
            now=now,
            public_url=config.current().public_url,
        )
        return self.render(
            "admin/coupon_reminder.html",
            coupon=coupon,
            form=form,
            conflict=note,
            can_edit=self.may("edit"),
            edit_hidden=two_tabs.hidden_fields(
                _stored_form(coupon.id), stored.version if stored else 0
            ),
            sum=forecast.forecast(coupon, now=now),
            money=cost_words,
            outcome=_outcome(coupon.id) if stored else None,
            refused=stored is not None and advance.is_refused(stored),
            messages=shown.messages,
        )


def when_text(reminder: CouponReminder) -> str:
    """When holders are reminded, in words; empty where that is switched off."""
    if not reminder.enabled:
        return ""
    if reminder.unit == HOURS:
        return _n("%(count)s hour before the end", "%(count)s hours before the end", reminder.lead)
    if reminder.lead == 0:
        return _("On the last day, at %(time)s", time=reminder.at)
    return _n(
        "%(count)s day before the last, at %(time)s",
        "%(count)s days before the last, at %(time)s",
        reminder.lead,
        time=reminder.at,
    )


def line_for(coupon: Coupon) -> str:
    """What the coupon's own page says about its reminder."""
    stored = actions.of_coupon(coupon.id)
    told = (when_text(stored) if stored is not None else "") or _("None")
    if stored is not None and stored.enabled and advance.is_refused(stored):
        return f"{told}・{reasons.label(reasons.REFUSED)}"
    return told


def duplicate(coupon: Coupon, made: Coupon) -> None:
    """Give a new coupon the reminder of the one it was copied from."""
    stored = actions.of_coupon(coupon.id)
    if stored is not None:
        actions.save(
            made,
            Plan.of(stored),
            version=None,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )


def _stored_form(coupon_id: int) -> ReminderForm:
    stored = actions.of_coupon(coupon_id)
    plan = Plan(words=actions.usual_words()) if stored is None else Plan.of(stored)
    return ReminderForm(None, obj=plan)


def _outcome(coupon_id: int) -> dict[str, Any]:
    found = forecast.outcome(coupon_id)
    program = f"{int(OriginKind.REMINDER)}-{coupon_id}"
    return {
        "sent": found.sent,
        "underway": found.underway,
        "left_out": [(reasons.label(code), count) for code, count in found.left_out.items()],
        "url": url_for("deliveries.index_view", program=program),
    }


def views() -> list[tuple[Any, str, int]]:
    """The screen; it has no place in the menu of its own."""
    return [(CouponReminderView(_l("Reminder"), endpoint="coupon_reminder"), "offers", 11)]
