"""Pictures for LINE, at addresses that cannot be guessed and never change what they show."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from lineadmin.messages.models import Upload

bp = Blueprint("media", __name__)

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,32}")
SIZES = {
    "original": (Upload.original, Upload.mime),
    "preview": (Upload.preview, Upload.preview_mime),
}
A_YEAR_SECONDS = 31_536_000


def init_app(app: Flask) -> None:
    """Open this door."""
    app.register_blueprint(bp)


@bp.get("/media/<token>/<size>")
def picture(token: str, size: str) -> BaseResponse:
    """A picture as LINE and the panel fetch it; HEAD included. Anybody who has the address may."""
    if size not in SIZES or not TOKEN.fullmatch(token):
        abort(404)
    data, mime = SIZES[size]
    row = Upload.select(data, mime, Upload.hash).where(Upload.token == token).tuples().first()
    if row is None:
        abort(404)
    response = Response(bytes(row[0]), mimetype=row[1])
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_SECONDS}, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Should a file ever pass for something else than a picture, it can do nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.set_etag(f"{row[2][:32]}-{size}")
    return response.make_conditional(request)
