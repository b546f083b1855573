"""Where a segment, a tag or a field of the shop's own is used, before it is renamed or deleted.

Conditions and messages name things by name or key, so no foreign key would tell. Looked at are the
things that still act: saved segments, broadcasts that have not ended, the live version and the
draft of every sequence, rules of tags, coupons and keyword replies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lineadmin import segments
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.states import ENDED
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.replies.models import ReplyRule
from lineadmin.segments.about_branches import BRANCH_FIELDS
from lineadmin.segments.fields import KNOWN
from lineadmin.segments.models import Segment, TagRule
from lineadmin.segments.tree import Leaf, TreeError, leaves
from lineadmin.sequences.models import Sequence, SequenceVersion
from lineadmin.surveys.models import Survey
from lineadmin.surveys.questions import Question, questions_of
from lineadmin.topics.models import Topic

KIND_LABELS: dict[str, Any] = {
    "segment": _l("Segment"),
    "broadcast": _l("Broadcast"),
    "sequence": _l("Step messages"),
    "coupon": _l("Coupon"),
    "tag": _l("Tag"),
    "audience": _l("LINE audience"),
    "reply": _l("Auto-response"),
    "topic": _l("Topic"),
    "survey": _l("Survey"),
}


@dataclass(frozen=True)
class Use:
    """One thing that names another."""

    kind: str
    id: int
    name: str

    def told(self) -> str:
        """「群發「週一雙拼」」"""
        return _("%(kind)s “%(name)s”", kind=KIND_LABELS[self.kind], name=self.name)


def of_segment(name: str) -> list[Use]:
    """What names this segment, and the audiences at LINE that were made of it."""
    found = _uses(
        lambda leaf: leaf.kind == "segment" and name in leaf.values,
        lambda trigger: trigger.get("segment") == name,
    )
    rows = LineAudience.select().where(LineAudience.segment == name).order_by(LineAudience.name)
    return found + [Use("audience", row.id, row.name) for row in rows]


def of_tag(tag: Tag) -> list[Use]:
    """What names this tag in a condition, starts on it, or sets it."""

    def asks(leaf: Leaf) -> bool:
        about_tags = leaf.kind == "tag" or leaf.field.startswith("fact:tag.")
        return about_tags and leaf.op not in KNOWN and tag.name in leaf.values

    found = _uses(asks, lambda trigger: trigger.get("tag_added") == tag.name)
    for rule in TagRule.select(TagRule, Tag).join(Tag):
        if str(rule.rule.get("on", "")).startswith("tag.") and rule.rule.get("about") == tag.name:
            found.append(Use("tag", rule.tag.id, rule.tag.name))
    for reply in ReplyRule.select():
        if tag.id in (reply.add_tags or []):
            found.append(Use("reply", reply.id, reply.title or "、".join(reply.keywords or [])))
    for coupon in Coupon.select().where(Coupon.archived_at.is_null()):
        if tag.id in (coupon.after_tags or []):
            found.append(Use("coupon", coupon.id, coupon.title))
    found += _surveys(lambda one: any(tag.id in choice.tags for choice in one.choices))
    for topic in Topic.select().where(Topic.tag == tag.id):
        found.append(Use("topic", topic.id, topic.name))
    return list(dict.fromkeys(found))


def of_field(key: str) -> list[Use]:
    """What asks for this field of the shop's own."""
    asked = _uses(
        lambda leaf: leaf.field == f"attr:{key}",
        lambda trigger: (trigger.get("date") or {}).get("field") == key,
    )
    return [*asked, *_surveys(lambda one: one.field == key)]


def of_branch(code: str) -> list[Use]:
    """What asks for this branch."""
    return _uses(
        lambda leaf: leaf.kind in BRANCH_FIELDS and leaf.op not in KNOWN and code in leaf.values,
        lambda trigger: False,
    )


def told(uses: list[Use]) -> list[str]:
    """The same in words."""
    return [use.told() for use in uses]


def segment_users(name: str) -> list[str]:
    """What uses a segment, in words: the question that segments/actions.py wants answered."""
    return told(of_segment(name))


def _uses(asks: Callable[[Leaf], bool], starts: Callable[[dict[str, Any]], bool]) -> list[Use]:
    found = [use for use, tree in _trees() if _any_leaf(tree, asks)]
    found += [use for use, trigger in _triggers() if starts(trigger)]
    return list(dict.fromkeys(found))


def _surveys(asks: Callable[[Question], bool]) -> list[Use]:
    rows = Survey.select().where(Survey.archived_at.is_null()).order_by(Survey.title)
    return [Use("survey", row.id, row.title) for row in rows if any(map(asks, questions_of(row)))]


def _any_leaf(raw: Any, asks: Callable[[Leaf], bool]) -> bool:
    try:
        return any(asks(leaf) for leaf in leaves(segments.parse(raw)))
    except TreeError:
        return False


def _trees() -> Iterator[tuple[Use, Any]]:
    for segment in Segment.select().order_by(Segment.name):
        yield Use("segment", segment.id, segment.name), segment.tree
    for rule in TagRule.select(TagRule, Tag).join(Tag):
        if rule.rule.get("where"):
            yield Use("tag", rule.tag.id, rule.tag.name), rule.rule["where"]
    waiting = Broadcast.select().where(Broadcast.state.not_in(list(ENDED)))
    for row in waiting.where(Broadcast.audience.is_null(False)).order_by(Broadcast.id):
        yield Use("broadcast", row.id, row.name), row.audience
    for use, definition in _definitions():
        if definition.get("stop"):
            yield use, definition["stop"]
        for branch in definition.get("branches") or []:
            if branch.get("where"):
                yield use, branch["where"]


def _triggers() -> Iterator[tuple[Use, dict[str, Any]]]:
    for use, definition in _definitions():
        if isinstance(definition.get("trigger"), dict):
            yield use, definition["trigger"]


def _definitions() -> Iterator[tuple[Use, dict[str, Any]]]:
    rows = list(Sequence.select().where(Sequence.archived_at.is_null()).order_by(Sequence.name))
    live = [row.live_version for row in rows if row.live_version]
    versions = SequenceVersion.select().where(SequenceVersion.id.in_(live))
    by_id = {version.id: version.definition for version in versions}
    for row in rows:
        for definition in (by_id.get(row.live_version or 0), row.draft):
            if isinstance(definition, dict):
                yield Use("sequence", row.id, row.name), definition
