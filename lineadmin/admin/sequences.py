"""Step messages on screen: the list, switching and putting away; the editor is in its own files."""

from __future__ import annotations

import json
from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, shopfile
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.admin.sequence_calendar import CalendarRoutes
from lineadmin.admin.sequence_forms import StartForm, steps_of
from lineadmin.admin.sequence_trigger import trigger_sentence
from lineadmin.admin.sequence_versions import VersionRoutes
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.sequences import actions, enrolments, starters
from lineadmin.sequences.models import Sequence
from lineadmin.surveys.models import Survey
from lineadmin.tasks import doorbell


class SequenceView(VersionRoutes, CalendarRoutes):
    """Everybody may look; managers edit, publish and switch."""

    menu_icon = "sequence"
    in_menu = True

    # --- the list -------------------------------------------------------------------------

    @expose("/")
    def index(self) -> str:
        """All sequences, those at work first."""
        archived = request.args.get("archived") == "1"
        rows = Sequence.select().where(Sequence.archived_at.is_null(not archived))
        listed = list(rows.order_by(Sequence.enabled.desc(), Sequence.name))
        counts = enrolments.counts([row.id for row in listed])
        return self.render(
            "admin/sequences.html",
            sequences=[_line(row, counts.get(row.id, {})) for row in listed],
            archived=archived,
            any_archived=Sequence.select().where(Sequence.archived_at.is_null(False)).exists(),
            may_edit=self.may("edit"),
        )

    @expose("/new/", methods=("GET", "POST"))
    @needs("edit")
    def create(self) -> Response | str:
        """A name, with nothing in it or a template, and on to the editor."""
        form = StartForm(request.form or None)
        if request.method == "POST" and form.validate():
            try:
                chosen = starters.starter(form.template.data or "")
                with atomic():
                    made = actions.create_sequence(
                        form.name.data,
                        None if chosen is None else chosen.definition,
                        staff=current_staff(),
                        now=clock.now(),
                        wall=clock.wall(),
                    )
                    if chosen is not None:
                        _make_surveys(chosen)
                return redirect(self._address(made.id))
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
        return self.render("admin/sequence_new.html", form=form)

    # --- switching and putting away ---------------------------------------------------------

    @expose("/<int:sequence_id>/enable/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def enable(self, sequence_id: int) -> Response:
        """Switch on."""
        actions.enable(
            self._get(sequence_id).id, staff=current_staff(), wall=clock.wall(), now=clock.now()
        )
        flash(_("Switched on."), "success")
        return redirect(self._address(sequence_id))

    @expose("/<int:sequence_id>/disable/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def disable(self, sequence_id: int) -> Response | str:
        """Switch off, after saying what happens to those underway."""
        row = self._get(sequence_id)
        if not self.confirmed():
            underway = format_count(enrolments.underway(row.id))
            return self.confirm(
                _("Switch “%(name)s” off?", name=row.name),
                text=_("Nobody starts any more."),
                lines=[when_off_sentence(row, underway)],
                label=_("Switch off"),
                cancel_url=self._address(row.id),
            )
        actions.disable(row.id, staff=current_staff(), wall=clock.wall())
        flash(_("Switched off."), "success")
        return redirect(self._address(row.id))

    @expose("/<int:sequence_id>/duplicate/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def duplicate(self, sequence_id: int) -> Response:
        """A copy, neither published nor switched on."""
        made = actions.duplicate(
            self._get(sequence_id).id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("This is the copy. It is switched off."), "success")
        return redirect(self._address(made.id))

    @expose("/<int:sequence_id>/archive/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def archive(self, sequence_id: int) -> Response | str:
        """Put away, or delete where nobody ever got it; asks first."""
        row = self._get(sequence_id)
        never = row.live_version is None
        if not self.confirmed():
            underway = format_count(enrolments.underway(row.id))
            return self.confirm(
                _("Delete “%(name)s”?", name=row.name)
                if never
                else _("Archive “%(name)s”?", name=row.name),
                text=_("It was never published, so nothing is lost but the draft.")
                if never
                else _(
                    "%(count)s friends underway leave it. Its numbers stay; nothing more is sent.",
                    count=underway,
                ),
                label=_("Delete") if never else _("Archive"),
                cancel_url=self._address(row.id),
            )
        if never:
            actions.delete(row.id, staff=current_staff(), wall=clock.wall())
            flash(_("Deleted."), "success")
        else:
            actions.archive(row.id, staff=current_staff(), now=clock.now(), wall=clock.wall())
            doorbell.ring()
            flash(_("Archived."), "success")
        return redirect(self.get_url(".index"))

    @expose("/<int:sequence_id>/unarchive/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def unarchive(self, sequence_id: int) -> Response:
        """Bring back from the archive, switched off."""
        actions.unarchive(self._get(sequence_id).id, staff=current_staff(), wall=clock.wall())
        return redirect(self._address(sequence_id))

    @expose("/<int:sequence_id>/release/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def release(self, sequence_id: int) -> Response:
        """After a restore: let those underway go on."""
        actions.release_held(
            self._get(sequence_id).id, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("Friends underway go on."), "success")
        return redirect(self._address(sequence_id))


def when_off_sentence(row: Sequence, underway: str) -> str:
    """What friends underway do when it is switched off."""
    if row.when_off == actions.FINISH:
        return _("%(count)s friends underway get the rest of their steps.", count=underway)
    if row.when_off == actions.STOP:
        return _("%(count)s friends underway leave; nothing more is sent to them.", count=underway)
    return _(
        "%(count)s friends underway stand still until it is switched on again; steps that became "
        "late meanwhile are left out.",
        count=underway,
    )


def _make_surveys(starter: starters.Starter) -> None:
    """The surveys its messages lead to, as far as the shop has none of that name."""
    known = {row.code for row in Survey.select(Survey.code)}
    missing = [one for one in starter.surveys if one["code"] not in known]
    if missing:
        shopfile.load(
            json.dumps({"version": 1, "surveys": missing}, ensure_ascii=False),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )


def _line(row: Sequence, counts: dict[str, int]) -> dict[str, Any]:
    definition = actions.definition_of(row)
    return {
        "row": row,
        "trigger": trigger_sentence(definition.trigger),
        "steps": steps_of(definition),
        "branches": len(definition.branches),
        "underway": counts.get("active", 0),
        "finished": counts.get("finished", 0),
        "held": counts.get("held", 0),
    }


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(SequenceView(_l("Step messages"), endpoint="sequences"), "messages", 20)]
