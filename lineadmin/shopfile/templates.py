"""The shop file's message templates."""

from __future__ import annotations

from typing import Any

from lineadmin.messages import templates
from lineadmin.messages.models import MessageTemplate
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import TemplatePart


def load_templates(parts: list[TemplatePart], context: Context) -> None:
    """Add and change templates, known by their names. What LINE would refuse is refused here."""
    for index, part in enumerate(parts):
        path = ("templates", index)
        context.check_messages((*path, "messages"), part.messages, variables=True)
        with context.at(path):
            name = templates.check_name(part.name)
            known = MessageTemplate.get_or_none(MessageTemplate.name == name)
            who: dict[str, Any] = {
                "staff": context.staff,
                "now": context.now,
                "wall": context.wall,
            }
            if known is None:
                templates.create(name, part.messages, **who)
                changed = False
            else:
                changed = templates.edit(
                    known, name=name, parts_json=part.messages, version=known.version, **who
                )
            context.report.note("templates", name, created=known is None, changed=changed)


def dump_templates() -> list[dict[str, Any]]:
    """Every template, by name."""
    rows = MessageTemplate.select().order_by(MessageTemplate.name)
    return [{"name": row.name, "messages": row.parts} for row in rows]
