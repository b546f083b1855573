"""Broadcasts on screen: the list, the editor with its sum, the confirm page.

The rules are in broadcasts/; here they are asked and told. The report is broadcast_report.py.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, render_template, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, config, i18n, settings
from lineadmin.admin import listing, shell, two_tabs
from lineadmin.admin.base import StaffModelView
from lineadmin.admin.broadcast_form import TOPIC, BroadcastForm, VersionForm, form_of
from lineadmin.admin.broadcast_report import (
    BroadcastReport,
    audience_words,
    row_or_404,
    versions_shown,
)
from lineadmin.admin.broadcast_sum import button, confirm_label, sum_of_form, sum_of_row
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.broadcasts import actions, approval, estimated_sum, states, topic
from lineadmin.broadcasts.confirm import confirm_broadcast, leaving
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.variants import LETTERS, MOST_VARIANTS
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count, format_datetime
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import as_read
from lineadmin.outbox import quiet

SAVE, CONFIRM, VERSION = "save", "confirm", "version"


def _state_badge(view: Any, context: Any, row: Broadcast, name: str) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(
        states.KINDS.get(row.state, ""), states.label(row.state)
    )


def _audience(view: Any, context: Any, row: Broadcast, name: str) -> str:
    if row.estimated is None:
        return audience_words(row)
    return Markup('{} <span class="badge estimate">{}</span>').format(
        audience_words(row), _("Estimated by LINE・about 3 days old")
    )


def _when(view: Any, context: Any, row: Broadcast, name: str) -> str:
    return format_datetime(row.leaves_at or row.at) or _("at once")


def _people(view: Any, context: Any, row: Broadcast, name: str) -> str:
    number = row.sent_count if row.sent_count is not None else row.expected
    return "" if number is None else format_count(number)


class BroadcastView(BroadcastReport, StaffModelView):
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
            return self.address(".edit_view", record.id)
        return self.address(".report", record.id)

    # --- writing --------------------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    @needs("compose")
    def create_view(self) -> Response | str | tuple[str, int]:
        """An empty editor; the first save makes the draft."""
        if request.method == "POST":
            return self._save(None)
        code = request.args.get("topic")  # from the page of a topic
        asked = {"who": TOPIC, "topic": code} if code else {}
        form = BroadcastForm(None, name=_free_name(clock.now()), **asked)
        return self._editor(form, None)

    @expose("/<int:broadcast_id>/edit/", methods=("GET", "POST"))
    @needs("compose")
    def edit_view(self, broadcast_id: int = 0) -> Response | str | tuple[str, int]:
        """The editor of a draft."""
        row = row_or_404(broadcast_id)
        if row.state != states.DRAFT:
            return redirect(self.address(".report", row.id))
        return self._save(row) if request.method == "POST" else self._editor(form_of(row), row)

    @expose("/sum/", methods=("POST",))
    @needs("compose")
    def sum(self) -> FlaskResponse:
        """The sum for what the form says now, as a piece of page. Changes nothing."""
        form = BroadcastForm(request.form)
        form.validate()
        found = sum_of_form(form, request.args.get("id", 0, type=int))
        body = {
            "html": render_template("admin/_broadcast_sum.html", sum=found),
            "button": button(found),
        }
        return FlaskResponse(json.dumps(body), mimetype="application/json")

    def _save(self, row: Broadcast | None) -> Response | str | tuple[str, int]:
        form = BroadcastForm(request.form)
        go = request.form.get("go", SAVE)
        note = None
        if form.validate():
            try:
                row_id = self._store(form, row)
                if go == CONFIRM:
                    return redirect(self.address(".confirm_view", row_id))
                if go == VERSION:
                    number = len(row_or_404(row_id).variants or []) + 1
                    return redirect(self.address(".version_view", row_id, number=number))
                flash(_("The draft is saved."), "success")
                return redirect(self.address(".edit_view", row_id))
            except Conflict:
                row = row_or_404(row.id if row else 0)
                if row.state != states.DRAFT:
                    flash(_("Somebody confirmed it meanwhile."), "error")
                    return redirect(self.address(".report", row.id))
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

    def _editor(self, form: BroadcastForm, row: Broadcast | None, note: Any = None) -> str:
        stored = form if row is None else form_of(row)
        found = sum_of_form(form, row.id if row else 0)
        return self.render(
            "admin/broadcast_edit.html",
            form=form,
            broadcast=row,
            sum=found,
            button=button(found),
            conflict=note,
            hidden={} if row is None else two_tabs.hidden_fields(stored, row.version),
            may_send=self.may("send"),
            zone=settings.shop().timezone,
            sum_url=self.get_url(".sum", id=row.id if row else 0),
            others=_summaries(row),
            most_versions=MOST_VARIANTS,
            reach=estimated_sum.reach(),
        )

    # --- confirming -----------------------------------------------------------------------

    @expose("/<int:broadcast_id>/confirm/", methods=("GET", "POST"))
    @needs("send")
    def confirm_view(self, broadcast_id: int) -> Response | str | tuple[str, int]:
        """Everything once more before it goes; all friends have to be meant by typing how many."""
        row = row_or_404(broadcast_id)
        if row.state != states.DRAFT:
            return redirect(self.address(".report", row.id))
        if row.audience is None and row.estimated is None:
            flash(_("Choose whom to send it to."), "error")
            return redirect(self.address(".edit_view", row.id))
        error, status = "", 200
        if request.method == "POST":
            try:
                self._confirm(row)
                return redirect(self.address(".report", row.id))
            except DomainError as refused:
                error, status = str(refused), 400
        row = row_or_404(broadcast_id)
        return self._confirm_page(row, error), status

    def _confirm_page(self, row: Broadcast, error: str) -> str:
        shop = settings.shop()
        found = sum_of_row(row)
        told = found["ledger"]
        leaves_at = leaving(row.at, told.will_send, clock.now())
        return self.render(
            "admin/broadcast_confirm.html",
            broadcast=row,
            sum=found,
            audience=audience_words(row),
            leaves_at=leaves_at,
            undo_minutes=shop.undo_minutes if told.will_send > 1 else 0,
            waits_quiet=quiet.ends_at(shop, leaves_at),
            too_soon=_too_soon(row),
            versions=versions_shown(row),
            error=error,
            posted=request.form,
            submit=confirm_label(told, row.at, approval=found["approval"]),
        )

    def _confirm(self, row: Broadcast) -> None:
        shown = request.form.get("expected", default=-1, type=int)
        # As a Chinese or Japanese keyboard gives it, too: full-width digits and commas.
        typed = unicodedata.normalize("NFKC", request.form.get("typed", ""))
        at_night = request.form.get("quiet") == "leave"
        confirm_broadcast(
            row.id,
            version=two_tabs.posted_version(row.version),
            everyone_confirmed=typed.strip().replace(",", "") == str(shown),
            expected=shown,
            quiet_override=request.form.get("quiet_override", "") if at_night else None,
            frequency_override=request.form.get("frequency_override"),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.current().public_url,
        )

    # --- further versions -------------------------------------------------------------------

    @expose("/<int:broadcast_id>/versions/<int:number>/", methods=("GET", "POST"))
    @needs("compose")
    def version_view(self, broadcast_id: int, number: int) -> Response | str | tuple[str, int]:
        """The editor of version B, C, …; one more than there are makes a new one, a copy of A."""
        row = self._draft(broadcast_id)
        others = list(row.variants or [])
        if not 1 <= number <= min(len(others) + 1, MOST_VARIANTS - 1):
            abort(404)
        stored = others[number - 1] if number <= len(others) else row.parts
        form = VersionForm(request.form) if request.method == "POST" else None
        if form is not None and form.validate():
            others[number - 1 :] = [form.messages.data, *others[number:]]
            try:
                self._keep_versions(row, others)
                flash(_("Version %(letter)s is saved.", letter=LETTERS[number]), "success")
                return redirect(self.address(".edit_view", row.id))
            except DomainError as error:
                flash(str(error), "error")
        page = self.render(
            "admin/broadcast_version.html",
            form=form or VersionForm(None, messages=stored),
            broadcast=row,
            letter=LETTERS[number],
            known=number <= len(others),
            number=number,
        )
        return (page, 400) if form is not None else page

    @expose("/<int:broadcast_id>/versions/<int:number>/remove/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def remove_version(self, broadcast_id: int, number: int) -> Response:
        """Take a version away; those behind it move up."""
        row = self._draft(broadcast_id)
        others = list(row.variants or [])
        if not 1 <= number <= len(others):
            abort(404)
        del others[number - 1]
        self._keep_versions(row, others)
        flash(_("The version is taken away."), "success")
        return redirect(self.address(".edit_view", row.id))

    def _draft(self, broadcast_id: int) -> Broadcast:
        row = row_or_404(broadcast_id)
        if row.state != states.DRAFT:
            abort(409, _("It is confirmed. Take it back before you change it."))
        return row

    def _keep_versions(self, row: Broadcast, variants: list[Any]) -> None:
        actions.edit_broadcast(
            row.id,
            name=row.name,
            parts=row.parts,
            audience=row.audience,
            at=row.at,
            variants=variants,
            version=two_tabs.posted_version(row.version),
            staff=current_staff(),
            wall=clock.wall(),
        )

    @expose("/<int:broadcast_id>/duplicate/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def duplicate(self, broadcast_id: int) -> Response:
        """A new draft like this one."""
        made = actions.duplicate(
            broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("This is the copy."), "success")
        return redirect(self.address(".edit_view", made.id))

    @expose("/<int:broadcast_id>/delete/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def remove(self, broadcast_id: int) -> Response | str:
        """Delete a draft, after asking."""
        row = row_or_404(broadcast_id)
        if not self.confirmed():
            return self.confirm(
                _("Delete the draft “%(name)s”?", name=row.name),
                text=_("Nobody has got it. What is written in it is gone then."),
                label=_("Delete"),
                cancel_url=self.address(".edit_view", row.id),
            )
        actions.delete_draft(broadcast_id, staff=current_staff(), wall=clock.wall())
        flash(_("The draft is deleted."), "success")
        return redirect(self.get_url(".index_view"))

    def back_url(self) -> str:
        broadcast_id = (request.view_args or {}).get("broadcast_id")
        return self.address(".report", broadcast_id) if broadcast_id else super().back_url()


def _too_soon(row: Broadcast) -> str:
    """Why a broadcast of a topic should wait; empty where it need not."""
    now = clock.now()
    about = topic.topic_of(row.audience)
    other = topic.too_soon(row, now if row.at is None else max(row.at, now))
    return "" if about is None or other is None else topic.too_soon_words(about, other)


def _summaries(row: Broadcast | None) -> list[tuple[str, str]]:
    """(letter, a line) of every further version."""
    others = [] if row is None else row.variants or []
    return [
        (letter, as_read(parse_parts(parts)))
        for letter, parts in zip(LETTERS[1:], others, strict=False)
    ]


def _free_name(now: datetime) -> str:
    """A name that says when it was begun, and is not taken yet."""
    base = name = _("Broadcast %(when)s", when=f"{i18n.local(now):%m/%d %H:%M}")
    number = 2
    while Broadcast.select().where(Broadcast.name == name).exists():
        name = f"{base} ({number})"
        number += 1
    return str(name)


def _asking() -> list[shell.Banner]:
    """What waits for a decision, on top of every page but its own, which asks at length."""
    here = (request.view_args or {}).get("broadcast_id", 0)
    late = Broadcast.select(Broadcast.id, Broadcast.name).where(
        Broadcast.state == states.LATE, Broadcast.id != here
    )
    found = [
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
    me = current_staff()
    found += [
        shell.Banner(
            "warn",
            _("The broadcast “%(name)s” waits for your approval.", name=row.name),
            url_for("broadcasts.report", broadcast_id=row.id),
            _("Look at it"),
        )
        for row in approval.waiting(limit=3)
        if row.id != here and approval.may_approve(row, me)
    ]
    return found


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("banners", _asking)
    return [(BroadcastView(Broadcast, _l("Broadcasts"), endpoint="broadcasts"), "messages", 10)]
