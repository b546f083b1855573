"""訊息範本: messages kept for later, used in any composer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.messages.models import MessageTemplate
from lineadmin.messages.parts import clean, dump_parts, parse_parts
from lineadmin.messages.starters import STARTERS
from lineadmin.messages.summary import summarise
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LONGEST_NAME = 60
MOST = 200


def create(
    name: str, parts_json: Any, *, staff: Staff | None, now: datetime, wall: datetime
) -> MessageTemplate:
    """Keep a message under a name. It may be unfinished: what cannot be sent is told when it is
    used.

    :raises DomainError: no name, one that is taken, nothing in the message, or too many templates
    """
    name = check_name(name)
    parts, summary = _content(parts_json)
    if MessageTemplate.select().count() >= MOST:
        raise DomainError(_l("There are %(limit)s templates. Delete some first.", limit=MOST))
    with atomic():
        fresh = MessageTemplate.insert(
            name=name, parts=parts, summary=summary, created_at=now, changed_at=now
        )
        if not insert_ignore(fresh):
            raise DomainError(_("There is a template “%(name)s” already.", name=name), field="name")
        made: MessageTemplate = MessageTemplate.get(MessageTemplate.name == name)
        _record(staff, "template.create", made, None, wall)
    return made


def edit(
    template: MessageTemplate,
    *,
    name: str,
    parts_json: Any,
    version: int,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> bool:
    """Save it; False where nothing was changed.

    :raises Conflict: somebody else saved first
    :raises DomainError: see `create`
    """
    name = check_name(name)
    parts, summary = _content(parts_json)
    before = {"name": template.name, "messages": template.parts}
    if before == {"name": name, "messages": parts}:
        return False
    with atomic():
        taken = MessageTemplate.name == name
        if MessageTemplate.select().where(taken, MessageTemplate.id != template.id).exists():
            raise DomainError(_("There is a template “%(name)s” already.", name=name), field="name")
        won = (
            MessageTemplate.update(
                name=name,
                parts=parts,
                summary=summary,
                changed_at=now,
                version=MessageTemplate.version + 1,
            )
            .where(MessageTemplate.id == template.id, MessageTemplate.version == version)
            .execute()
        )
        if not won:
            raise Conflict(_l("Somebody else saved this in the meantime"))
        _record(staff, "template.edit", MessageTemplate.get_by_id(template.id), before, wall)
    return True


def delete(template: MessageTemplate, *, staff: Staff | None, wall: datetime) -> None:
    """Forget it. Messages that were made from it stay as they are."""
    with atomic():
        if MessageTemplate.delete().where(MessageTemplate.id == template.id).execute():
            audit.record(
                staff,
                "template.delete",
                "template",
                template.id,
                template.name,
                {"messages": template.parts},
                None,
                wall=wall,
            )


def add_starters(*, staff: Staff | None, now: datetime, wall: datetime) -> int:
    """Add the ready-made templates whose names are free; how many those were."""
    taken = {row.name for row in MessageTemplate.select(MessageTemplate.name)}
    missing = [(name, parts) for name, parts in STARTERS if name not in taken]
    for name, parts in missing:
        create(name, parts, staff=staff, now=now, wall=wall)
    return len(missing)


def check_name(name: str) -> str:
    """The name, tidied.

    :raises DomainError: empty or too long
    """
    tidy = " ".join(clean(name or "").split())
    if not tidy:
        raise DomainError(_l("Give the template a name."), field="name")
    if len(tidy) > LONGEST_NAME:
        raise DomainError(
            _l("A name takes at most %(limit)s characters.", limit=LONGEST_NAME), field="name"
        )
    return tidy


def _content(parts_json: Any) -> tuple[list[dict[str, Any]], str]:
    parts = parse_parts(parts_json)
    if not parts:
        raise DomainError(_l("Write at least one message."), field="messages")
    return dump_parts(parts), summarise(parts)


def _record(
    staff: Staff | None,
    action: str,
    template: MessageTemplate,
    before: dict[str, Any] | None,
    wall: datetime,
) -> None:
    after = {"name": template.name, "messages": template.parts}
    audit.record(staff, action, "template", template.id, template.name, before, after, wall=wall)
