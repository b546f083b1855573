"""`POST /webhook`: verify, keep, answer. Nothing else happens while LINE is waiting.

A WSGI door of its own in front of Flask: sessions, CSRF, languages and page headers are of no use
to LINE, and going through them would take longer than keeping the event.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask

from lineadmin import clock, tasks
from lineadmin.config import Config
from lineadmin.inbox.store import store_events
from lineadmin.line.limits import REQUEST_BODY_BYTES
from lineadmin.line.parse import BadWebhook, parse_webhook
from lineadmin.line.signature import verify

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/webhook"

logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Put the door in front of the application."""
    config: Config = app.extensions["lineadmin"]
    app.wsgi_app = WebhookDoor(app.wsgi_app, config)  # type: ignore[method-assign]


class WebhookDoor:
    """Answers LINE by itself and lets everybody else through to `inside`."""

    def __init__(self, inside: WSGIApplication, config: Config) -> None:
        self._inside = inside
        self._secret = config.line_channel_secret or ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self._inside(environ, start_response)
        try:
            status = self._receive(environ)
        except Exception:
            # LINE sends the events again where redelivery is switched on.
            logger.exception("webhook events could not be kept")
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "0")]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        start_response(f"{status.value} {status.phrase}", headers)
        return ()

    def _receive(self, environ: WSGIEnvironment) -> HTTPStatus:
        """200 once every event is safe on disk; 400 for what LINE did not send, 413 above 2 MB.

        A redelivered event is kept once (webhookEventId is unique), so answering again is harmless.
        """
        if environ["REQUEST_METHOD"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        body = _body(environ)
        if body is None:
            return _refuse(environ, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "larger than 2 MB")
        signature = environ.get("HTTP_X_LINE_SIGNATURE")
        if not verify(body, signature, self._secret):
            why = "wrong signature" if signature else "no signature"
            return _refuse(environ, HTTPStatus.BAD_REQUEST, why)
        try:
            events = parse_webhook(body)
        except BadWebhook as error:
            return _refuse(environ, HTTPStatus.BAD_REQUEST, str(error))
        if events:
            store_events(events, wall=clock.wall())
            tasks.ring()
        return HTTPStatus.OK


def _body(environ: WSGIEnvironment) -> bytes | None:
    """The whole body; None above the limit, which is then not read."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length:
        size = int(length) if length.isascii() and length.isdigit() else 0
        return None if size > REQUEST_BODY_BYTES else _read(environ, size)
    if environ.get("wsgi.input_terminated"):  # chunked: the server knows the end, we do not
        body = _read(environ, REQUEST_BODY_BYTES + 1)
        return None if len(body) > REQUEST_BODY_BYTES else body
    return b""


def _read(environ: WSGIEnvironment, size: int) -> bytes:
    source: Any = environ["wsgi.input"]
    pieces: list[bytes] = []
    while size > 0:
        piece = source.read(size)
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _refuse(environ: WSGIEnvironment, status: HTTPStatus, why: str) -> HTTPStatus:
    # Neither body nor signature belong in a log: whoever reads it could replay them.
    logger.warning(
        "webhook refused (%s): %s, %s bytes, from %s",
        status.value,
        why,
        environ.get("CONTENT_LENGTH") or "?",
        environ.get("REMOTE_ADDR", "?"),
    )
    return status
