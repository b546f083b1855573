"""Tags, the shop's own fields, and sources."""

from __future__ import annotations

from typing import Any

from lineadmin.friends.models import Field, Source, Tag
from lineadmin.friends.set_up import save_field, save_source
from lineadmin.friends.tags import DEFAULT_COLOR, STATIC, create_tag, edit_tag
from lineadmin.segments.tag_rules import rule_of
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import FieldPart, SourcePart, TagPart


def load_tags(parts: list[TagPart], context: Context) -> None:
    """Make or recolour tags. A tag's kind stays what it was made as."""
    for index, part in enumerate(parts):
        path = ("tags", index)
        with context.at(path):
            tag = Tag.get_or_none(Tag.name == part.name)
            if tag is None:
                create_tag(
                    part.name,
                    color=part.color or DEFAULT_COLOR,
                    kind=part.kind or STATIC,
                    staff=context.staff,
                    now=context.now,
                    wall=context.wall,
                )
                context.report.note("tag", part.name, created=True, changed=False)
                continue
            if part.kind is not None and part.kind != tag.kind:
                raise context.refuse((*path, "kind"), f"this tag is {tag.kind} and stays so")
            changed = edit_tag(
                tag,
                name=part.name,
                color=part.color or tag.color,
                version=tag.version,
                staff=context.staff,
                wall=context.wall,
            )
            context.report.note("tag", part.name, created=False, changed=changed)


def load_fields(parts: list[FieldPart], context: Context) -> None:
    """Make or change the shop's own fields."""
    for index, part in enumerate(parts):
        changes = {
            key: getattr(part, key) for key in ("name", "type", "choices") if part.given(key)
        }
        with context.at(("fields", index)):
            created, changed = save_field(part.key, changes, staff=context.staff, wall=context.wall)
        context.report.note("field", part.key, created=created, changed=changed)


def load_sources(parts: list[SourcePart], context: Context) -> None:
    """Make or rename sources."""
    for index, part in enumerate(parts):
        with context.at(("sources", index)):
            created, changed = save_source(
                part.code, part.name, staff=context.staff, now=context.now, wall=context.wall
            )
        context.report.note("source", part.code, created=created, changed=changed)


def dump_tags() -> list[dict[str, Any]]:
    """Every tag."""
    # Sorted here: databases have orders of their own for Chinese.
    rows = sorted(Tag.select(), key=lambda tag: tag.name)
    dumped = []
    for tag in rows:
        item: dict[str, Any] = {"name": tag.name, "color": tag.color, "kind": tag.kind}
        rule = rule_of(tag.id)
        if rule is not None:
            item["rule"] = rule
        dumped.append(item)
    return dumped


def dump_fields() -> list[dict[str, Any]]:
    """Every field, in the order staff gave them."""
    dumped = []
    for row in Field.select().order_by(Field.position, Field.id):
        item: dict[str, Any] = {"key": row.key, "name": row.name, "type": row.type}
        if row.choices is not None:
            item["choices"] = row.choices
        dumped.append(item)
    return dumped


def dump_sources() -> list[dict[str, Any]]:
    """Every source."""
    rows = sorted(Source.select(), key=lambda source: source.code)
    return [{"code": source.code, "name": source.name} for source in rows]
