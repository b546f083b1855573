"""Putting tags away: no longer offered, still on the friends who carry them."""

from __future__ import annotations

from datetime import datetime

from lineadmin.friends.models import Tag


def archive_tag(tag: Tag, *, now: datetime) -> bool:
    """Take a tag out of the lists; False where it was out already."""
    put = Tag.update(archived_at=now, version=Tag.version + 1)
    return bool(put.where(Tag.id == tag.id, Tag.archived_at.is_null()).execute())


def unarchive_tag(tag: Tag) -> bool:
    """Put a tag back into the lists."""
    put = Tag.update(archived_at=None, version=Tag.version + 1)
    return bool(put.where(Tag.id == tag.id, Tag.archived_at.is_null(False)).execute())
