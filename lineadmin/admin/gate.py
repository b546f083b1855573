"""What every staff screen goes through: sign-in, permission by route and method, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import abort, flash, redirect, request, url_for
from flask_admin import BaseView
from flask_admin.helpers import get_redirect_target
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin.admin.identity import current_staff, send_to_sign_in, staff_or_none
from lineadmin.errors import DomainError
from lineadmin.i18n import _
from lineadmin.staff import permissions

Route = TypeVar("Route", bound=Callable[..., Any])

# Where somebody may still go who has to choose a password of their own first.
PASSWORD_FIRST = {"profile.password", "sign_in.sign_out"}


def needs(verb: str, *, post: str | None = None) -> Callable[[Route], Route]:
    """The permission a route needs; `post` where sending a form needs more than reading it.

    Goes under `@expose`. A route that takes POST must carry it (or be named in the view's
    `route_permissions`): a screen without it does not start.
    """

    def mark(route: Route) -> Route:
        route.needed = (verb, post or verb)  # type: ignore[attr-defined]
        return route

    return mark


def flash_refusals(route: Route) -> Route:
    """A DomainError becomes a message on the page one came from."""

    @wraps(route)
    def inner(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return route(self, *args, **kwargs)
        except DomainError as error:
            flash(str(error), "error")
            return redirect(self.back_url())

    return inner  # type: ignore[return-value]


class Gate:
    """Mixed into every view of the panel."""

    required_permission = "view"  # of every route that names no other
    route_permissions: Mapping[str, str | tuple[str, str]] = {}  # verb, or (verb, verb for POST)
    menu_icon = "template"
    in_menu = True

    endpoint: str
    name: Any

    def permission_of(self, route: str, method: str = "GET") -> str:
        """The verb that `method` on `route` needs."""
        marked = getattr(getattr(type(self), route, None), "needed", None)
        needed = self.route_permissions.get(route) or marked or self.required_permission
        reading, sending = (needed, needed) if isinstance(needed, str) else needed
        return reading if method in ("GET", "HEAD", "OPTIONS") else sending

    def is_accessible(self) -> bool:
        """Whether the person who is asking sees this screen at all."""
        return permissions.may(staff_or_none(), self.permission_of(self.default_route()))

    def default_route(self) -> str:
        """The name of the method behind the view's first page."""
        return str(self._default_view)  # type: ignore[attr-defined]

    def create_blueprint(self, admin: Any) -> Any:
        """:raises TypeError: a route that changes things does not say who may, or misspells it"""
        for _url, route, methods in self._urls:  # type: ignore[attr-defined]
            for method in methods or ():
                if self.permission_of(route, method) not in permissions.VERBS:
                    raise TypeError(f"{type(self).__name__}.{route} needs a verb that is none")
            named = route in self.route_permissions or hasattr(getattr(type(self), route), "needed")
            if set(methods or ()) - {"GET"} and not named:
                raise TypeError(f"{type(self).__name__}.{route} takes POST: mark it with @needs")
        return super().create_blueprint(admin)  # type: ignore[misc]

    def _handle_view(self, name: str, **kwargs: Any) -> Response | None:
        staff = staff_or_none()
        if staff is None:
            return send_to_sign_in()
        if staff.must_change_password and request.endpoint not in PASSWORD_FIRST:
            return redirect(url_for("profile.password"))
        verb = self.permission_of(name, request.method)
        if not permissions.may(staff, verb):
            abort(403, permissions.refusal(staff, verb))
        return None

    def _run_view(self, route: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin's own calls the route a second time after any TypeError inside it.
        return route(self, *args, **kwargs)

    def may(self, verb: str) -> bool:
        """Whether the person who is asking may do `verb`; for templates, the doors check again."""
        return permissions.may(staff_or_none(), verb)

    def back_url(self) -> str:
        """Where to go after an action: the page named in the form, or this view's first page."""
        target = get_redirect_target()
        return target or url_for(f"{self.endpoint}.{self.default_route()}")

    def confirm(
        self,
        question: str,
        *,
        label: str,
        text: str = "",
        lines: Sequence[str] = (),
        kind: str = "danger",
        hidden: Mapping[str, Any] | None = None,
        action: str = "",
        cancel_url: str | None = None,
        typed: str = "",
    ) -> str:
        """A page that asks before something is done; it posts `confirmed=1` and the hidden fields
        back to `action` (default: the same address). With `typed` that word has to be typed, and
        arrives as `typed`."""
        return self.render(  # type: ignore[attr-defined]
            "admin/confirm.html",
            question=question,
            text=text,
            lines=lines,
            confirm_label=label,
            kind=kind,
            hidden=dict(hidden or {}),
            action=action,
            cancel_url=cancel_url or self.back_url(),
            typed=typed,
        )

    def confirmed(self) -> bool:
        """Whether this request is the answer of a confirm page."""
        return request.method == "POST" and request.form.get("confirmed") == "1"


class AdminPage(Gate, BaseView):
    """A screen that is not a list of rows: home, composer, redeem, settings …

    `AdminPage(_l("Redeem"), endpoint="redeem")`, routes with `@expose` and `@needs`, and
    `self.render("admin/redeem.html", …)` with a template that extends "admin/master.html".
    """

    def __init__(self, name: Any = None, endpoint: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, endpoint=endpoint, **kwargs)


def yes_no(value: bool) -> Markup:
    """A boolean in a list."""
    if value:
        return Markup('<span class="badge ok">{}</span>').format(_("Yes"))
    return Markup('<span class="hint">{}</span>').format(_("No"))


__all__ = [
    "AdminPage",
    "Gate",
    "current_staff",
    "flash_refusals",
    "needs",
    "yes_no",
]
