"""What managers do with topics: make, change and archive them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from peewee import fn

from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Friend
from lineadmin.friends.tags import add_tag_many
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff
from lineadmin.topics.consent import BY_TOPIC, agreed
from lineadmin.topics.models import Subscription, Topic, TopicWording
from lineadmin.topics.plan import Plan, checked


def create(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> Topic:
    """Make a topic.

    :raises DomainError: a value that cannot be right, or the name or short name is taken
    """
    with atomic():
        plan = checked(plan)
        code = plan.code or _free_code()
        if Topic.select().where(Topic.code == code).exists():
            raise DomainError(
                _("There is a topic with the short name %(code)s already.", code=code),
                field="code",
            )
        topic: Topic = Topic.create(code=code, created_at=now, **plan.columns())
        TopicWording.create(topic=topic.id, version=1, text=plan.wording, at=now)
        after = replace(plan, code=code).audited()
        audit.record(staff, "topic.create", "topic", topic.id, topic.name, None, after, wall=wall)
    return topic


def edit(
    topic_id: int,
    plan: Plan,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> Topic:
    """Change a topic. Another wording is a new version: who agreed, agreed to the old one.

    A tag it gets is put on everybody who subscribes to it already.

    :param version: the version the form was opened with; None skips the check (shop files)
    :raises DomainError: a value that cannot be right
    :raises Conflict: somebody else saved meanwhile
    """
    with atomic():
        topic = get(topic_id)
        before = Plan.of(topic)
        if version is not None and version != topic.version:
            raise _conflict()
        after = replace(checked(plan, topic), code=topic.code)  # messages know it by its code
        if before == after:
            return topic
        columns = after.columns()
        if after.wording != before.wording:
            columns["wording_version"] = topic.wording_version + 1
            TopicWording.create(
                topic=topic.id, version=topic.wording_version + 1, text=after.wording, at=now
            )
        saved = (
            Topic.update(**columns, version=Topic.version + 1)
            .where(Topic.id == topic.id, Topic.version == topic.version)
            .execute()
        )
        if not saved:
            raise _conflict()
        audit.record(
            staff,
            "topic.edit",
            "topic",
            topic.id,
            after.name,
            before.audited(),
            after.audited(),
            wall=wall,
        )
    if after.tag and after.tag != before.tag:
        _tag_everybody(get(topic_id), now)
    return get(topic_id)


def load(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Make the topic of this code, or change it to be so; False where it was so already.

    :raises DomainError: a value that cannot be right
    """
    known = Topic.get_or_none(Topic.code == plan.code)
    if known is None:
        create(plan, staff=staff, now=now, wall=wall)
        return True
    saved = edit(known.id, plan, version=None, staff=staff, now=now, wall=wall)
    return bool(saved.version != known.version)


def archive(topic_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Offer and send it no more; what friends agreed to stays on record. False: it was so."""
    return _set_archived(topic_id, now, "topic.archive", staff, wall)


def unarchive(topic_id: int, *, staff: Staff | None, wall: datetime) -> bool:
    """Offer it again, to those who had agreed too."""
    return _set_archived(topic_id, None, "topic.unarchive", staff, wall)


def get(topic_id: int) -> Topic:
    """:raises DomainError: there is none with this id"""
    topic: Topic | None = Topic.get_or_none(Topic.id == topic_id)
    if topic is None:
        raise DomainError(_l("This topic is not here."))
    return topic


def _set_archived(
    topic_id: int, at: datetime | None, action: str, staff: Staff | None, wall: datetime
) -> bool:
    with atomic():
        topic = get(topic_id)
        changed = (
            Topic.update(archived_at=at, version=Topic.version + 1)
            .where(Topic.id == topic_id, Topic.archived_at.is_null(at is not None))
            .execute()
        )
        if changed:
            audit.record(staff, action, "topic", topic.id, topic.name, wall=wall)
    return bool(changed)


def _tag_everybody(topic: Topic, now: datetime) -> None:
    hers = Subscription.select(Subscription.friend_id).where(agreed(topic.id, now))
    if topic.tag_id is not None:
        whom = Friend.id.in_(hers)
        add_tag_many(whom, topic.tag_id, at=now, by_kind=BY_TOPIC, by_id=topic.id)


def _free_code() -> str:
    number = int(Topic.select(fn.COALESCE(fn.MAX(Topic.id), 0)).scalar()) + 1
    while Topic.select().where(Topic.code == f"topic-{number}").exists():
        number += 1
    return f"topic-{number}"


def _conflict() -> Conflict:
    return Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
