"""What staff do with keyword replies; every change leaves an audit line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Tag
from lineadmin.friends.words import fold
from lineadmin.i18n import _, _l
from lineadmin.messages.parts import parse_parts
from lineadmin.replies.greeting import checked
from lineadmin.replies.match import ANY, MATCHES
from lineadmin.replies.models import ReplyRule
from lineadmin.settings.shop import parse_clock
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

KEYWORDS = 50
KEYWORD_LENGTH = 100
TITLE_LENGTH = 60
PRIORITY_LARGEST = 1000


@dataclass(frozen=True)
class RuleSpec:
    """A keyword reply as staff write it. `match`: exact | contains | any (every unmatched text).

    `hours_from`/`hours_until` are clock times of the shop ("22:00" to "02:00" goes past midnight);
    both empty means always.
    """

    keywords: list[str] = field(default_factory=list)
    match: str = "exact"
    priority: int = 10
    messages: object = field(default_factory=list)
    add_tags: list[int] = field(default_factory=list)
    hours_from: str = ""
    hours_until: str = ""
    enabled: bool = True
    title: str = ""


def create_rule(
    spec: RuleSpec,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None = "",
) -> ReplyRule:
    """A new keyword reply.

    :raises DomainError: something in it cannot be; nothing was saved
    """
    values = _checked(spec, now, public_url)
    with atomic():
        rule: ReplyRule = ReplyRule.create(created_at=now, **values)
        audit.record(staff, "reply.create", "reply", rule.id, label(rule), None, values, wall=wall)
    return rule


def edit_rule(
    rule: ReplyRule,
    spec: RuleSpec,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None = "",
    version: int | None = None,
) -> bool:
    """Change a keyword reply; False where it was exactly so.

    :param version: the one the form was opened with; None means as it was read
    :raises DomainError: something in it cannot be; nothing was saved
    :raises Conflict: somebody else changed it since
    """
    values = _checked(spec, now, public_url)
    before = {key: getattr(rule, key) for key in values}
    if before == values:
        return False
    with atomic():
        _change(rule, version, values)
        audit.record(staff, "reply.edit", "reply", rule.id, label(rule), before, values, wall=wall)
    return True


def enable_rule(rule: ReplyRule, *, enabled: bool, staff: Staff | None, wall: datetime) -> bool:
    """Switch a keyword reply on or off; False where it was so already."""
    with atomic():
        changed = (
            ReplyRule.update(enabled=enabled, version=ReplyRule.version + 1)
            .where(ReplyRule.id == rule.id, ReplyRule.enabled != enabled)
            .execute()
        )
        if changed:
            action = "reply.enable" if enabled else "reply.disable"
            audit.record(staff, action, "reply", rule.id, label(rule), wall=wall)
    return bool(changed)


def delete_rule(rule: ReplyRule, *, staff: Staff | None, wall: datetime) -> bool:
    """Delete a keyword reply; the replies it gave stay in the friends' timelines."""
    with atomic():
        gone = ReplyRule.delete().where(ReplyRule.id == rule.id).execute()
        if gone:
            before = {"title": rule.title, "keywords": rule.keywords, "match": rule.match}
            audit.record(
                staff, "reply.delete", "reply", rule.id, label(rule), before, None, wall=wall
            )
    return bool(gone)


def spec_of(rule: ReplyRule) -> RuleSpec:
    """A rule as it would be written."""
    names = RuleSpec.__dataclass_fields__
    values = {name: getattr(rule, "parts" if name == "messages" else name) for name in names}
    return RuleSpec(**values)


def label(rule: ReplyRule) -> str:
    """What a rule is called: its title, its keywords, or what it stands for."""
    if rule.title:
        return str(rule.title)
    if rule.match == ANY:
        return _("every other message")
    words = [str(word) for word in rule.keywords or []]
    shown = _(", ").join(words[:3])
    return f"{shown} …" if len(words) > 3 else shown


def _change(rule: ReplyRule, version: int | None, values: dict[str, Any]) -> None:
    expected = rule.version if version is None else version
    changed = (
        ReplyRule.update(**values, version=ReplyRule.version + 1)
        .where(ReplyRule.id == rule.id, ReplyRule.version == expected)
        .execute()
    )
    if not changed:
        raise Conflict(_l("Somebody else changed this reply meanwhile. Nothing was saved."))


def _checked(spec: RuleSpec, now: datetime, public_url: str | None) -> dict[str, Any]:
    values = asdict(spec)
    del values["messages"]
    values["title"] = " ".join(spec.title.split())
    if len(values["title"]) > TITLE_LENGTH:
        raise DomainError(
            _l("A title has at most %(count)s characters.", count=TITLE_LENGTH), field="title"
        )
    if spec.match not in MATCHES:
        raise DomainError(_l("Choose how the keywords are compared."), field="match")
    values["keywords"] = [] if spec.match == ANY else _keywords(spec.keywords)
    if not 0 <= spec.priority <= PRIORITY_LARGEST:
        raise DomainError(
            _l("The priority is from 0 to %(high)s.", high=PRIORITY_LARGEST), field="priority"
        )
    _check_hours(spec)
    values["add_tags"] = _tags(spec.add_tags)
    values["parts"] = checked("messages", spec.messages, now=now, public_url=public_url)
    if not parse_parts(values["parts"]):
        raise DomainError(_l("Write at least one message."), field="messages")
    return values


def _keywords(written: list[str]) -> list[str]:
    words: dict[str, str] = {}
    for word in written:
        clean = " ".join(word.split())
        if len(clean) > KEYWORD_LENGTH:
            raise DomainError(
                _l("A keyword has at most %(count)s characters.", count=KEYWORD_LENGTH),
                field="keywords",
            )
        if fold(clean):
            words.setdefault(fold(clean), clean)
    if not words:
        raise DomainError(_l("Write at least one keyword."), field="keywords")
    if len(words) > KEYWORDS:
        raise DomainError(
            _l("A reply has at most %(count)s keywords.", count=KEYWORDS), field="keywords"
        )
    return list(words.values())


def _check_hours(spec: RuleSpec) -> None:
    if not spec.hours_from and not spec.hours_until:
        return
    if not spec.hours_from or not spec.hours_until:
        raise DomainError(_l("Active hours need both a start and an end."), field="hours_until")
    for name in ("hours_from", "hours_until"):
        if parse_clock(getattr(spec, name)) is None:
            raise DomainError(_l("A time of day looks like 09:30."), field=name)
    if spec.hours_from == spec.hours_until:
        raise DomainError(
            _l("Leave the hours empty for a reply that is always active."), field="hours_until"
        )


def _tags(tag_ids: list[int]) -> list[int]:
    wanted = sorted(set(tag_ids))
    known = {tag.id for tag in Tag.select(Tag.id).where(Tag.id.in_(wanted))}
    if set(wanted) - known:
        raise DomainError(_l("A tag of this reply does not exist any more."), field="add_tags")
    return wanted
