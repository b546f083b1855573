"""What staff call a link: the name it was given, else where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from lineadmin.tracking.models import TrackedLink

LONGEST = 60
MOST_OFFERED = 500


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Names by id, for the links that exist."""
    rows = TrackedLink.select(TrackedLink.id, TrackedLink.name, TrackedLink.url)
    return {row.id: name_of(row) for row in rows.where(TrackedLink.id.in_(sorted(ids)))}


def name_of(link: TrackedLink) -> str:
    """One link's name."""
    return link.name or short(link.url)


def ids_named(names: Iterable[str]) -> list[int]:
    """The links with one of these names: the same name may stand in many messages."""
    wanted = set(names)
    rows = TrackedLink.select(TrackedLink.id, TrackedLink.name, TrackedLink.url)
    named = TrackedLink.name.in_(sorted(wanted)) | (TrackedLink.name == "")
    return [row.id for row in rows.where(named) if name_of(row) in wanted]


def recent_names(most: int = MOST_OFFERED) -> list[str]:
    """The names of the newest links, each once, by name."""
    rows = TrackedLink.select(TrackedLink.name, TrackedLink.url).order_by(TrackedLink.id.desc())
    return sorted({name_of(row) for row in rows.limit(most)})


def short(url: str) -> str:
    """An address as people read it: without scheme, query and trailing slash."""
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    written = f"{parts.hostname or ''}{path}"
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"
