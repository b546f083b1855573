"""What a new friend is greeted with, and one who comes back. Both are one setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.messages.check import check_parts, located
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.references import look_up
from lineadmin.staff.models import Staff

KEY = "greeting"


@dataclass(frozen=True)
class Greeting:
    """Parts in their JSON form. `returning` empty: nobody who comes back is greeted."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    returning: list[dict[str, Any]] = field(default_factory=list)
    version: int = 0

    def parts_for(self, *, first: bool) -> list[dict[str, Any]]:
        """What to say at a follow; nothing where the list is empty."""
        return self.messages if first else self.returning


def current() -> Greeting:
    """The greeting as it is now."""
    value = settings.get(KEY) or {}
    return Greeting(
        messages=list(value.get("messages") or []),
        returning=list(value.get("returning") or []),
        version=settings.version_of(KEY),
    )


def save(
    *,
    messages: object,
    returning: object,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None = "",
    version: int | None = None,
) -> bool:
    """Change the greeting; False where it was exactly that. Empty lists switch greeting off.

    :param version: the one the form was opened with; None skips the check
    :raises DomainError: something in it could not be sent; nothing was saved
    :raises Conflict: somebody else saved it meanwhile
    """
    value = {
        "messages": checked("messages", messages, now=now, public_url=public_url),
        "returning": checked("returning", returning, now=now, public_url=public_url),
    }
    with atomic():
        return settings.put(
            KEY, value, staff=staff, wall=wall, version=version, action="greeting.edit"
        )


def checked(
    name: str, parts_json: object, *, now: datetime, public_url: str | None
) -> list[dict[str, Any]]:
    """Parts in canonical JSON form, if LINE would take them.

    :raises DomainError: names the first problem; its field is `name`
    """
    if not parts_json:
        return []
    parts = parse_parts(parts_json)
    problems = check_parts(parts, references=look_up(parts), now=now, public_url=public_url)
    if problems:
        raise DomainError(located(problems[0]), field=name)
    return dump_parts(parts)
