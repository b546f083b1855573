"""Step messages on screen: the list, and the editor with its canvas and the step beside it.

Every save keeps a draft; friends get nothing else until somebody publishes.
"""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.admin import two_tabs
from lineadmin.admin.gate import AdminPage, current_staff, flash_refusals, needs
from lineadmin.admin.sequence_canvas import Canvas, draw, find_step, move_step
from lineadmin.admin.sequence_forms import (
    CHOSEN,
    NewForm,
    SettingsForm,
    StepForm,
    TriggerForm,
    steps_of,
    trigger_sentence,
)
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.outbox import reasons
from lineadmin.sequences import actions, enrolments
from lineadmin.sequences.definition import ANY, MOST_STEPS, dump
from lineadmin.sequences.models import Sequence
from lineadmin.settings.shop import parse_clock

NEW_STEP = {"after_days": 7, "at": "10:00", "messages": []}
TRIGGER = "trigger"
SETTINGS = "settings"


class SequenceView(AdminPage):
    """Everybody may look; managers edit, publish and switch."""

    menu_icon = "sequence"

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
        """A name, and on to the editor."""
        form = NewForm(request.form or None)
        if request.method == "POST" and form.validate():
            try:
                made = actions.create_sequence(
                    form.name.data, staff=current_staff(), now=clock.now(), wall=clock.wall()
                )
                return redirect(self._address(made.id))
            except DomainError as error:
                _tell(form, error)
        return self.render("admin/sequence_new.html", form=form)

    # --- the editor -----------------------------------------------------------------------

    @expose("/<int:sequence_id>/")
    def edit(self, sequence_id: int) -> str:
        """The canvas, and beside it what is selected: a step, the trigger, or the settings."""
        row = self._get(sequence_id)
        return self._editor(row, request.args.get("at", "0-1"))

    @expose("/<int:sequence_id>/step/<int:branch>-<int:step>/", methods=("POST",))
    @needs("edit")
    def save_step(self, sequence_id: int, branch: int, step: int) -> Response | str:
        """Keep one step in the draft."""
        row = self._get(sequence_id)
        here = f"{branch}-{step}"
        form = StepForm(request.form)
        if not form.validate():
            return self._editor(row, here, form=form)
        raw = dump(actions.definition_of(row))
        steps = find_step(raw, branch, step) or abort(404)
        steps[step - 1] = form.raw()
        return self._save(row, raw, here, form)

    @expose("/<int:sequence_id>/step/add/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def add_step(self, sequence_id: int) -> Response | str:
        """Put a new step behind another one; it starts as a week later at the same hour."""
        row = self._get(sequence_id)
        branch, after = _place(request.form.get("after", "0-0"))
        raw = dump(actions.definition_of(row))
        if branch >= len(raw["branches"]):
            abort(404)
        steps = raw["branches"][branch]["steps"]
        if len(steps) >= MOST_STEPS:
            raise DomainError(_l("A sequence has at most %(most)s steps.", most=MOST_STEPS))
        before = steps[after - 1] if 0 < after <= len(steps) else None
        steps.insert(after, {**NEW_STEP, "at": before["at"] if before else NEW_STEP["at"]})
        return self._save(row, raw, f"{branch}-{after + 1}")

    @expose("/<int:sequence_id>/step/move/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def move(self, sequence_id: int) -> Response | str:
        """Swap a step with its neighbour; days and hours stay with their places' messages."""
        row = self._get(sequence_id)
        branch, step = _place(request.form.get("step", ""))
        raw = dump(actions.definition_of(row))
        steps = find_step(raw, branch, step) or abort(404)
        landed = move_step(steps, step, up=request.form.get("up") == "1")
        return self._save(row, raw, f"{branch}-{landed}")

    @expose("/<int:sequence_id>/step/delete/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def delete_step(self, sequence_id: int) -> Response | str:
        """Take a step out of the draft, after asking."""
        row = self._get(sequence_id)
        branch, step = _place(request.form.get("step", ""))
        raw = dump(actions.definition_of(row))
        steps = find_step(raw, branch, step) or abort(404)
        if not self.confirmed():
            return self.confirm(
                _("Delete step %(number)s?", number=step),
                text=_("Only the draft changes. Friends underway notice after publishing."),
                label=_("Delete"),
                hidden={"step": f"{branch}-{step}", "version": row.version},
                cancel_url=self._address(row.id, f"{branch}-{step}"),
            )
        del steps[step - 1]
        return self._save(row, raw, f"{branch}-{max(1, step - 1)}")

    @expose("/<int:sequence_id>/trigger/", methods=("POST",))
    @needs("edit")
    def save_trigger(self, sequence_id: int) -> Response | str:
        """Keep where friends come from in the draft."""
        row = self._get(sequence_id)
        form = TriggerForm(request.form)
        if not form.validate():
            return self._editor(row, TRIGGER, form=form)
        raw = {**dump(actions.definition_of(row)), "trigger": form.raw()}
        return self._save(row, raw, TRIGGER, form)

    @expose("/<int:sequence_id>/settings/", methods=("POST",))
    @needs("edit")
    def save_settings(self, sequence_id: int) -> Response | str:
        """Name and period; they hold at once, without publishing."""
        row = self._get(sequence_id)
        form = SettingsForm(request.form)
        if form.validate():
            try:
                actions.change_settings(
                    row.id,
                    name=form.name.data,
                    period_from=form.period_from.data,
                    period_until=form.period_until.data,
                    version=two_tabs.posted_version(row.version),
                    staff=current_staff(),
                    wall=clock.wall(),
                )
                flash(_("Saved."), "success")
                return redirect(self._address(row.id, SETTINGS))
            except DomainError as error:
                _tell(form, error)
        return self._editor(row, SETTINGS, form=form)

    # --- publishing and switching ---------------------------------------------------------

    @expose("/<int:sequence_id>/publish/", methods=("GET", "POST"))
    @needs("send")
    @flash_refusals
    def publish(self, sequence_id: int) -> Response | str:
        """Say what changes for whom, then make the draft what new friends get."""
        row = self._get(sequence_id)
        if not self.confirmed():
            definition = actions.definition_of(row)
            underway = format_count(enrolments.underway(row.id))
            return self.confirm(
                _("Publish “%(name)s”?", name=row.name),
                text=_("From now on, friends who start get this version."),
                lines=[
                    _("Starts: %(trigger)s", trigger=trigger_sentence(definition.trigger)),
                    _("%(count)s steps", count=steps_of(definition)),
                    _(
                        "%(count)s friends underway finish on the version they began.",
                        count=underway,
                    ),
                    _("It is switched on; friends start at once.")
                    if not row.enabled
                    else _("It is already switched on."),
                ],
                label=_("Publish and switch on") if not row.enabled else _("Publish changes"),
                kind="primary",
                hidden={"version": row.version},
                cancel_url=self._address(row.id),
            )
        staff, wall = current_staff(), clock.wall()
        actions.publish(
            row.id,
            version=two_tabs.posted_version(row.version),
            staff=staff,
            now=clock.now(),
            wall=wall,
            public_url=config.current().public_url,
        )
        actions.enable(row.id, staff=staff, wall=wall, now=clock.now())
        flash(_("Published. Friends who start from now on get it."), "success")
        return redirect(self._address(row.id))

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
                text=_(
                    "Nobody starts any more. %(count)s friends underway stand still until it is "
                    "switched on again; steps that became late meanwhile are left out.",
                    count=underway,
                ),
                label=_("Switch off"),
                cancel_url=self._address(row.id),
            )
        actions.disable(row.id, staff=current_staff(), wall=clock.wall())
        flash(_("Switched off."), "success")
        return redirect(self._address(row.id))

    @expose("/<int:sequence_id>/discard/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def discard(self, sequence_id: int) -> Response | str:
        """Throw the draft away, after asking."""
        row = self._get(sequence_id)
        if not self.confirmed():
            return self.confirm(
                _("Discard the changes?"),
                text=_("The editor goes back to what is published."),
                label=_("Discard"),
                hidden={"version": row.version},
                cancel_url=self._address(row.id),
            )
        version = two_tabs.posted_version(row.version)
        actions.discard_draft(row.id, version=version, staff=current_staff(), wall=clock.wall())
        flash(_("The changes were discarded."), "success")
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

    # --- below ----------------------------------------------------------------------------

    def back_url(self) -> str:
        sequence_id = (request.view_args or {}).get("sequence_id")
        return self._address(sequence_id) if sequence_id else super().back_url()

    def _address(self, sequence_id: int, at: str = "") -> str:
        return self.get_url(".edit", sequence_id=sequence_id, **({"at": at} if at else {}))

    def _get(self, sequence_id: int) -> Sequence:
        row: Sequence = Sequence.get_or_none(Sequence.id == sequence_id) or abort(404)
        return row

    def _save(
        self, row: Sequence, raw: dict[str, Any], here: str, form: Any = None
    ) -> Response | str:
        try:
            actions.save_draft(
                row.id,
                raw,
                version=two_tabs.posted_version(row.version),
                staff=current_staff(),
                wall=clock.wall(),
            )
        except Conflict:
            if form is None:
                raise
            flash(_("Somebody else changed this meanwhile. Check below, then save again."), "error")
            return self._editor(self._get(row.id), here, form=form)
        except DomainError as error:
            if form is None:
                raise
            _tell(form, error)
            return self._editor(row, here, form=form)
        flash(_("Draft saved."), "success")
        return redirect(self._address(row.id, here))

    def _editor(self, row: Sequence, at: str, form: Any = None) -> str:
        definition = actions.definition_of(row)
        canvas: Canvas = draw(row, definition, now=clock.now())
        selected = at
        if at == SETTINGS:
            form = form or SettingsForm(obj=row)
        elif at == TRIGGER:
            form = form or _trigger_form(definition.trigger)
        else:
            step = canvas.step(at) or canvas.first()
            selected = step.place if step else TRIGGER
            if form is None:
                form = _step_form(step.step) if step else _trigger_form(definition.trigger)
        return self.render(
            "admin/sequence.html",
            sequence=row,
            canvas=canvas,
            selected=selected,
            form=form,
            may_edit=self.may("edit") and row.archived_at is None,
            may_send=self.may("send"),
            most_steps=MOST_STEPS,
            pause=reasons.label(row.pause_reason) if row.pause_reason else "",
        )


def _line(row: Sequence, counts: dict[str, int]) -> dict[str, Any]:
    definition = actions.definition_of(row)
    return {
        "row": row,
        "trigger": trigger_sentence(definition.trigger),
        "steps": steps_of(definition),
        "underway": counts.get("active", 0),
        "finished": counts.get("finished", 0),
        "held": counts.get("held", 0),
    }


def _tell(form: Any, error: DomainError) -> None:
    if not form.refuse(error):
        flash(str(error), "error")


def _place(text: str) -> tuple[int, int]:
    branch, _dash, step = text.partition("-")
    if not (branch.isdecimal() and step.isdecimal()) or len(text) > 8:
        abort(400)
    return int(branch), int(step)


def _trigger_form(trigger: Any) -> TriggerForm:
    if trigger.sources is None:
        return TriggerForm(who=ANY)
    chosen = MultiDict([("who", CHOSEN), *(("sources", code) for code in trigger.sources)])
    return TriggerForm(chosen)


def _step_form(step: Any) -> StepForm:
    return StepForm(
        data={
            "after_days": step.after_days,
            "at": parse_clock(step.at),
            "weekday": step.weekday or "",
            "messages": list(step.messages),
        }
    )


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(SequenceView(_l("Step messages"), endpoint="sequences"), "messages", 20)]
