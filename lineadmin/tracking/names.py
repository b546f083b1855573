"""What staff call a link: the name it was given, else where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from lineadmin.tracking.models import TrackedLink

LONGEST = 60


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Names by id, for the links that exist."""
    rows = TrackedLink.select(TrackedLink.id, TrackedLink.name, TrackedLink.url)
    return {row.id: name_of(row) for row in rows.where(TrackedLink.id.in_(sorted(ids)))}


def name_of(link: TrackedLink) -> str:
    """One link's name."""
    return link.name or short(link.url)


def short(url: str) -> str:
    """An address as people read it: without scheme, query and trailing slash."""
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    written = f"{parts.hostname or ''}{path}"
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"
