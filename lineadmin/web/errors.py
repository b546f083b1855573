"""Pages for what went wrong, in words and in our look; a traceback goes to the log only."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, jsonify, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from lineadmin.errors import Conflict, DomainError, NotAllowed
from lineadmin.i18n import _, _l

log = logging.getLogger(__name__)

HEADINGS: dict[int, Any] = {
    400: _l("This request was not understood"),
    401: _l("Please sign in first"),
    403: _l("You may not do this"),
    404: _l("There is nothing here"),
    405: _l("This address does not take that"),
    409: _l("Somebody else was faster"),
    413: _l("That is too large"),
    429: _l("Too many requests"),
    500: _l("Something went wrong on our side"),
    503: _l("Not available right now"),
}
TEXTS: dict[int, Any] = {
    400: _l("Go back, load the page again and try once more."),
    401: _l("Your session has ended. Sign in again and repeat what you were doing."),
    403: _l("Ask an owner of the shop if you need this."),
    404: _l("The address may be mistyped, or what was here has been deleted."),
    405: _l("Go back and use the buttons on the page."),
    409: _l("Nothing of yours was saved. Load the page again to see the new state."),
    413: _l("Choose a smaller file."),
    429: _l("Wait a minute and try again."),
    500: _l("Nothing is lost. Try again; if it happens again, tell whoever runs this server."),
    503: _l("The database does not answer. Try again in a minute."),
}


def init_app(app: Flask) -> None:
    """Answer every error with a page of ours, or with JSON where a script asks for it."""
    for code in default_exceptions:
        app.register_error_handler(code, _http_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(DomainError, _refusal)
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(InterfaceError, _no_database)
    app.register_error_handler(OverflowError, _no_such_number)


def _http_error(error: HTTPException) -> Any:
    code = error.code or 500
    if error.response is not None:
        return error.response
    if isinstance(error, InternalServerError) or code >= 500:
        return _answer(code, framed=False)
    # A description of our own is a sentence for staff; werkzeug's are English and technical.
    own = error.description if error.description != type(error).description else None
    return _answer(code, text=own if code in (403, 409, 413) else None)


def _csrf_error(error: CSRFError) -> Any:
    return _answer(
        400,
        heading=_("This form is out of date"),
        text=_("You were signed out meanwhile, or cookies are off. Load the page and try again."),
    )


def _refusal(error: DomainError) -> Any:
    code = 403 if isinstance(error, NotAllowed) else 409 if isinstance(error, Conflict) else 400
    return _answer(code, heading=_("This was refused") if code == 400 else None, text=str(error))


def _no_database(error: Exception) -> Any:
    log.exception("The database does not answer", exc_info=error)
    return _answer(503, framed=False)


def _no_such_number(error: OverflowError) -> Any:
    # SQLite's way of saying that no row can have this key: somebody made the address up.
    if "SQLite INTEGER" not in str(error):
        log.exception("A number ran over", exc_info=error)
        return _answer(500, framed=False)
    return _answer(404)


def _answer(
    code: int, *, heading: str | None = None, text: str | None = None, framed: bool = True
) -> Any:
    heading = heading or str(HEADINGS.get(code, HEADINGS[400 if code < 500 else 500]))
    text = text or str(TEXTS.get(code, TEXTS[400 if code < 500 else 500]))
    if request.accept_mimetypes.best == "application/json" or request.is_json:
        return jsonify(error=text), code
    staff_page = request.path.startswith(("/admin", "/simulator"))
    if framed and staff_page and _signed_in():
        return render_template("admin/error.html", code=code, heading=heading, text=text), code
    home = url_for("admin.index") if staff_page else ""
    page = render_template("web/error.html", code=code, heading=heading, text=text, home=home)
    return page, code


def _signed_in() -> bool:
    return bool(current_user and current_user.is_authenticated)
