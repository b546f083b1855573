"""A message as the outbox keeps it: checked, and stored once however often it is sent."""

from __future__ import annotations

from datetime import datetime

from lineadmin.errors import DomainError
from lineadmin.messages.check import check_parts, located
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.references import look_up
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.outbox.models import Content


def keep(parts_json: object, *, field: str, now: datetime, public_url: str | None) -> Content:
    """The content row of these parts.

    :raises DomainError: LINE would refuse it; names the first problem, its field is `field`
    """
    parts = parse_parts(parts_json)
    problems = check_parts(parts, references=look_up(parts), now=now, public_url=public_url)
    if problems:
        raise DomainError(located(problems[0]), field=field)
    return content.store(
        dump_parts(parts), personal=is_personal(parts), summary=summarise(parts), now=now
    )
