"""Members from a file, and the settings of members; pages of the members screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField, validators

from lineadmin import clock, settings
from lineadmin.admin import export, two_tabs
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.gate import current_staff, needs
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.members import csv_file
from lineadmin.members.setup import KEY, PROOFS, MemberSetup, change, setup, usual_words
from lineadmin.reminders import points

_MEANINGS: dict[str, Any] = {
    "number": _l("Needed. Letters, digits, - and _"),
    "name": _l("The member's name"),
    "phone": _l("Used to bind; spaces and dashes do not matter"),
    "birthday": _l("Such as 1998-05-20"),
    "level": _l("One of the levels of the settings"),
    "points": _l("To give; with a minus, to take"),
    "points_until": _l("The last day of these points; empty: as the settings say"),
    "reason": _l("Why, as the member reads it"),
    "id": _l("A receipt or other number: the same one gives points once"),
}


class SetupForm(StaffForm):
    """What the shop decides about its members."""

    enabled = BooleanField(_l("We have members"))
    levels = TextAreaField(
        _l("Levels"), description=_l("One on each line, such as 一般, 黃金. None is fine.")
    )
    proof = RadioField(
        _l("What a friend has to know beside the number"), choices=list(PROOFS.items())
    )
    points_days = IntegerField(
        _l("Days points are good for"),
        [validators.Optional(), validators.NumberRange(1, 3650)],
        description=_l("To the shop's midnight. Empty: they do not end."),
    )

    remind_days = IntegerField(
        _l("Days before points end"),
        [validators.Optional(), validators.NumberRange(0, 90)],
        description=_l("A message, once per friend and day; 0 is their last day. Empty: none."),
    )
    remind_at = StringField(_l("Time of the reminder"), render_kw={"type": "time"})
    remind_words = TextAreaField(_l("Words of the reminder"))

    def __init__(self, formdata: Any = None, kept: MemberSetup | None = None) -> None:
        started = (
            {}
            if kept is None
            else {
                **vars(kept),
                "levels": "\n".join(kept.levels),
                "remind_words": kept.remind_words or usual_words(),
            }
        )
        super().__init__(formdata, **started)

    def changes(self) -> dict[str, Any]:
        """What members/setup.py takes."""
        words = (self.remind_words.data or "").strip().replace("\r\n", "\n")
        return {
            "enabled": self.enabled.data,
            "levels": tuple((self.levels.data or "").splitlines()),
            "proof": self.proof.data,
            "points_days": self.points_days.data,
            "remind_days": self.remind_days.data,
            "remind_at": self.remind_at.data or "11:00",
            "remind_words": "" if words == usual_words() else words,
        }


class MemberFiles:
    """The pages beside the list."""

    render: Any
    get_url: Any
    may: Any

    @expose("/import/", methods=("GET", "POST"))
    @needs("import")
    def import_file(self) -> str | tuple[str, int]:
        """Take members and points from a CSV."""
        result, name = None, ""
        file = request.files.get("file")
        if request.method == "POST":
            try:
                if file is None or not file.filename:
                    raise DomainError(_l("Choose a file first."))
                name = Path(file.filename.replace("\\", "/")).name[:100]
                result = csv_file.import_csv(
                    file.stream.read(),
                    name=name,
                    staff=current_staff(),
                    now=clock.now(),
                    wall=clock.wall(),
                )
            except DomainError as error:
                flash(str(error), "error")
        page: str = self.render(
            "admin/member_import.html", columns=_MEANINGS, result=result, name=name
        )
        return (page, 400) if request.method == "POST" and result is None else page

    @expose("/import/template.csv")
    @needs("import")
    def import_template(self) -> Response:
        """An empty file with the right header and one row to copy."""
        return export.csv_response("members-template", csv_file.template())

    @expose("/settings/", methods=("GET", "POST"))
    @needs("edit")
    def settings(self) -> BaseResponse | str | tuple[str, int]:
        """Whether there are members, and how they bind."""
        form = SetupForm(request.form) if request.method == "POST" else SetupForm(None, setup())
        status = 200
        if request.method == "POST":
            status = 400
            if form.validate():
                try:
                    change(
                        form.changes(),
                        staff=current_staff(),
                        wall=clock.wall(),
                        version=two_tabs.posted_version(settings.version_of(KEY)),
                    )
                except Conflict as error:
                    flash(str(error), "error")
                    form, status = SetupForm(None, setup()), 409
                except DomainError as error:
                    if not form.refuse(error):
                        flash(str(error), "error")
                else:
                    flash(_("Saved."), "success")
                    return redirect(self.get_url(".index_view"))
        page: str = self.render(
            "admin/member_settings.html",
            form=form,
            hidden=two_tabs.hidden_fields(SetupForm(None, setup()), settings.version_of(KEY)),
            reminder_refused=points.is_refused(),
        )
        return (page, status) if status != 200 else page
