"""`POST /webhook`: verify, keep, answer. Nothing else happens while LINE is waiting."""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from lineadmin import clock, tasks
from lineadmin import db as database
from lineadmin.config import Config
from lineadmin.inbox.store import store_events
from lineadmin.line.limits import REQUEST_BODY_BYTES
from lineadmin.line.parse import BadWebhook, parse_webhook
from lineadmin.line.signature import verify

logger = logging.getLogger(__name__)

blueprint = Blueprint("webhook", __name__)


def init_app(app: Flask) -> None:
    """Open the door. LINE has no session, so there is nothing to forge: no CSRF token here."""
    app.extensions["csrf"].exempt(blueprint)
    app.register_blueprint(blueprint)


@blueprint.post("/webhook")
def receive_events() -> tuple[str, int]:
    """200 once every event is safe on disk; 400 for what LINE did not send, 413 above 2 MB.

    A redelivered event is kept once (webhookEventId is unique), so answering again is harmless.
    """
    request.max_content_length = REQUEST_BODY_BYTES
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _refuse("larger than 2 MB", 413)
    config: Config = current_app.extensions["lineadmin"]
    signature = request.headers.get("X-Line-Signature")
    if not verify(body, signature, config.line_channel_secret or ""):
        return _refuse("wrong signature" if signature else "no signature", 400)
    try:
        events = parse_webhook(body)
    except BadWebhook as error:
        return _refuse(str(error), 400)
    if events:
        database.ensure_connection()
        store_events(events, wall=clock.wall())
        tasks.ring()
    return "", 200


def _refuse(why: str, status: int) -> tuple[str, int]:
    # Neither body nor signature belong in a log: whoever reads it could replay them.
    logger.warning(
        "webhook refused (%s): %s, %s bytes, from %s",
        status,
        why,
        request.content_length,
        request.remote_addr,
    )
    return "", status
