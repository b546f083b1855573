"""Topics. What friends agreed to never leaves or enters the database by a shop file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lineadmin.shopfile.context import Context
from lineadmin.shopfile.schema import TopicPart
from lineadmin.topics import actions
from lineadmin.topics.models import Topic
from lineadmin.topics.plan import Plan

PLAIN = ("name", "description", "frequency", "wording")
NULLABLE = {"life_months": None, "tag": ""}


def load_topics(parts: list[TopicPart], context: Context) -> None:
    """Make or change topics; what the file does not say stays as it is."""
    for index, part in enumerate(parts):
        path = ("topics", index)
        known = Topic.get_or_none(Topic.code == part.code)
        if known is None and part.name is None:
            raise context.refuse(path, "a new topic needs a name")
        values = {"name": "", "code": part.code} if known is None else asdict(Plan.of(known))
        with context.at(path):
            changed = actions.load(
                Plan(**{**values, **_given(part)}),
                staff=context.staff,
                now=context.now,
                wall=context.wall,
            )
            changed = _load_archived(part, context) or changed
        context.report.note("topic", part.code, created=known is None, changed=changed)


def dump_topics() -> list[dict[str, Any]]:
    """Every topic, the archived ones too."""
    return [_dumped(topic) for topic in Topic.select().order_by(Topic.code)]


def _given(part: TopicPart) -> dict[str, Any]:
    values = {key: getattr(part, key) for key in PLAIN if getattr(part, key) is not None}
    for key, nothing in NULLABLE.items():
        if part.given(key):
            value = getattr(part, key)
            values[key] = nothing if value is None else value
    return values


def _load_archived(part: TopicPart, context: Context) -> bool:
    topic: Topic = Topic.get(Topic.code == part.code)
    if part.archived is None or part.archived == (topic.archived_at is not None):
        return False
    if part.archived:
        return actions.archive(topic.id, staff=context.staff, now=context.now, wall=context.wall)
    return actions.unarchive(topic.id, staff=context.staff, wall=context.wall)


def _dumped(topic: Topic) -> dict[str, Any]:
    plan = Plan.of(topic)
    item: dict[str, Any] = {"code": plan.code, "name": plan.name}
    if plan.description:
        item["description"] = plan.description
    item |= {"frequency": plan.frequency, "wording": plan.wording}
    if plan.life_months is not None:
        item["life_months"] = plan.life_months
    if plan.tag:
        item["tag"] = plan.tag
    if topic.archived_at is not None:
        item["archived"] = True
    return item
