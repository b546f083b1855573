"""The sequence editor: the canvas, and beside it the panel of what is selected.

Every save keeps a draft. The script saves as staff type (`X-Autosave`): it gets the new version and
the canvas back, or what is wrong where; without it the same routes answer with whole pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import two_tabs
from lineadmin.admin.gate import AdminPage, current_staff, flash_refusals, needs
from lineadmin.admin.sequence_canvas import Canvas, draw
from lineadmin.admin.sequence_forms import (
    BranchForm,
    GroupsForm,
    SettingsForm,
    StepForm,
    days_label,
)
from lineadmin.admin.sequence_trigger import TriggerForm
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, format_time
from lineadmin.outbox import reasons
from lineadmin.sequences import actions, drafts, edit
from lineadmin.sequences.definition import MOST_BRANCHES, MOST_STEPS, Definition, dump
from lineadmin.sequences.models import Sequence
from lineadmin.staff import audit

TRIGGER, GROUPS, SETTINGS = "trigger", "groups", "settings"


class EditorRoutes(AdminPage):
    """What the editor's canvas and panel do; mixed into the screen of step messages."""

    in_menu = False

    @expose("/<int:sequence_id>/")
    def edit(self, sequence_id: int) -> str:
        """The canvas, and beside it what is selected: a step, a branch, the trigger, settings …"""
        return self._editor(self._get(sequence_id), request.args.get("at", "0-1"))

    # --- panels ---------------------------------------------------------------------------

    @expose("/<int:sequence_id>/step/<int:branch>-<int:step>/", methods=("POST",))
    @needs("edit")
    def save_step(self, sequence_id: int, branch: int, step: int) -> Response | str:
        """Keep one step in the draft."""
        row, raw = self._opened(sequence_id)
        form = StepForm(request.form)
        return self._keep(row, raw, f"{branch}-{step}", form, lambda: _put(raw, branch, step, form))

    @expose("/<int:sequence_id>/branch/<int:branch>/", methods=("POST",))
    @needs("edit")
    def save_branch(self, sequence_id: int, branch: int) -> Response | str:
        """Keep whom a branch is for, and its name."""
        row, raw = self._opened(sequence_id)
        form = BranchForm(request.form)
        if branch < len(raw["branches"]) and "where" not in raw["branches"][branch]:
            del form.where

        def put() -> None:
            where = form.where.data if "where" in form else None
            edit.describe_branch(raw, branch, name=form.name.data or "", where=where)

        return self._keep(row, raw, f"branch-{branch}", form, put)

    @expose("/<int:sequence_id>/trigger/", methods=("POST",))
    @needs("edit")
    def save_trigger(self, sequence_id: int) -> Response | str:
        """Keep where friends come from in the draft."""
        row, raw = self._opened(sequence_id)
        form = TriggerForm(request.form)
        return self._keep(row, raw, TRIGGER, form, lambda: raw.update(trigger=form.raw()))

    @expose("/<int:sequence_id>/groups/", methods=("POST",))
    @needs("edit")
    def save_groups(self, sequence_id: int) -> Response | str:
        """Keep when branches are chosen, and whom the sequence stops for."""
        row, raw = self._opened(sequence_id)
        form = GroupsForm(request.form)
        return self._keep(
            row,
            raw,
            GROUPS,
            form,
            lambda: raw.update(
                decide=form.decide.data,
                stop=form.raw_stop(),
                stop_bought=form.stop_bought.data or None,
            ),
        )

    @expose("/<int:sequence_id>/settings/", methods=("POST",))
    @needs("edit")
    def save_settings(self, sequence_id: int) -> Response | str:
        """Name, period, priority and what friends underway do; they hold at once."""
        row = self._get(sequence_id)
        form = SettingsForm(request.form)
        if form.validate():
            try:
                actions.change_settings(
                    row.id,
                    name=form.name.data,
                    period_from=form.period_from.data,
                    period_until=form.period_until.data,
                    priority=form.priority.data,
                    when_off=form.when_off.data,
                    when_over=form.when_over.data,
                    version=two_tabs.posted_version(row.version),
                    staff=current_staff(),
                    wall=clock.wall(),
                )
                flash(_("Saved."), "success")
                return redirect(self._address(row.id, SETTINGS))
            except DomainError as error:
                _tell(form, error)
        return self._editor(row, SETTINGS, form=form)

    # --- steps ----------------------------------------------------------------------------

    @expose("/<int:sequence_id>/step/add/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def add_step(self, sequence_id: int) -> Response:
        """Put a new step behind another one, at the same hour."""
        branch, after = _place(request.form.get("after", "0-0"))
        return self._change(
            sequence_id, lambda raw: f"{branch}-{edit.add_step(raw, branch, after)}"
        )

    @expose("/<int:sequence_id>/step/copy/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def copy_step(self, sequence_id: int) -> Response:
        """The same step once more."""
        branch, step = _place(request.form.get("step", ""))
        return self._change(
            sequence_id, lambda raw: f"{branch}-{edit.copy_step(raw, branch, step)}"
        )

    @expose("/<int:sequence_id>/step/move/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def move(self, sequence_id: int) -> Response:
        """Bring a step to another place; days and hours stay with their places."""
        branch, step = _place(request.form.get("step", ""))
        to = request.form.get("to", step, type=int)
        return self._change(
            sequence_id, lambda raw: f"{branch}-{edit.move_step(raw, branch, step, to=to)}"
        )

    @expose("/<int:sequence_id>/step/delete/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def delete_step(self, sequence_id: int) -> Response:
        """Take a step out of the draft; undo brings it back."""
        branch, step = _place(request.form.get("step", ""))
        return self._change(
            sequence_id,
            lambda raw: f"{branch}-{edit.delete_step(raw, branch, step)}",
            said=_("Step %(number)s was deleted. Undo brings it back.", number=step),
        )

    # --- branches -------------------------------------------------------------------------

    @expose("/<int:sequence_id>/branch/add/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def add_branch(self, sequence_id: int) -> Response:
        """One more group of friends; the first one splits the sequence."""
        return self._change(sequence_id, lambda raw: f"branch-{edit.add_branch(raw)}")

    @expose("/<int:sequence_id>/branch/copy/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def copy_branch(self, sequence_id: int) -> Response:
        """The same steps for another group."""
        branch = _number(request.form.get("branch", ""))
        return self._change(sequence_id, lambda raw: f"branch-{edit.copy_branch(raw, branch)}")

    @expose("/<int:sequence_id>/branch/move/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def move_branch(self, sequence_id: int) -> Response:
        """Change places with the branch beside it."""
        branch = _number(request.form.get("branch", ""))
        left = request.form.get("left") == "1"
        return self._change(
            sequence_id, lambda raw: f"branch-{edit.move_branch(raw, branch, left=left)}"
        )

    @expose("/<int:sequence_id>/branch/delete/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def delete_branch(self, sequence_id: int) -> Response:
        """Take a branch out of the draft; undo brings it back."""
        branch = _number(request.form.get("branch", ""))
        return self._change(
            sequence_id,
            lambda raw: f"branch-{edit.delete_branch(raw, branch)}",
            said=_("The branch was deleted. Undo brings it back."),
        )

    # --- undo -----------------------------------------------------------------------------

    @expose("/<int:sequence_id>/undo/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def undo(self, sequence_id: int) -> Response:
        """One step back in what was edited."""
        return self._walk(sequence_id, drafts.undo)

    @expose("/<int:sequence_id>/redo/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def redo(self, sequence_id: int) -> Response:
        """Forward again."""
        return self._walk(sequence_id, drafts.redo)

    # --- below ----------------------------------------------------------------------------

    def back_url(self) -> str:
        """The editor of the sequence an action was about."""
        sequence_id = (request.view_args or {}).get("sequence_id")
        return self._address(sequence_id) if sequence_id else super().back_url()

    def _address(self, sequence_id: int, at: str = "") -> str:
        return self.get_url(".edit", sequence_id=sequence_id, **({"at": at} if at else {}))

    def _get(self, sequence_id: int) -> Sequence:
        row: Sequence = Sequence.get_or_none(Sequence.id == sequence_id) or abort(404)
        return row

    def _opened(self, sequence_id: int) -> tuple[Sequence, dict[str, Any]]:
        row = self._get(sequence_id)
        return row, dump(actions.definition_of(row))

    def _change(
        self, sequence_id: int, change: Callable[[dict[str, Any]], str], said: str = ""
    ) -> Response:
        """Change the draft as a button says, and show what it landed on."""
        row, raw = self._opened(sequence_id)
        here = change(raw)
        drafts.save_draft(
            row.id,
            raw,
            version=two_tabs.posted_version(row.version),
            staff=current_staff(),
            wall=clock.wall(),
        )
        if said:
            flash(said, "success")
        return redirect(self._address(row.id, here))

    def _walk(self, sequence_id: int, walk: Callable[..., bool]) -> Response:
        row = self._get(sequence_id)
        version = two_tabs.posted_version(row.version)
        walk(row.id, version=version, staff=current_staff(), wall=clock.wall())
        return redirect(self._address(row.id, request.form.get("at", "")))

    def _keep(
        self,
        row: Sequence,
        raw: dict[str, Any],
        here: str,
        form: Any,
        put: Callable[[], object],
    ) -> Response | str:
        """Keep a panel's form in the draft: `put` writes it into `raw`."""
        try:
            if not form.validate():
                return self._refused(row, here, form)
            put()
            drafts.save_draft(
                row.id,
                raw,
                version=two_tabs.posted_version(row.version),
                about=here,
                staff=current_staff(),
                wall=clock.wall(),
            )
        except Conflict:
            return self._conflict(row, here, form)
        except DomainError as error:
            _tell(form, error)
            return self._refused(row, here, form)
        if _autosaving():
            return self._kept(self._get(row.id), here)
        flash(_("Draft saved."), "success")
        return redirect(self._address(row.id, here))

    def _kept(self, row: Sequence, here: str) -> Response:
        context = self._context(row, here)
        branch = context["branch"]
        return _json(
            {
                "version": row.version,
                "name": None if branch is None else branch.name,
                "head": self.render("admin/_sequence_head.html", **context),
                "canvas": self.render("admin/_sequence_canvas.html", **context),
            }
        )

    def _refused(self, row: Sequence, here: str, form: Any) -> Response | str:
        if not _autosaving():
            return self._editor(row, here, form=form)
        wrong = [
            {"field": field.id, "sentences": [str(one) for one in field.errors]}
            for field in form
            if field.errors
        ]
        whole = [str(one) for one in getattr(form, "form_errors", [])]
        return _json({"errors": wrong, "whole": whole})

    def _conflict(self, row: Sequence, here: str, form: Any) -> Response | str:
        newest = self._get(row.id)
        last = audit.last_change("sequence", row.id, "")
        who = "" if last is None else last.staff_name
        said = (
            _("%(who)s changed this meanwhile. Yours is not saved yet.", who=who)
            if who
            else _("Somebody else changed this meanwhile. Yours is not saved yet.")
        )
        if _autosaving():
            return _json({"conflict": said, "version": newest.version})
        flash(_("Somebody else changed this meanwhile. Check below, then save again."), "error")
        return self._editor(newest, here, form=form)

    def _editor(self, row: Sequence, at: str, form: Any = None) -> str:
        return self.render("admin/sequence.html", **self._context(row, at, form))

    def _context(
        self, row: Sequence, at: str, form: Any = None, *, with_outcomes: bool = True
    ) -> dict[str, Any]:
        definition = actions.definition_of(row)
        canvas = draw(row, definition, now=clock.now(), with_outcomes=with_outcomes)
        selected = _selected(canvas, at)
        card = canvas.step(selected)
        return {
            "sequence": row,
            "definition": definition,
            "canvas": canvas,
            "selected": selected,
            "form": form if form is not None else _form(row, definition, canvas, selected),
            "card": card,
            "branch": canvas.branch(selected),
            "days_label": days_label(card.number) if card else "",
            "reach": drafts.reach(row),
            "may_edit": self.may("edit") and row.archived_at is None,
            "may_send": self.may("send"),
            "most_steps": MOST_STEPS,
            "most_branches": MOST_BRANCHES,
            "saved_at": format_time(clock.wall()),
            "pause": reasons.label(row.pause_reason) if row.pause_reason else "",
            "tab": "edit",
        }


def _selected(canvas: Canvas, at: str) -> str:
    """What is shown beside the canvas: `at`, or the nearest thing that is there."""
    if at in (TRIGGER, GROUPS, SETTINGS) or canvas.step(at) or canvas.branch(at):
        return at
    if at.startswith("branch-"):
        return GROUPS
    first = canvas.first()
    return first.place if first else TRIGGER


def _form(row: Sequence, definition: Definition, canvas: Canvas, selected: str) -> Any:
    if selected == SETTINGS:
        return SettingsForm(obj=row)
    if selected == TRIGGER:
        return TriggerForm.showing(definition.trigger)
    if selected == GROUPS:
        return GroupsForm.showing(definition)
    branch = canvas.branch(selected)
    if branch is not None:
        return BranchForm.showing(definition.branches[branch.index])
    card = canvas.step(selected)
    return StepForm.showing(card.step) if card else None


def _put(raw: dict[str, Any], branch: int, step: int, form: StepForm) -> None:
    edit.find_step(raw, branch, step)[step - 1] = form.raw()


def _autosaving() -> bool:
    return "X-Autosave" in request.headers


def _json(found: dict[str, Any]) -> Response:
    """A refusal answers 200 too: half-typed drafts are no errors for the browser's console."""
    response = Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _tell(form: Any, error: DomainError) -> None:
    if not form.refuse(error):
        form.form_errors = [*form.form_errors, str(error)]


def _place(text: str) -> tuple[int, int]:
    branch, _dash, step = text.partition("-")
    return _number(branch), _number(step)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        abort(400)
    return int(text)
