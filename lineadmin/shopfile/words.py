"""The greeting and keyword replies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lineadmin import settings
from lineadmin.friends.models import Tag
from lineadmin.friends.words import fold
from lineadmin.replies import greeting
from lineadmin.replies.actions import RuleSpec, create_rule, edit_rule, label, spec_of
from lineadmin.replies.match import ANY
from lineadmin.replies.models import ReplyRule
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import Greeting, ReplyPart

PLACES: dict[str, Path] = {
    "title": ("name",),
    "hours_from": ("hours", "from"),
    "hours_until": ("hours", "until"),
}


def load_greeting(part: Greeting, context: Context) -> None:
    """Change the greetings the file names."""
    before = greeting.current()
    texts: dict[str, Any] = {"messages": before.messages, "returning": before.returning}
    for key in texts:
        value = getattr(part, key)
        if value is not None:
            if value:
                context.check_messages(("greeting", key), value)
            texts[key] = value
    with context.at(("greeting",)):
        changed = greeting.save(
            **texts,
            staff=context.staff,
            now=context.now,
            wall=context.wall,
            public_url=context.public_url,
        )
    wanted = part.push_when_refused
    if wanted is not None and wanted != settings.shop().first_greeting_falls_back:
        changes = {"first_greeting_falls_back": wanted}
        settings.change_shop(changes, staff=context.staff, wall=context.wall)
        changed = True
    context.report.note("greeting", "messages", created=False, changed=changed)


def dump_greeting() -> dict[str, Any]:
    """Both greetings."""
    now = greeting.current()
    written: dict[str, Any] = {"messages": now.messages, "returning": now.returning}
    if not settings.shop().first_greeting_falls_back:
        written["push_when_refused"] = False
    return written


def load_replies(parts: list[ReplyPart], context: Context) -> None:
    """Make or change keyword replies."""
    known = list(ReplyRule.select().order_by(ReplyRule.id))
    tags = {tag.name: tag.id for tag in Tag.select()}
    for index, part in enumerate(parts):
        path = ("replies", index)
        rule = _same(part, known)
        if rule is not None:
            known.remove(rule)
        if part.messages is not None:
            context.check_messages((*path, "messages"), part.messages)
        elif rule is None:
            raise context.refuse(path, "a new reply needs messages")
        spec = _spec(part, RuleSpec() if rule is None else spec_of(rule), tags, path, context)
        with context.at(path, PLACES):
            changed = False
            if rule is None:
                rule = create_rule(
                    spec,
                    staff=context.staff,
                    now=context.now,
                    wall=context.wall,
                    public_url=context.public_url,
                )
                context.report.note("reply", label(rule), created=True, changed=False)
                continue
            changed = edit_rule(
                rule,
                spec,
                staff=context.staff,
                now=context.now,
                wall=context.wall,
                public_url=context.public_url,
            )
        context.report.note("reply", label(rule), created=False, changed=changed)


def dump_replies() -> list[dict[str, Any]]:
    """Every keyword reply, the important ones first."""
    names = {tag.id: tag.name for tag in Tag.select()}
    rules = ReplyRule.select().order_by(ReplyRule.priority.desc(), ReplyRule.id)
    return [_dumped(rule, names) for rule in rules]


def _same(part: ReplyPart, known: list[ReplyRule]) -> ReplyRule | None:
    """The rule a part is about: of its name, else of its keywords (with its hours, if several)."""
    if part.name is not None:
        named = [rule for rule in known if rule.title == part.name]
        if named:
            return named[0]
        known = [rule for rule in known if not rule.title]
    hours = ("", "") if part.hours is None else (part.hours.from_, part.hours.until)
    alike = [rule for rule in known if _words(rule.match, rule.keywords) == _part_words(part)]
    alike.sort(key=lambda rule: (rule.hours_from, rule.hours_until) != hours)
    return alike[0] if alike else None


def _part_words(part: ReplyPart) -> frozenset[str] | None:
    return _words(part.match or "exact", part.keywords)


def _words(match: str, keywords: list[str]) -> frozenset[str] | None:
    return None if match == ANY else frozenset(fold(word) for word in keywords)


def _spec(
    part: ReplyPart, spec: RuleSpec, tags: dict[str, int], path: Path, context: Context
) -> RuleSpec:
    changes: dict[str, Any] = {
        key: getattr(part, key)
        for key in ("match", "priority", "messages", "enabled")
        if getattr(part, key) is not None
    }
    if part.given("keywords"):
        changes["keywords"] = part.keywords
    if part.name is not None:
        changes["title"] = part.name
    if part.given("hours"):
        changes["hours_from"] = "" if part.hours is None else part.hours.from_
        changes["hours_until"] = "" if part.hours is None else part.hours.until
    if part.add_tags is not None:
        for number, name in enumerate(part.add_tags):
            if name not in tags:
                place = (*path, "add_tags", number)
                raise context.refuse(place, f"there is no tag {name!r}")
        changes["add_tags"] = [tags[name] for name in part.add_tags]
    return replace(spec, **changes)


def _dumped(rule: ReplyRule, names: dict[int, str]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    if rule.title:
        item["name"] = rule.title
    if rule.match != ANY:
        item["keywords"] = rule.keywords
    item |= {"match": rule.match, "priority": rule.priority, "messages": rule.parts}
    item["add_tags"] = sorted(names[tag] for tag in rule.add_tags if tag in names)
    if rule.hours_from:
        item["hours"] = {"from": rule.hours_from, "until": rule.hours_until}
    if not rule.enabled:
        item["enabled"] = False
    return item
