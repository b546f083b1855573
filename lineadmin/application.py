"""Putting the house together: one Flask application with its doors."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from functools import cache
from pathlib import Path

import flask_babel
from flask import Flask, Response, g, redirect, request
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as BaseResponse
from whitenoise import WhiteNoise

from lineadmin import admin, cli, clock, i18n, migrate, settings, web
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.config import Config
from lineadmin.messages import films

STATIC = Path(__file__).parent.parent / "static"
MAX_UPLOAD_BYTES = 12 * 1024 * 1024  # LINE takes pictures up to 10 MB
LARGEST_NUMBER = 2**31 - 1  # of a key, in PostgreSQL
FILM_DOOR = "/admin/composer/film"  # the one that takes more

csrf = CSRFProtect()


class RowNumber(IntegerConverter):
    """A whole number in an address: one that no table can have leads nowhere (404)."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_NUMBER)


def create_app(config: Config | None = None, *, check_migrations: bool = True) -> Flask:
    """The application for `config` (default: the environment's).

    :raises ConfigError: a setting is wrong, or the database lacks a migration
    """
    config = configuration.use(config or configuration.current())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    database.open_database(config.database_url)
    clock.allow_moving(config.simulator)
    app = Flask("lineadmin", static_folder=None, template_folder="templates")
    app.url_map.converters["int"] = RowNumber
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        # The token is bound to the session: a composer left open over lunch must still save.
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_NAME="lineadmin",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not config.simulator,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
    )
    app.extensions["lineadmin"] = config
    cli.init_app(app)
    if check_migrations:
        migrate.refuse_if_pending()
    app.before_request(_let_films_in)  # before the CSRF check, which reads the body
    csrf.init_app(app)
    flask_babel.Babel(app, locale_selector=i18n.locale)
    app.before_request(_prepare_request)
    app.after_request(_add_security_headers)
    _add_template_words(app)
    web.init_app(app)
    admin.init_app(app)
    if config.simulator:
        from lineadmin.simulator import page

        page.init_app(app)
    app.add_url_rule("/", "root", lambda: redirect("/admin/"))
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(STATIC),
        prefix=f"static/{static_version()}/",
        immutable_file_test=lambda path, url: True,
        max_age=31_536_000,
    )
    if config.dyno:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app


@cache
def static_version() -> str:
    """A short hash over every static file: it is part of their path, so they can be cached for ever
    and modules that import each other by relative path always match."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static(path: str) -> str:
    """The address of a static file: `static('css/base.css')`."""
    return f"/static/{static_version()}/{path}"


def csp_nonce() -> str:
    """This request's nonce for scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _let_films_in() -> None:
    if request.path == FILM_DOOR:
        request.max_content_length = films.FILE_BYTES + 1


def _prepare_request() -> None:
    if request.path in ("/webhook", "/healthz"):
        return
    database.ensure_connection()
    wanted = request.accept_languages.best_match(["zh-TW", "zh", "ja", "en"], "zh-TW")
    i18n.set_locale({"ja": "ja", "en": "en"}.get(wanted or "", i18n.DEFAULT_LOCALE))
    i18n.set_zone(settings.shop_zone())


def _add_security_headers(response: Response) -> BaseResponse:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; "
        f"script-src 'self' 'nonce-{csp_nonce()}'; "
        "style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob: https:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault(
        "Permissions-Policy", "camera=(self), microphone=(), geolocation=()"
    )
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _add_template_words(app: Flask) -> None:
    app.jinja_env.globals.update(
        {
            "_": i18n._,
            "_n": i18n._n,
            "gettext": i18n._,
            "ngettext": i18n._n,
            "static": static,
            "csp_nonce": csp_nonce,
            "locale": i18n.locale,
            "html_lang": lambda: i18n.HTML_LANG[i18n.locale()],
            "LOCALE_NAMES": i18n.LOCALE_NAMES,
            "shop_now": clock.now,
        }
    )
    app.jinja_env.filters.update(
        {
            "shop_datetime": i18n.format_datetime,
            "shop_date": i18n.format_date,
            "shop_time": i18n.format_time,
            # Not "count": Jinja has a filter of that name.
            "number": i18n.format_count,
            "twd": i18n.format_twd,
        }
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
