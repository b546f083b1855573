"""Pictures and films for LINE, at addresses that nobody guesses and that never change."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from lineadmin.messages import films, uploads
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
    return _answer(bytes(row[0]), row[1], f"{row[2][:32]}-{size}")


@bp.get("/media/<token>/map/<int:width>")
def rich_picture(token: str, width: int) -> BaseResponse:
    """The picture of a rich message at one of the widths LINE asks for."""
    found = uploads.sized(token, width) if TOKEN.fullmatch(token) else None
    if found is None:
        abort(404)
    return _answer(*found, f"{token}-{width}")


@bp.get("/media/<token>/film.mp4")
def film(token: str) -> BaseResponse:
    """A film, or the range of it that a phone asks for."""
    found = films.find(token) if TOKEN.fullmatch(token) else None
    if found is None:
        abort(404)
    response = _safe(Response(mimetype=films.MIME), found.hash[:32])
    response.headers["Accept-Ranges"] = "bytes"
    start, end = 0, found.size
    wanted = request.range
    if wanted is not None and wanted.units == "bytes":
        inside = wanted.range_for_length(found.size)
        if inside is None:
            response.status_code = 416
            response.headers["Content-Range"] = f"bytes */{found.size}"
            return response
        start, end = inside
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    response.content_length = end - start
    if request.method != "HEAD":
        response.response = films.read(found, start, end)
    return response


def _answer(data: bytes, mime: str, etag: str) -> BaseResponse:
    return _safe(Response(data, mimetype=mime), etag).make_conditional(request)


def _safe(response: Response, etag: str) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_SECONDS}, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Should a file ever pass for something else than a picture, it can do nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.set_etag(etag)
    return response
