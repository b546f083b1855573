"""Who is asking: the cookie, the session row behind it, and the person behind that."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from lineadmin import clock, i18n
from lineadmin.staff import audit, sessions
from lineadmin.staff.models import Staff, StaffSession

STAFF_PATHS = ("/admin", "/simulator")


class SignedIn(UserMixin):
    """What Flask-Login knows of a person: the token in the cookie and the row it stands for."""

    def __init__(self, token: str, row: StaffSession) -> None:
        self.token = token
        self.session = row
        self.staff: Staff = row.staff

    def get_id(self) -> str:
        return self.token


def init_app(app: Flask) -> None:
    """Recognise signed-in staff on every request to a staff page, and speak their language."""
    manager = LoginManager()
    manager.session_protection = None  # sessions are rows of our own; phones change addresses
    manager.user_loader(_load)
    manager.init_app(app)
    app.before_request(_greet)
    app.teardown_request(lambda _error: audit.set_address(""))


def current_staff() -> Staff:
    """The person who is asking; for doors that only signed-in staff can reach."""
    staff = staff_or_none()
    if staff is None:
        abort(401)
    return staff


def staff_or_none() -> Staff | None:
    """The person who is asking, or None where nobody is signed in."""
    return current_user.staff if current_user.is_authenticated else None


def current_session() -> StaffSession:
    """The session row of the person who is asking."""
    if not current_user.is_authenticated:
        abort(401)
    row: StaffSession = current_user.session
    return row


def open_session(token: str) -> None:
    """Put the token of a fresh session into the cookie, and nothing of an older one with it."""
    row = sessions.find(token, wall=clock.wall())
    if row is None:
        abort(401)
    session.clear()
    session.permanent = True
    login_user(SignedIn(token, row))
    i18n.set_locale(row.staff.locale)


def close_session() -> None:
    """Empty the cookie."""
    logout_user()
    session.clear()


def send_to_sign_in() -> Response:
    """Ask for sign-in first, and come back here afterwards where that makes sense."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.index", next=wanted))


def safe_next(target: str | None) -> str:
    """A page of this panel to go to after signing in; anything else becomes the home page."""
    home = url_for("admin.index")
    if not target or "\\" in target or any(ord(letter) < 32 for letter in target):
        return home
    try:
        parts = urlsplit(target)
    except ValueError:
        return home
    inside = parts.path.split("/")[1:2] in (["admin"], ["simulator"])
    if parts.scheme or parts.netloc or not inside or target.startswith("//"):
        return home
    return target


def _load(token: str) -> SignedIn | None:
    row = sessions.find(token, wall=clock.wall())
    return None if row is None else SignedIn(token, row)


def _greet() -> None:
    if not request.path.startswith(STAFF_PATHS):
        audit.set_address("")
        return
    audit.set_address(request.remote_addr or "")
    staff = staff_or_none()
    if staff is not None:
        i18n.set_locale(staff.locale)
