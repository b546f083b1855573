"""Signing in and out: the only staff pages that need nobody signed in."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, validators

from lineadmin import clock, config
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.identity import (
    close_session,
    current_session,
    current_staff,
    open_session,
    safe_next,
    staff_or_none,
)
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.staff import actions

bp = Blueprint("sign_in", __name__, url_prefix="/admin")


class SignInForm(StaffForm):
    """An address and a password."""

    email = StringField(
        _l("E-mail"),
        [validators.InputRequired()],
        render_kw={"type": "email", "autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        _l("Password"),
        [validators.InputRequired()],
        render_kw={"autocomplete": "current-password"},
    )


def init_app(app: Flask) -> None:
    """Mount the two pages."""
    app.register_blueprint(bp)


@bp.route("/sign-in", methods=("GET", "POST"))
def index() -> Response | str | tuple[str, int]:
    """Ask for address and password; afterwards go where the person wanted to go."""
    wanted = safe_next(request.values.get("next"))
    if staff_or_none() is not None:
        return redirect(wanted)
    form = SignInForm(request.form if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.validate():
        try:
            staff, token = actions.sign_in(
                form.email.data,
                form.password.data,
                address=request.remote_addr or "",
                browser=request.user_agent.string,
                wall=clock.wall(),
            )
        except DomainError as error:
            problem = str(error)
        else:
            open_session(token)
            return redirect(url_for("profile.password") if staff.must_change_password else wanted)
    status = 400 if request.method == "POST" else 200
    page = render_template(
        "admin/sign_in.html",
        form=form,
        problem=problem,
        next=request.values.get("next", ""),
        demo_owner=config.current().owner_email if config.current().simulator else "",
    )
    return page, status


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this session."""
    if staff_or_none() is not None:
        actions.sign_out(current_staff(), current_session().id, wall=clock.wall())
        close_session()
        flash(_("You are signed out."), "success")
    return redirect(url_for("sign_in.index"))
