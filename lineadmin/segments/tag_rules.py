"""What sets a dynamic tag: a condition that holds, or something that happened, for a while.

    {where: {all: […]}}                                  whoever it fits carries the tag
    {on: coupon.redeemed, about: bento20, days: 30}      whoever did it, for 30 days after the last
    {on: message, days: 7, where: {…}}                   both

The work is in tag_keeping.py. A rule never leads back to its own tag: it would set and unset it
for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, Tag
from lineadmin.friends.tags import DYNAMIC
from lineadmin.i18n import _, _l, _n
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact
from lineadmin.segments import words
from lineadmin.segments.about_deeds import fact_objects, has_objects
from lineadmin.segments.fields import KNOWN, quoted
from lineadmin.segments.language import check_names, dump, parse
from lineadmin.segments.models import Segment, TagRule
from lineadmin.segments.tree import Leaf, Path, Tree, TreeError, leaves
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

MOST_DAYS = 3660
KEYS = ("where", "on", "about", "days")
# Fields whose answer changes by time alone, or without anything in the journal.
TIMELY = frozenset({"age", "friend_days", "silent_days", "language", "os", "coupon"})


@dataclass(frozen=True)
class Rule:
    """One rule, read. `about` narrows `on` to one coupon, tag or source."""

    where: Tree | None = None
    on: str = ""
    about: str = ""
    days: int | None = None

    @property
    def timely(self) -> bool:
        """Whether friends come or go although nothing happens to them."""
        if self.where is None:
            return False
        asked = list(_leaves_through_segments(self.where))
        return any(leaf.kind in TIMELY or leaf.within_days for leaf in asked)


def parse_rule(raw: Any, path: Path = ()) -> Rule:
    """The rule that `raw` describes.

    :raises TreeError: with the way to the first thing that cannot be
    """
    if not isinstance(raw, dict):
        raise TreeError(_l("A rule needs where, on, or both."), path)
    for key in raw:
        if key not in KEYS:
            raise TreeError(_l("Rules have no key %(key)s.", key=key), (*path, str(key)))
    if raw.get("where") is None and not raw.get("on"):
        raise TreeError(_l("A rule needs where, on, or both."), path)
    where = None if raw.get("where") is None else parse(raw["where"], (*path, "where"))
    on, about, days = raw.get("on") or "", raw.get("about") or "", raw.get("days")
    if on and on not in KINDS:
        raise TreeError(_l("There is no kind of fact called %(kind)s.", kind=on), (*path, "on"))
    if about and not (on and has_objects(on)):
        raise TreeError(_l("This kind of fact is about nothing in particular."), (*path, "about"))
    if days is not None and (not on or not _is_days(days)):
        raise TreeError(
            _l("Days are a whole number from 1 to %(most)s, and need on.", most=MOST_DAYS),
            (*path, "days"),
        )
    return Rule(where, str(on), str(about), days)


def dump_rule(rule: Rule) -> dict[str, Any]:
    """The rule in the form of the shop file."""
    written: dict[str, Any] = {}
    if rule.on:
        written["on"] = rule.on
    if rule.about:
        written["about"] = rule.about
    if rule.days is not None:
        written["days"] = rule.days
    if rule.where is not None:
        written["where"] = dump(rule.where)
    return written


def check_rule(tag: str, rule: Rule, path: Path = ()) -> None:
    """Pass when everything the rule names exists and it does not lead back to its tag.

    :raises TreeError: naming what is missing or goes in a circle
    """
    if rule.where is not None:
        check_names(rule.where, (*path, "where"))
    if rule.about and not fact_objects(rule.on, (rule.about,)):
        raise TreeError(
            _l("There is nothing called “%(name)s”.", name=rule.about), (*path, "about")
        )
    if _leads_to(tag, rule):
        raise TreeError(
            _l("The rule leads back to its own tag “%(name)s”.", name=tag), (*path, "where")
        )


def sentence(rule: Rule) -> str:
    """「核銷優惠券「bento20」後 30 天內，而且年齡未滿 25」"""
    told = words.sentence(rule.where) if rule.where is not None else ""
    if not rule.on:
        return told
    did = str(KINDS[rule.on].label)
    if rule.about:
        did = f"{did} {quoted((rule.about,))}"
    if rule.days is not None:
        did = _n(
            "%(what)s, for %(count)s day after",
            "%(what)s, for %(count)s days after",
            rule.days,
            what=did,
        )
    return did + _(", and ") + told if told else did


def save_rule(
    tag: Tag, raw: dict[str, Any] | None, *, staff: Staff | None, now: datetime, wall: datetime
) -> bool:
    """Give a dynamic tag its rule, or none (then links and staff's programs set it alone).

    Everybody is looked through once, in portions; after that only whom something happens to.

    :raises TreeError: the rule cannot be
    :raises DomainError: the tag is a static one
    """
    if raw is not None and tag.kind != DYNAMIC:
        raise DomainError(
            _l("Only a dynamic tag has a rule; a static one is set by people."), field="rule"
        )
    rule = None if raw is None else parse_rule(raw)
    if rule is not None:
        check_rule(tag.name, rule)
    after = None if rule is None else dump_rule(rule)
    with atomic():
        row = TagRule.get_or_none(TagRule.tag == tag)
        before = None if row is None else row.rule
        if before == after:
            return False
        # Also without a rule: the tags the old one set come off, in portions.
        fresh = {"rule": after or {}, "walk_after": 0, "walked_at": now, **_newest()}
        if row is None:
            TagRule.create(tag=tag, **fresh)
        else:
            TagRule.update(**fresh).where(TagRule.id == row.id).execute()
        audit.record(
            staff,
            "tag.rule",
            "tag",
            tag.id,
            tag.name,
            {"tag_rule": before} if before else None,
            {"tag_rule": after} if after else None,
            wall=wall,
        )
    return True


def rule_of(tag_id: int) -> dict[str, Any] | None:
    """The rule of a tag in the form of the shop file; None where it has none."""
    row = TagRule.get_or_none(TagRule.tag == tag_id)
    return row.rule if row is not None and row.rule else None


def segment_changed(name: str) -> None:
    """Look through everybody again for each rule that asks this segment."""
    for row in TagRule.select():
        rule = parse_rule(row.rule) if row.rule else Rule()
        if rule.where is not None and name in _segments_in(rule.where):
            TagRule.update(walk_after=0).where(TagRule.id == row.id).execute()


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DAYS


def _newest() -> dict[str, int]:
    return {
        "facts_seen": Fact.select(fn.MAX(Fact.id)).scalar() or 0,
        "friends_seen": Friend.select(fn.MAX(Friend.id)).scalar() or 0,
    }


def _segments_in(tree: Tree) -> set[str]:
    found: set[str] = set()
    waiting = [tree]
    while waiting:
        for leaf in leaves(waiting.pop()):
            for name in leaf.values if leaf.kind == "segment" else ():
                if name not in found:
                    found.add(str(name))
                    row = Segment.get_or_none(Segment.name == name)
                    if row is not None:
                        waiting.append(parse(row.tree))
    return found


def _leaves_through_segments(tree: Tree) -> Iterator[Leaf]:
    yield from leaves(tree)
    for name in _segments_in(tree):
        row = Segment.get_or_none(Segment.name == name)
        if row is not None:
            yield from leaves(parse(row.tree))


def _leads_to(tag: str, rule: Rule) -> bool:
    """Whether the rule asks for the tag: itself, in a segment, or by another tag's rule."""
    rules = {
        row.tag.name: parse_rule(row.rule)
        for row in TagRule.select(TagRule, Tag).join(Tag)
        if row.rule and row.tag.name != tag
    }
    waiting, seen = [rule], set[str]()
    while waiting:
        for name in _tags_in(waiting.pop()):
            if name in (tag, ""):
                return True
            if name in rules and name not in seen:
                seen.add(name)
                waiting.append(rules[name])
    return False


def _tags_in(rule: Rule) -> Iterator[str]:
    """The tags a rule asks for; "" stands for any tag at all."""
    if rule.on.startswith("tag."):
        yield rule.about
    for leaf in () if rule.where is None else _leaves_through_segments(rule.where):
        if leaf.kind == "tag" or leaf.field.startswith("fact:tag."):
            named = leaf.op not in KNOWN and leaf.op not in ("at_least", "less_than")
            yield from (str(value) for value in leaf.values) if named else ("",)
