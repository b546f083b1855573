"""LINE 受眾: segments handed over to LINE, with what LINE does and does not do with them."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, validators

from lineadmin import clock
from lineadmin.admin import listing
from lineadmin.admin.at_line import at_line
from lineadmin.admin.base import AdminPage, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.audiences import actions, upload
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.line import limits
from lineadmin.segments.models import Segment

ROWS = 50
STATUSES: dict[str, tuple[str, Any]] = {
    "IN_PROGRESS": ("warn", _l("LINE is preparing it")),
    "READY": ("ok", _l("Ready")),
    "FAILED": ("bad", _l("LINE could not make it")),
    "EXPIRED": ("quiet", _l("Expired")),
    "INACTIVE": ("quiet", _l("Switched off")),
    "ACTIVATING": ("warn", _l("Being switched on")),
}
KINDS: dict[str, Any] = {
    "UPLOAD": _l("User IDs"),
    "CLICK": _l("Message click"),
    "IMP": _l("Message impression"),
    "CHAT_TAG": _l("Chat tag"),
    "FRIEND_PATH": _l("Gained-through path"),
    "RICHMENU_IMP": _l("Rich menu impression"),
    "RICHMENU_CLICK": _l("Rich menu click"),
    "WEBTRAFFIC": _l("Web traffic"),
}
PROBLEMS: dict[str, Any] = {
    upload.NOBODY: _l("There is nobody in it who could be handed over."),
    upload.NO_SEGMENT: _l("Its segment cannot be asked any more."),
    upload.NOT_ALLOWED: _l(
        "LINE does not let this account use audiences (403): they exist in Taiwan, Japan and "
        "Thailand only."
    ),
    "AUDIENCE_GROUP_AUDIENCE_INSUFFICIENT": _l("There are too few people in it."),
    "INTERNAL_ERROR": _l("LINE had a problem of its own. Make it again."),
}


class AudienceForm(StaffForm):
    """Which segment, under which name."""

    segment = SelectField(_l("Segment"), [validators.InputRequired()], validate_choice=False)
    name = StringField(
        _l("Name at LINE"),
        [validators.Length(max=limits.AUDIENCE_NAME)],
        filters=[stripped],
        description=_l("Empty: the segment's own name."),
    )


class LineAudiencesView(AdminPage):
    """Beside the segments they are made of."""

    menu_icon = "upload"

    @expose("/")
    def index(self) -> str:
        """Every audience we know of, the newest first."""
        page = listing.newest_first(
            LineAudience.select(), LineAudience.id, ROWS, partial(self.get_url, ".index")
        )

        return self.render(
            "admin/line_audiences.html",
            rows=page.rows,
            state_of=_state,
            kind_of=lambda row: KINDS.get(row.kind, row.kind),
            problem_of=_problem,
            can_fill=lambda row: bool(row.segment) and row.state in (actions.THERE, actions.FAILED),
            can_delete=lambda row: (
                row.may_change
                and not row.purpose
                and row.state not in (actions.ASKED, actions.UNCLEAR)
            ),
            purpose_of=_purpose,
            life_days=limits.AUDIENCE_LIFE_DAYS,
            page=page,
        )

    @expose("/new/", methods=("GET", "POST"))
    @needs("edit")
    def create(self) -> Response | str | tuple[str, int]:
        """Have the worker hand a segment over."""
        form = AudienceForm(request.form if request.method == "POST" else request.args)
        names = Segment.select(Segment.name).where(Segment.archived_at.is_null())
        form.segment.choices = [(row.name, row.name) for row in names.order_by(Segment.name)]
        if request.method == "POST" and form.validate():
            try:
                made = actions.create(
                    form.segment.data or "",
                    form.name.data or "",
                    staff=current_staff(),
                    wall=clock.wall(),
                )
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
                    return self._form(form), 400
            else:
                flash(_("“%(name)s” is being handed over to LINE.", name=made.name), "success")
                return redirect(self.get_url(".index"))
        page = self._form(form)
        return (page, 400) if form.errors else page

    @expose("/fill/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def fill(self) -> Response:
        """Hand those over who have come into the segment."""
        row = _asked_row()
        actions.hand_over_again(row.id, staff=current_staff(), wall=clock.wall())
        flash(_("“%(name)s” is being handed over to LINE.", name=row.name), "success")
        return redirect(self.get_url(".index"))

    @expose("/delete/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def delete(self) -> Response | str:
        """Delete one at LINE, for good."""
        row = _asked_row()
        if not self.confirmed():
            return self.confirm(
                _("Delete “%(name)s” at LINE?", name=row.name),
                text=_(
                    "It cannot be brought back, and whatever uses it at LINE loses it. The segment "
                    "here stays as it is."
                ),
                label=_("Delete for good"),
                hidden={"id": row.id},
                action=self.get_url(".delete"),
                cancel_url=self.get_url(".index"),
            )
        with at_line() as gateway:
            actions.delete(row.id, gateway=gateway, staff=current_staff(), wall=clock.wall())
        flash(_("“%(name)s” is deleted.", name=row.name), "success")
        return redirect(self.get_url(".index"))

    @expose("/refresh/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def refresh(self) -> Response:
        """Ask LINE for its list."""
        with at_line() as gateway:
            found = actions.refresh(gateway=gateway, wall=clock.wall())
        flash(
            _(
                "LINE has %(there)s audiences; %(learned)s of them were new here, %(gone)s are "
                "gone.",
                there=format_count(found.there),
                learned=format_count(found.learned),
                gone=format_count(found.gone),
            ),
            "success",
        )
        return redirect(self.get_url(".index"))

    def _form(self, form: AudienceForm) -> str:
        return str(self.render("admin/line_audience_new.html", form=form))


def _asked_row() -> LineAudience:
    asked = LineAudience.get_or_none(LineAudience.id == request.form.get("id", 0, type=int))
    row: LineAudience = asked or abort(404)
    return row


def _state(row: LineAudience) -> tuple[str, Any]:
    if row.state in (actions.ASKED, actions.UNCLEAR):
        return "warn", _("Waiting for LINE")
    if row.state == actions.WAITING:
        return "warn", _("Being handed over")
    if row.state == actions.FAILED:
        return "bad", _("Not handed over")
    return STATUSES.get(row.status, ("", row.status))


def _purpose(row: LineAudience) -> str:
    """What it is for, where it was made for or of a broadcast."""
    if row.broadcast_id is None:
        return ""
    found = Broadcast.get_or_none(Broadcast.id == row.broadcast_id)
    name = "" if found is None else found.name
    if row.purpose:
        return _("Keeps friends out of “%(name)s”; deleted by itself afterwards.", name=name)
    return _("Of the broadcast “%(name)s”", name=name)


def _problem(row: LineAudience) -> str:
    if row.problem:
        known = PROBLEMS.get(row.problem)
        return str(known) if known else _("LINE refused it: %(words)s", words=row.problem)
    return str(PROBLEMS.get(row.failed_kind, row.failed_kind))


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(LineAudiencesView(_l("LINE audiences"), endpoint="line_audiences"), "friends", 25)]
