"""Uploaded films: checked to be MP4, kept in the database, read in pieces."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime

from peewee import fn

from lineadmin.db import insert_ignore
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.messages.models import Film
from lineadmin.messages.part import clean

# LINE takes 200 MB; what is kept in the database is also backed up, and a small dyno reads it.
FILE_BYTES = 20 * 1024 * 1024
NAME_CHARACTERS = 200
TOKEN_BYTES = 16
PIECE_BYTES = 256 * 1024
MIME = "video/mp4"


def store(data: bytes, *, name: str, staff_id: int | None, now: datetime) -> Film:
    """The film for a file; the same file again is the same film.

    :raises DomainError: no MP4, or too large
    """
    if len(data) > FILE_BYTES:
        raise DomainError(
            _l(
                "The film is larger than %(limit)s MB. Put it on a page of yours and write its "
                "address instead.",
                limit=FILE_BYTES // (1024 * 1024),
            ),
            field="film",
        )
    if data[4:8] != b"ftyp":
        raise DomainError(_l("This is not an MP4 film."), field="film")
    digest = hashlib.sha256(data).hexdigest()
    insert_ignore(
        Film.insert(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            hash=digest,
            name=clean(name).replace("\n", " ")[:NAME_CHARACTERS],
            size=len(data),
            data=data,
            created_at=now,
            created_by=staff_id,
        )
    )
    # What is uploaded again is wanted again: it counts as new for whoever clears the unused away.
    Film.update(created_at=now).where(Film.hash == digest).execute()
    stored: Film = (
        Film.select(Film.id, Film.token, Film.name, Film.size).where(Film.hash == digest).get()
    )
    return stored


def find(token: str) -> Film | None:
    """The film without its bytes."""
    found: Film | None = (
        Film.select(Film.id, Film.token, Film.hash, Film.size).where(Film.token == token).first()
    )
    return found


def read(film: Film, start: int, end: int) -> Iterator[bytes]:
    """The bytes from `start` until before `end`; memory holds one piece at a time."""
    while start < end:
        wanted = min(PIECE_BYTES, end - start)
        piece = (
            Film.select(fn.SUBSTR(Film.data, start + 1, wanted))
            .where(Film.id == film.id)
            .tuples()
            .first()
        )
        if piece is None or not piece[0]:
            return
        yield bytes(piece[0])
        start += wanted
