"""`/healthz`: is the house alive, for platforms and monitoring. Tells numbers, never names."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, jsonify

from lineadmin import clock
from lineadmin import db as database
from lineadmin.inbox.models import InboundEvent
from lineadmin.outbox import queries as outbox
from lineadmin.settings import heartbeat

SILENT_SECONDS = 180
COUNT_LIMIT = 100_000  # counting stops here: the answer stays quick in the middle of a broadcast

logger = logging.getLogger(__name__)

blueprint = Blueprint("health", __name__)
_up_since = time.monotonic()


def init_app(app: Flask) -> None:
    """Open the door."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 while the database answers and the worker was heard of in the last three minutes."""
    try:
        database.ensure_connection()
        answer = _look()
    except Exception:
        logger.warning("/healthz: the database does not answer", exc_info=True)
        _hang_up()
        answer = _answer("down", "down", None, {}, {})
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response, 200 if answer["status"] == "ok" else 503


def _look() -> dict[str, Any]:
    beat = heartbeat.last_beat("worker")
    ago = None if beat is None else max(0.0, (clock.wall() - beat).total_seconds())
    # A worker that was never heard of has been silent for as long as we have been here.
    silent = time.monotonic() - _up_since if ago is None else ago
    return _answer(
        "ok" if silent < SILENT_SECONDS else "worker silent",
        "ok",
        None if ago is None else round(ago, 1),
        {
            "pending": _count(
                InboundEvent.select(InboundEvent.id).where(
                    InboundEvent.handled_at.is_null(), InboundEvent.set_aside_at.is_null()
                )
            ),
            "failed": _count(
                InboundEvent.select(InboundEvent.id).where(
                    InboundEvent.set_aside_at.is_null(False), InboundEvent.handled_at.is_null()
                )
            ),
        },
        asdict(outbox.live()),
    )


def _answer(
    status: str,
    database_status: str,
    last_tick_seconds_ago: float | None,
    inbox: dict[str, int],
    outbox: dict[str, int],
) -> dict[str, Any]:
    return {
        "status": status,
        "database": database_status,
        "worker": {"last_tick_seconds_ago": last_tick_seconds_ago},
        "inbox": {"pending": inbox.get("pending"), "failed": inbox.get("failed")},
        "outbox": {
            "queued": outbox.get("queued"),
            "sending": outbox.get("sending"),
            "unknown": outbox.get("unknown"),
        },
    }


def _count(query: Any) -> int:
    return int(query.limit(COUNT_LIMIT).count())


def _hang_up() -> None:
    try:
        if not database.db.is_closed():
            database.db.close()
    except Exception:
        logger.debug("closing a broken connection failed", exc_info=True)
