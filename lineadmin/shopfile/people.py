"""Tags, the shop's own fields, and sources."""

from __future__ import annotations

from typing import Any

from lineadmin.friends.models import Field, Source, Tag
from lineadmin.friends.set_up import save_field, save_source
from lineadmin.friends.source_actions import archive_source, merge_sources
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
    """Make, rename, put away or merge sources."""
    made = []
    for index, part in enumerate(parts):
        with context.at(("sources", index)):
            made.append(
                save_source(
                    part.code, part.name, staff=context.staff, now=context.now, wall=context.wall
                )
            )
    # Only now: a source may be merged into one that stands further down.
    for index, part in enumerate(parts):
        with context.at(("sources", index)):
            away = _put_away(part, index, context)
        created, changed = made[index]
        context.report.note("source", part.code, created=created, changed=changed or away)


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
    codes = {source.id: source.code for source in rows}
    return [_dumped(source, codes) for source in rows]


def _put_away(part: SourcePart, index: int, context: Context) -> bool:
    """Archive or merge a source as the file says; whether that changed anything."""
    source = Source.get(Source.code == part.code)
    moment: dict[str, Any] = {"staff": context.staff, "now": context.now, "wall": context.wall}
    if part.merged_into is not None:
        into = Source.get_or_none(Source.code == part.merged_into)
        if into is None:
            place = ("sources", index, "merged_into")
            raise context.refuse(place, f"there is no source {part.merged_into!r}")
        if source.merged_into == into.id:
            return False
        merge_sources(source, into, **moment)
        return True
    if part.archived is None or part.archived == (source.archived_at is not None):
        return False
    return archive_source(source, archived=part.archived, **moment)


def _dumped(source: Source, codes: dict[int, str]) -> dict[str, Any]:
    item: dict[str, Any] = {"code": source.code, "name": source.name}
    if source.merged_into is not None:
        item["merged_into"] = codes[source.merged_into]
    elif source.archived_at is not None:
        item["archived"] = True
    return item
