"""Broadcasts on screen: the list, the editor with its sum, the confirm page, the report.

The rules are in broadcasts/; here they are asked and told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, render_template, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, config, i18n, segments, settings
from lineadmin.admin import listing, shell, two_tabs
from lineadmin.admin.base import StaffModelView
from lineadmin.admin.broadcast_form import BroadcastForm, form_of, posted_form
from lineadmin.admin.broadcast_sum import button, confirm_label, in_words, sum_of
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.broadcasts import actions, control, ledger, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count, format_datetime
from lineadmin.messages.preview import preview
from lineadmin.messages.rehearsal import send_test
from lineadmin.outbox import reasons
from lineadmin.outbox.models import Content, DeliveryState, OriginKind
from lineadmin.reports.broadcast import outcome
from lineadmin.settings.shop import ShopSettings
from lineadmin.staff.models import Staff

SAVE, CONFIRM, TEST = "save", "confirm", "test"
MOVING = (states.SCHEDULED, states.PLANNING, states.SENDING, states.STOPPING)


def _state_badge(view: Any, context: Any, row: Broadcast, name: str) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(
        states.KINDS.get(row.state, ""), states.label(row.state)
    )


def _audience(view: Any, context: Any, row: Broadcast, name: str) -> str:
    return _("not chosen yet") if row.audience is None else segments.sentence(row.audience)


def _when(view: Any, context: Any, row: Broadcast, name: str) -> str:
    return format_datetime(row.leaves_at or row.at) or _("at once")


def _people(view: Any, context: Any, row: Broadcast, name: str) -> str:
    number = row.sent_count if row.sent_count is not None else row.expected
    return "" if number is None else format_count(number)


class BroadcastView(StaffModelView):
    """Everybody reads; managers write and send."""

    menu_icon = "broadcast"
    create_permission = "compose"
    edit_permission = "compose"
    exportable = False
    column_list = ("name", "audience", "leaves_at", "expected", "state")
    column_labels = {
        "name": _l("Name"),
        "audience": _l("Whom to send to"),
        "leaves_at": _l("When"),
        "expected": _l("People"),
        "state": _l("State"),
    }
    column_formatters = {
        "audience": _audience,
        "leaves_at": _when,
        "expected": _people,
        "state": _state_badge,
    }
    number_columns = ("expected",)
    search_columns = (Broadcast.name,)
    toolbar_filters = (
        listing.choice_filter("state", _l("State"), Broadcast.state, tuple(states.LABELS.items())),
    )
    list_hint = _l(
        "One message to many friends at once. It leaves after the undo window, and every friend "
        "gets it once."
    )

    def create_label(self) -> str:
        return _("New broadcast")

    def search_label(self) -> str:
        return _("Name")

    def empty_title(self) -> str:
        return _("No broadcasts yet")

    def empty_text(self) -> str:
        return _("Write to the friends with one tag, or to all, and see first what it costs.")

    def row_url(self, record: Broadcast) -> str:
        if record.state == states.DRAFT and self.may("compose"):
            return self._address(".edit_view", record.id)
        return self._address(".report", record.id)

    # --- writing --------------------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    @needs("compose")
    def create_view(self) -> Response | str | tuple[str, int]:
        """An empty editor; the first save makes the draft."""
        if request.method == "POST":
            return self._save(None)
        form = BroadcastForm(None, name=_free_name(clock.now()))
        return self._editor(form, None)

    @expose("/<int:broadcast_id>/edit/", methods=("GET", "POST"))
    @needs("compose")
    def edit_view(self, broadcast_id: int = 0) -> Response | str | tuple[str, int]:
        """The editor of a draft."""
        row = _row(broadcast_id)
        if row.state != states.DRAFT:
            return redirect(self._address(".report", row.id))
        return self._save(row) if request.method == "POST" else self._editor(form_of(row), row)

    @expose("/sum/", methods=("POST",))
    @needs("compose")
    def sum(self) -> FlaskResponse:
        """The sum for what the form says now, as a piece of page. Changes nothing."""
        row = Broadcast.get_or_none(Broadcast.id == request.args.get("id", 0, type=int))
        form = posted_form(request.form, row)
        found = sum_of(form)
        body = {
            "html": render_template("admin/_broadcast_sum.html", sum=found),
            "button": button(found),
        }
        return FlaskResponse(json.dumps(body), mimetype="application/json")

    def _save(self, row: Broadcast | None) -> Response | str | tuple[str, int]:
        form = posted_form(request.form, row)
        go = request.form.get("go", SAVE)
        note = None
        if form.validate():
            try:
                row_id = self._store(form, row)
                if go == CONFIRM:
                    return redirect(self._address(".confirm_view", row_id))
                if go == TEST:
                    self._test(form)
                else:
                    flash(_("The draft is saved."), "success")
                return redirect(self._address(".edit_view", row_id))
            except Conflict:
                row = _row(row.id if row else 0)
                if row.state != states.DRAFT:
                    flash(_("Somebody confirmed it meanwhile."), "error")
                    return redirect(self._address(".report", row.id))
                note = two_tabs.merge(form, form_of(row), kind="broadcast", object_id=row.id)
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
        return self._editor(form, row, note=note), 409 if note else 400

    def _store(self, form: BroadcastForm, row: Broadcast | None) -> int:
        staff, wall = current_staff(), clock.wall()
        if row is None:
            made = actions.draft_broadcast(**form.values(), staff=staff, now=clock.now(), wall=wall)
            return int(made.id)
        actions.edit_broadcast(
            row.id,
            **form.values(),
            version=two_tabs.posted_version(row.version),
            staff=staff,
            wall=wall,
        )
        return int(row.id)

    def _test(self, form: BroadcastForm) -> None:
        try:
            send_test(
                form.messages.data,
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
                public_url=config.current().public_url,
            )
            flash(_("On its way to your own LINE. It counts as one message."), "success")
        except DomainError as error:
            flash(str(error), "error")

    def _editor(self, form: BroadcastForm, row: Broadcast | None, note: Any = None) -> str:
        stored = form if row is None else form_of(row)
        found = sum_of(form)
        return self.render(
            "admin/broadcast_edit.html",
            form=form,
            broadcast=row,
            sum=found,
            button=button(found),
            conflict=note,
            hidden={} if row is None else two_tabs.hidden_fields(stored, row.version),
            linked=current_staff().friend_id is not None,
            may_send=self.may("send"),
            zone=settings.shop().timezone,
            sum_url=self.get_url(".sum", id=row.id if row else 0),
        )

    # --- confirming -----------------------------------------------------------------------

    @expose("/<int:broadcast_id>/confirm/", methods=("GET", "POST"))
    @needs("send")
    def confirm_view(self, broadcast_id: int) -> Response | str | tuple[str, int]:
        """Everything once more before it goes; all friends have to be meant by typing how many."""
        row = _row(broadcast_id)
        if row.state != states.DRAFT:
            return redirect(self._address(".report", row.id))
        if row.audience is None:
            flash(_("Choose whom to send it to."), "error")
            return redirect(self._address(".edit_view", row.id))
        error, status = "", 200
        if request.method == "POST":
            try:
                self._confirm(row)
                return redirect(self._address(".report", row.id))
            except DomainError as refused:
                error, status = str(refused), 400
        shop = settings.shop()
        now = clock.now()
        told = ledger.ledger(row.audience, now=now, at=row.at)
        page = self.render(
            "admin/broadcast_confirm.html",
            broadcast=_row(broadcast_id),
            sum=in_words(told),
            audience=segments.sentence(row.audience),
            leaves_at=actions.leaving(row.at, told.will_send, now),
            undo_minutes=shop.undo_minutes if told.will_send > 1 else 0,
            waits_quiet=_in_quiet_hours(shop, actions.leaving(row.at, told.will_send, now)),
            messages=_phone(row.parts),
            error=error,
            submit=confirm_label(told, row.at),
        )
        return page, status

    def _confirm(self, row: Broadcast) -> None:
        shown = request.form.get("expected", default=-1, type=int)
        typed = request.form.get("typed", "").strip().replace(",", "").replace("，", "")
        actions.confirm_broadcast(
            row.id,
            version=two_tabs.posted_version(row.version),
            everyone_confirmed=typed == str(shown),
            expected=shown,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.current().public_url,
        )

    # --- the report, and what can be done on the way ----------------------------------------

    @expose("/<int:broadcast_id>/")
    def report(self, broadcast_id: int) -> str | Response:
        """What became of it, and what can still be done."""
        row = _row(broadcast_id)
        now = clock.now()
        seconds = 0
        if row.state == states.SCHEDULED and row.leaves_at is not None:
            seconds = max(0, int((row.leaves_at - now).total_seconds()))
        content = None if row.content_id is None else Content.get_or_none(id=row.content_id)
        return self.render(
            "admin/broadcast.html",
            broadcast=row,
            state=(states.KINDS.get(row.state, ""), states.label(row.state)),
            audience=_audience(None, None, row, ""),
            outcome=outcome(row.id),
            deliveries=_deliveries(row.id),
            reason=reasons.label,
            state_of=_outcome_label,
            seconds=seconds,
            undo_over=seconds <= 0,
            moving=row.state in MOVING,
            confirmed_by=_staff_name(row.confirmed_by),
            pause=_pause_sentence(row),
            messages=_phone(row.parts if content is None else content.parts),
            may_send=self.may("send"),
            may_compose=self.may("compose"),
            may_restore=self.may("restore"),
            states=states,
        )

    @expose("/<int:broadcast_id>/cancel/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def cancel(self, broadcast_id: int) -> Response:
        """Take it back while nothing has left."""
        actions.cancel_broadcast(
            broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("Taken back. Nothing was sent; it is a draft again."), "success")
        return redirect(self._address(".edit_view", broadcast_id))

    @expose("/<int:broadcast_id>/pause/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def pause(self, broadcast_id: int) -> Response:
        """Hold the rest."""
        return self._done(broadcast_id, control.pause, _("Paused. Nothing more leaves for now."))

    @expose("/<int:broadcast_id>/resume/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def resume(self, broadcast_id: int) -> Response:
        """Let the rest go."""
        return self._done(broadcast_id, control.resume, _("It goes on."))

    @expose("/<int:broadcast_id>/stop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def stop(self, broadcast_id: int) -> Response | str:
        """Take the rest back for good, after asking."""
        row = _row(broadcast_id)
        if not self.confirmed():
            found = outcome(row.id)
            return self.confirm(
                _("Stop “%(name)s”?", name=row.name),
                text=_("Those who have it keep it. Nobody else gets it, and it cannot go on."),
                lines=[
                    _("%(count)s have it", count=format_count(found.sent)),
                    _("%(count)s would still get it", count=format_count(found.waiting)),
                ],
                label=_("Stop the rest"),
                cancel_url=self._address(".report", row.id),
            )
        return self._done(row.id, control.stop, _("The rest is being taken back."))

    @expose("/<int:broadcast_id>/late/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def send_late(self, broadcast_id: int) -> Response:
        """Send what the server slept through."""
        control.send_late(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self._address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/drop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def drop(self, broadcast_id: int) -> Response:
        """Give up what is late or on hold."""
        control.drop(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("Given up. It will not be sent."), "success")
        return redirect(self._address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/release/", methods=("POST",))
    @needs("restore")
    @flash_refusals
    def release(self, broadcast_id: int) -> Response:
        """Let go on what a restore put on hold."""
        control.release(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self._address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/duplicate/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def duplicate(self, broadcast_id: int) -> Response:
        """A new draft like this one."""
        made = actions.duplicate(
            broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("This is the copy."), "success")
        return redirect(self._address(".edit_view", made.id))

    @expose("/<int:broadcast_id>/delete/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def remove(self, broadcast_id: int) -> Response | str:
        """Delete a draft, after asking."""
        row = _row(broadcast_id)
        if not self.confirmed():
            return self.confirm(
                _("Delete the draft “%(name)s”?", name=row.name),
                text=_("Nobody has got it. What is written in it is gone then."),
                label=_("Delete"),
                cancel_url=self._address(".edit_view", row.id),
            )
        actions.delete_draft(broadcast_id, staff=current_staff(), wall=clock.wall())
        flash(_("The draft is deleted."), "success")
        return redirect(self.get_url(".index_view"))

    # --- below ----------------------------------------------------------------------------

    def back_url(self) -> str:
        broadcast_id = (request.view_args or {}).get("broadcast_id")
        return self._address(".report", broadcast_id) if broadcast_id else super().back_url()

    def _address(self, route: str, broadcast_id: int) -> str:
        return self.get_url(route, broadcast_id=broadcast_id)

    def _done(self, broadcast_id: int, act: Callable[..., Any], said: str) -> Response:
        act(broadcast_id, staff=current_staff(), wall=clock.wall())
        flash(said, "success")
        return redirect(self._address(".report", broadcast_id))


def _row(broadcast_id: int) -> Broadcast:
    row: Broadcast = Broadcast.get_or_none(Broadcast.id == broadcast_id) or abort(404)
    return row


def _free_name(now: datetime) -> str:
    """A name that says when it was begun, and is not taken yet."""
    base = name = _("Broadcast %(when)s", when=f"{i18n.local(now):%m/%d %H:%M}")
    number = 2
    while Broadcast.select().where(Broadcast.name == name).exists():
        name = f"{base} ({number})"
        number += 1
    return str(name)


def _in_quiet_hours(shop: ShopSettings, moment: datetime) -> datetime | None:
    from lineadmin.outbox import quiet

    return quiet.ends_at(shop, moment)


def _phone(parts: Any) -> list[dict[str, Any]]:
    shown = preview(parts, now=clock.now(), public_url=config.current().public_url)
    return shown.messages


def _deliveries(broadcast_id: int) -> Callable[..., str]:
    """Addresses of the deliveries of this broadcast, narrowed by state and reason."""
    program = f"{int(OriginKind.BROADCAST)}-{broadcast_id}"
    return lambda **narrow: url_for("deliveries.index_view", program=program, **narrow)


def _outcome_label(state: DeliveryState) -> str:
    words = {
        DeliveryState.SKIPPED: _l("Left out"),
        DeliveryState.FAILED: _l("Failed"),
        DeliveryState.CANCELED: _l("Cancelled"),
    }
    return str(words[state])


def _staff_name(staff_id: int | None) -> str:
    row = None if staff_id is None else Staff.get_or_none(Staff.id == staff_id)
    return "" if row is None else str(row.name)


def _pause_sentence(row: Broadcast) -> str:
    if row.pause_reason == reasons.QUOTA:
        return _("This month's messages are used up. It goes on by itself when there are more.")
    if row.pause_reason == reasons.REFUSED:
        return _("LINE refuses this message. Stop it, mend a copy, and send that.")
    return _("Paused by staff.") if row.state == states.PAUSED else ""


def _asking() -> list[shell.Banner]:
    """What waits for a decision, on top of every page but its own, which asks at length."""
    here = (request.view_args or {}).get("broadcast_id", 0)
    late = Broadcast.select(Broadcast.id, Broadcast.name).where(
        Broadcast.state == states.LATE, Broadcast.id != here
    )
    return [
        shell.Banner(
            "warn",
            _(
                "The broadcast “%(name)s” was not sent: the server was down at its time.",
                name=row.name,
            ),
            url_for("broadcasts.report", broadcast_id=row.id),
            _("Decide"),
        )
        for row in late.limit(3)
    ]


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("banners", _asking)
    return [(BroadcastView(Broadcast, _l("Broadcasts"), endpoint="broadcasts"), "messages", 10)]
