"""Publishing a sequence: what changes for whom, earlier versions, and moving friends underway."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.admin import two_tabs
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.admin.sequence_differences import differences
from lineadmin.admin.sequence_editor import GROUPS, TRIGGER, EditorRoutes
from lineadmin.admin.sequence_forms import steps_of
from lineadmin.admin.sequence_trigger import trigger_sentence
from lineadmin.i18n import _, format_count
from lineadmin.sequences import actions, drafts, moves, transfer
from lineadmin.sequences.definition import Definition, parse
from lineadmin.sequences.models import Sequence, SequenceVersion
from lineadmin.sequences.problems import Problem, problems
from lineadmin.staff.models import Staff
from lineadmin.tasks import doorbell

MOST_SHOWN = 50
MOVE = "move"


class VersionRoutes(EditorRoutes):
    """Publish, go back, move friends on; mixed into the screen of step messages."""

    @expose("/<int:sequence_id>/publish/", methods=("GET", "POST"))
    @needs("send")
    @flash_refusals
    def publish(self, sequence_id: int) -> Response | str:
        """Say what changes for whom, then make the draft what new friends get."""
        row = self._get(sequence_id)
        if not self.confirmed():
            return self._ask(row)
        staff, now, wall = current_staff(), clock.now(), clock.wall()
        actions.publish(
            row.id,
            version=two_tabs.posted_version(row.version),
            staff=staff,
            now=now,
            wall=wall,
            public_url=config.current().public_url,
        )
        actions.enable(row.id, staff=staff, wall=wall, now=now)
        flash(_("Published. Friends who start from now on get it."), "success")
        if request.form.get("underway") == MOVE and _begin_move(row.id):
            return redirect(self.get_url(".versions", sequence_id=row.id))
        return redirect(self._address(row.id))

    def _ask(self, row: Sequence) -> str:
        definition = actions.definition_of(row)
        live = actions.live_definition(row) if row.live_version is not None else None
        found = problems(definition, now=clock.now(), public_url=config.current().public_url)
        return self.render(
            "admin/sequence_publish.html",
            sequence=row,
            starts=trigger_sentence(definition.trigger),
            steps=steps_of(definition),
            branches=[branch.name for branch in definition.branches if definition.branched],
            changes=differences(live, definition),
            outlook=transfer.outlook(transfer.standing(row.id), definition),
            problems=[(one.told(definition), _place(one)) for one in found],
        )

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
        drafts.discard_draft(row.id, version=version, staff=current_staff(), wall=clock.wall())
        flash(_("The changes were discarded."), "success")
        return redirect(self._address(row.id))

    @expose("/<int:sequence_id>/versions/")
    def versions(self, sequence_id: int) -> str:
        """Every version: when, by whom, what changed, and who is underway on it."""
        row = self._get(sequence_id)
        listed = list(
            SequenceVersion.select()
            .where(SequenceVersion.sequence == row)
            .order_by(SequenceVersion.number.desc())
            .limit(MOST_SHOWN + 1)
        )
        standing = transfer.standing(row.id)
        underway = transfer.underway_by_version(standing)
        live = actions.live_definition(row)
        return self.render(
            "admin/sequence_versions.html",
            **{**self._context(row, "settings", with_outcomes=False), "tab": "versions"},
            versions=_told(listed, underway, row)[:MOST_SHOWN],
            earlier=sum(count for one, count in underway.items() if one != row.live_version),
            outlook=transfer.outlook(standing, live, version_id=row.live_version),
            move=_told_move(row.id),
            draft_changes=differences(live, actions.definition_of(row))
            if row.draft is not None and row.live_version is not None
            else [],
        )

    @expose("/<int:sequence_id>/versions/<int:number>/restore/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def restore(self, sequence_id: int, number: int) -> Response:
        """Make an earlier version the draft."""
        row = self._get(sequence_id)
        drafts.restore_version(
            row.id,
            number,
            version=two_tabs.posted_version(row.version),
            staff=current_staff(),
            wall=clock.wall(),
        )
        flash(
            _("Version %(number)s is the draft now. Publish it to make it hold.", number=number),
            "success",
        )
        return redirect(self._address(row.id))

    @expose("/<int:sequence_id>/versions/move/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def move_friends(self, sequence_id: int) -> Response | str:
        """Move those on earlier versions to the live one, after saying what that does."""
        row = self._get(sequence_id)
        back = self.get_url(".versions", sequence_id=row.id)
        if row.live_version is None:
            abort(404)
        if not self.confirmed():
            live = actions.live_definition(row)
            outlook = transfer.outlook(transfer.standing(row.id), live, version_id=row.live_version)
            return self.confirm(
                _("Move friends underway to the newest version?"),
                text=_(
                    "Each stays in the branch of the same name and gets its next step, counted "
                    "from the day of her last one; where that day has passed, on the next possible "
                    "day. From now on nobody gets a step of her old version any more; a message "
                    "that was planned already still comes."
                ),
                lines=outlook_lines(outlook),
                label=_("Move them"),
                kind="primary",
                cancel_url=back,
            )
        _begin_move(row.id)
        return redirect(back)

    @expose("/<int:sequence_id>/versions/stop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def stop_moving(self, sequence_id: int) -> Response:
        """Move nobody more; who was moved stays on the newer version."""
        row = self._get(sequence_id)
        if moves.stop(row.id, staff=current_staff(), now=clock.now(), wall=clock.wall()):
            flash(_("Nobody more is moved. Who was moved already stays there."), "success")
        return redirect(self.get_url(".versions", sequence_id=row.id))


def outlook_lines(outlook: transfer.Outlook) -> list[str]:
    """What moving does, for those it does something to."""
    lines = [
        (outlook.move, _("%(count)s friends get the next step of the new version.")),
        (outlook.finish, _("%(count)s friends have had as many steps already and are finished.")),
        (
            outlook.stay,
            _("%(count)s friends are in a branch that is gone: they finish on their old version."),
        ),
    ]
    return [text % {"count": format_count(count)} for count, text in lines if count]


def _begin_move(sequence_id: int) -> bool:
    """Whether there was anybody to move."""
    begun = moves.start(sequence_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
    doorbell.ring()
    if begun is None:
        flash(_("There is nobody to move."), "info")
    return begun is not None


def _told_move(sequence_id: int) -> dict[str, Any] | None:
    """Where the last move stands, for the page of versions."""
    row = moves.latest(sequence_id)
    if row is None:
        return None
    version = SequenceVersion.get_or_none(SequenceVersion.id == row.version_id)
    lines = [
        (row.moved, _("%(count)s friends were moved.")),
        (row.finished, _("%(count)s friends have had as many steps already and are finished.")),
        (row.stayed, _("%(count)s friends stayed: their branch is gone.")),
    ]
    return {
        "row": row,
        "number": None if version is None else version.number,
        "percent": moves.progress(row),
        "running": row.state == moves.RUNNING,
        "stopped": row.state == moves.STOPPED,
        "done": row.moved + row.finished + row.stayed,
        "lines": [text % {"count": format_count(count)} for count, text in lines if count],
    }


def _told(listed: list[SequenceVersion], underway: Any, row: Sequence) -> list[dict[str, Any]]:
    names = {
        one.id: one.name
        for one in Staff.select().where(Staff.id.in_({one.published_by or 0 for one in listed}))
    }
    told = []
    for index, version in enumerate(listed):
        before = listed[index + 1] if index + 1 < len(listed) else None
        definition: Definition = parse(version.definition)
        told.append(
            {
                "number": version.number,
                "at": version.published_at,
                "by": names.get(version.published_by or 0, ""),
                "live": version.id == row.live_version,
                "underway": underway.get(version.id, 0),
                "steps": steps_of(definition),
                "changes": differences(
                    None if before is None else parse(before.definition), definition
                ),
            }
        )
    return told


def _place(problem: Problem) -> str:
    """What the editor has to select for it to be mended."""
    if problem.step is not None:
        branch, step = problem.step
        return f"{branch}-{step + 1}"
    if problem.path[0] == "branches":
        return f"branch-{problem.path[1]}"
    return TRIGGER if problem.path[0] == "trigger" else GROUPS
