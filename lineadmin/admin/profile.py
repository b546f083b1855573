"""One's own profile: name, language, password, and the browsers one is signed in with."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import PasswordField, SelectField, StringField, validators

from lineadmin import clock, i18n
from lineadmin.admin.base import AdminPage, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.identity import current_session
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import LOCALE_NAMES, _, _l, _n
from lineadmin.staff import actions, passwords, sessions
from lineadmin.staff.browsers import browser_name
from lineadmin.staff.models import StaffSession
from lineadmin.staff.permissions import MATRIX, ROLE_LABELS, VERB_LABELS


class ProfileForm(StaffForm):
    """One's name and language."""

    name = StringField(
        _l("Person's name"),
        [validators.InputRequired(), validators.Length(max=actions.LONGEST_NAME)],
        render_kw={"autocomplete": "name"},
    )
    locale = SelectField(_l("Language"), choices=list(LOCALE_NAMES.items()))


class PasswordForm(StaffForm):
    """The present password and a new one, twice."""

    old_password = PasswordField(
        _l("Present password"),
        [validators.InputRequired()],
        render_kw={"autocomplete": "current-password"},
    )
    new_password = PasswordField(
        _l("New password"),
        [validators.InputRequired()],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("New password once more"),
        [
            validators.InputRequired(),
            validators.EqualTo("new_password", _l("The two are not the same.")),
        ],
        render_kw={"autocomplete": "new-password"},
    )


class ProfileView(AdminPage):
    """Everybody's own page."""

    menu_icon = "user"
    in_menu = False

    @expose("/", methods=("GET", "POST"))
    @needs("view", post="view")
    def index(self) -> Response | str | tuple[str, int]:
        """Name, language, what one may do, and one's sessions."""
        staff = current_staff()
        posted = request.method == "POST"
        form = ProfileForm(request.form if posted else None, obj=staff)
        if posted and form.validate():
            try:
                actions.edit_profile(
                    staff,
                    name=form.name.data,
                    locale=form.locale.data,
                    version=request.form.get("version", type=int) or 0,
                    wall=clock.wall(),
                )
            except Conflict as error:
                flash(str(error), "error")
                return redirect(self.get_url(".index"))
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
            else:
                i18n.set_locale(form.locale.data)
                flash(_("Saved."), "success")
                return redirect(self.get_url(".index"))
        page = self.render(
            "admin/profile.html",
            form=form,
            staff=staff,
            role=ROLE_LABELS[staff.role],
            verbs=[label for verb, label in VERB_LABELS.items() if verb in MATRIX[staff.role]],
            sessions=sessions.of(staff, wall=clock.wall()),
            here=current_session(),
            browser_name=browser_name,
        )
        return (page, 400) if form.errors else page

    @expose("/password", methods=("GET", "POST"))
    @needs("view", post="view")
    def password(self) -> Response | str | tuple[str, int]:
        """Change one's password; other sessions end."""
        staff = current_staff()
        posted = request.method == "POST"
        form = PasswordForm(request.form if posted else None)
        if posted and form.validate():
            try:
                actions.change_password(
                    staff,
                    form.old_password.data,
                    form.new_password.data,
                    keep_session=current_session().id,
                    wall=clock.wall(),
                )
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
            else:
                flash(_("Your password was changed; other devices are signed out."), "success")
                return redirect(self.get_url(".index"))
        page = self.render(
            "admin/password.html",
            form=form,
            forced=staff.must_change_password,
            minimum=passwords.MINIMUM_LENGTH,
        )
        return (page, 400) if form.errors else page

    @expose("/sessions/end", methods=("POST",))
    @needs("view", post="view")
    def end_session(self) -> Response:
        """End one of one's own sessions elsewhere."""
        session = StaffSession.get_or_none(
            StaffSession.id == request.form.get("id", type=int),
            StaffSession.staff == current_staff(),
        )
        if session is None:
            abort(404)
        if session.id == current_session().id:
            flash(_("This is where you are; use “Sign out”."), "warning")
        elif actions.end_own_session(current_staff(), session, wall=clock.wall()):
            flash(_("That device is signed out."), "success")
        return redirect(self.get_url(".index"))

    @expose("/sessions/end-all", methods=("POST",))
    @needs("view", post="view")
    @flash_refusals
    def end_all(self) -> Response:
        """End every session but this one."""
        ended = actions.sign_out_everywhere(
            current_staff(), but=current_session().id, wall=clock.wall()
        )
        flash(_n("%(count)s device signed out.", "%(count)s devices signed out.", ended), "success")
        return redirect(self.get_url(".index"))


def views() -> list[tuple[Any, str, int]]:
    """The screen; it is reached from one's own menu, not from the sidebar."""
    return [(ProfileView(_l("My profile"), endpoint="profile"), "settings", 90)]
