"""The field about what a friend agreed to: `topic:CODE` is subscribed, stopped or none."""

from __future__ import annotations

from typing import Any

from peewee import Value

from lineadmin.i18n import _, _l
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf
from lineadmin.segments.widgets import CHOICE, OP_WORDS, Ask, Subject
from lineadmin.topics.consent import agreed
from lineadmin.topics.models import Subscription, Topic
from lineadmin.topics.states import NONE, STATES, STOPPED, SUBSCRIBED

TOLD = {
    SUBSCRIBED: _l("subscribes to “%(topic)s”"),
    STOPPED: _l("no longer subscribes to “%(topic)s”"),
    NONE: _l("never subscribed to “%(topic)s”"),
}
WORDS = {SUBSCRIBED: _l("subscribed"), STOPPED: _l("stopped or run out"), NONE: _l("never")}
OFFERED = (*f.ONE, *f.SEVERAL)  # known and unknown would only repeat `none`


def _where(leaf: Leaf, context: f.Context) -> Condition:
    topic = Topic.get_or_none(Topic.code == leaf.about)
    if leaf.op in f.KNOWN:
        never = _state(NONE, topic, context)
        return never if leaf.op == "unknown" else ~never
    positive: Any = Value(1) == Value(0)
    for value in leaf.values:
        positive = positive | _state(value, topic, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _state(value: str, topic: Topic | None, context: f.Context) -> Condition:
    if topic is None:
        return Value(1) == Value(1 if value == NONE else 0)
    ever = has(Subscription.friend_id, Subscription.topic == topic.id, context)
    if value == NONE:
        return ~ever
    now = has(Subscription.friend_id, agreed(topic.id, context.now), context)
    return now if value == SUBSCRIBED else ever & ~now


def _sentence(leaf: Leaf) -> str:
    name = Topic.select(Topic.name).where(Topic.code == leaf.about).scalar() or leaf.about
    if leaf.op in f.KNOWN:
        told = TOLD[NONE] if leaf.op == "unknown" else _l("has subscribed to “%(topic)s”")
        return str(told) % {"topic": name}
    told = _(" or ").join(str(TOLD[value]) % {"topic": name} for value in leaf.values)
    return _("not: %(what)s", what=told) if leaf.op in f.OPPOSITE else told


def _subjects() -> list[Subject]:
    states = [(state, str(word)) for state, word in WORDS.items()]
    rows = Topic.select(Topic.code, Topic.name).order_by(Topic.name)
    return [Subject(row.code, row.name, OFFERED, CHOICE, choices=states) for row in rows]


register(
    FieldSpec(
        "topic",
        _l("topic"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _where,
        _sentence,
        f.check_choice(*STATES),
        Ask("deeds", CHOICE, offered=OFFERED, words=OP_WORDS, subjects=_subjects),
        about=True,
        missing=lambda leaf: (
            None
            if Topic.select().where(Topic.code == leaf.about).exists()
            else _("There is no topic with the short name %(code)s.", code=leaf.about)
        ),
    )
)
