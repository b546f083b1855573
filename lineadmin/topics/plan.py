"""What people decide about a topic, and the rules every such decision has to meet."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from lineadmin.errors import DomainError
from lineadmin.friends.models import Tag
from lineadmin.i18n import DEFAULT_LOCALE, _, _l, use_locale
from lineadmin.topics.models import Topic, TopicWording
from lineadmin.topics.states import FREQUENCIES, WEEKLY

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # as it stands in postbacks
LONGEST_NAME = 20  # a button says it
LONGEST_DESCRIPTION = 120
LONGEST_WORDING = 300
MOST_MONTHS = 60


@dataclass(frozen=True)
class Plan:
    """Everything about a topic that is decided by people. An empty code or wording is made up."""

    name: str
    description: str = ""
    frequency: str = WEEKLY
    wording: str = ""
    life_months: int | None = None
    tag: str = ""  # the tag's name
    code: str = ""

    @classmethod
    def of(cls, topic: Topic) -> Plan:
        """The decisions behind a stored topic."""
        return cls(
            name=topic.name,
            description=topic.description,
            frequency=topic.frequency,
            wording=wording_of(topic),
            life_months=topic.life_months,
            tag=topic.tag.name if topic.tag is not None else "",
            code=topic.code,
        )

    def columns(self) -> dict[str, Any]:
        """As the topic's row stores them, but for its wording."""
        return {
            "name": self.name,
            "description": self.description,
            "frequency": self.frequency,
            "life_months": self.life_months,
            "tag": tag_id(self.tag),
        }

    def audited(self) -> dict[str, Any]:
        """As the audit log keeps them."""
        return asdict(self)


def checked(plan: Plan, known: Topic | None = None) -> Plan:
    """The plan, tidied, if it can be; `known` is the topic it is to change.

    :raises DomainError: naming the field that cannot be
    """
    name = " ".join(plan.name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    description = " ".join(plan.description.split())
    if len(description) > LONGEST_DESCRIPTION:
        raise _too_long("description", LONGEST_DESCRIPTION)
    if plan.frequency not in FREQUENCIES:
        raise DomainError(_l("Choose how often it may send."), field="frequency")
    months = plan.life_months
    if months is not None and not 1 <= months <= MOST_MONTHS:
        raise DomainError(
            _l("This must be a whole number from %(low)s to %(high)s.", low=1, high=MOST_MONTHS),
            field="life_months",
        )
    wording = plan.wording.strip()
    if len(wording) > LONGEST_WORDING:
        raise _too_long("wording", LONGEST_WORDING)
    if plan.code and not CODE.fullmatch(plan.code):
        raise DomainError(
            _l("A short name has lower-case letters, digits, - and _, at most 40."), field="code"
        )
    tidy = replace(plan, name=name, description=description, wording=wording)
    tidy = replace(tidy, wording=wording or default_wording(tidy))
    _check_names(tidy, known)
    return tidy


def wording_of(topic: Topic, version: int | None = None) -> str:
    """What friends are, or were, asked to agree to."""
    wanted = topic.wording_version if version is None else version
    text = (
        TopicWording.select(TopicWording.text)
        .where(TopicWording.topic == topic.id, TopicWording.version == wanted)
        .scalar()
    )
    return str(text or "")


def default_wording(plan: Plan) -> str:
    """What a friend is asked where the shop did not write its own words."""
    with use_locale(DEFAULT_LOCALE):
        return _(
            "I agree to get “%(name)s” on LINE. %(frequency)s; I can stop at any time.",
            name=plan.name,
            frequency=str(FREQUENCIES[plan.frequency]),
        )


def tag_id(name: str) -> int | None:
    """The tag of this name; None for none."""
    found = Tag.select(Tag.id).where(Tag.name == name).scalar() if name else None
    return None if found is None else int(found)


def _check_names(plan: Plan, known: Topic | None) -> None:
    others = Topic.id != (0 if known is None else known.id)
    if Topic.select().where(Topic.name == plan.name, others).exists():
        raise DomainError(_("There is a topic “%(name)s” already.", name=plan.name), field="name")
    if not plan.tag:
        return
    tag = Tag.get_or_none(Tag.name == plan.tag, Tag.archived_at.is_null())
    if tag is None:
        raise DomainError(_("There is no tag “%(name)s”.", name=plan.tag), field="tag")
    other = Topic.get_or_none((Topic.tag == tag.id) & others)
    if other is not None:
        raise DomainError(
            _("The topic “%(name)s” keeps this tag already.", name=other.name), field="tag"
        )


def _too_long(field: str, most: int) -> DomainError:
    return DomainError(_l("At most %(count)s characters.", count=most), field=field)
