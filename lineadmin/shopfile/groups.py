"""Segments, and the rules of dynamic tags."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

from lineadmin.friends.models import Tag
from lineadmin.segments import tag_rules
from lineadmin.segments.actions import change_segment, create_segment
from lineadmin.segments.language import parse
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import leaves
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import SegmentPart, TagPart


def load_segments(parts: list[SegmentPart], context: Context) -> None:
    """Make or change segments; one may name another that stands further down."""
    places = {part.name: index for index, part in enumerate(parts)}
    for index in _in_order(parts, places, context):
        part = parts[index]
        with context.at(("segments", index, "where")):
            known = Segment.get_or_none(Segment.name == part.name)
            if known is None:
                create_segment(
                    part.name, part.where, staff=context.staff, now=context.now, wall=context.wall
                )
                changed = False
            else:
                changed = change_segment(known, part.where, staff=context.staff, wall=context.wall)
        context.report.note("segment", part.name, created=known is None, changed=changed)


def load_tag_rules(parts: list[TagPart], context: Context) -> None:
    """Give dynamic tags their rules: once everything exists that a rule may name."""
    for index, part in enumerate(parts):
        if not part.given("rule"):
            continue
        tag = Tag.get(Tag.name == part.name)
        with context.at(("tags", index, "rule")):
            changed = tag_rules.save_rule(
                tag, part.rule, staff=context.staff, now=context.now, wall=context.wall
            )
        context.report.note("tag rule", part.name, created=False, changed=changed)


def dump_segments() -> list[dict[str, Any]]:
    """Every segment that is in use."""
    rows = Segment.select().where(Segment.archived_at.is_null())
    in_order = sorted(rows, key=lambda row: row.name)
    return [{"name": row.name, "where": row.tree} for row in in_order]


def _in_order(parts: list[SegmentPart], places: dict[str, int], context: Context) -> list[int]:
    """The parts so that each comes after those it names."""
    needs = {}
    for index, part in enumerate(parts):
        named = {
            str(value)
            for leaf in leaves(parse(part.where))
            if leaf.kind == "segment"
            for value in leaf.values
        }
        needs[index] = {places[name] for name in named if name in places}
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        first = min(error.args[1])
        raise context.refuse(
            ("segments", first, "where"), "this segment leads back to itself"
        ) from None
