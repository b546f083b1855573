"""The form of a broadcast: whom, when, what; and its plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    validators,
    widgets,
)

from lineadmin import segments
from lineadmin.admin.composer import PartsField
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.estimated_form import EstimatedFields, estimated_choice
from lineadmin.admin.forms import MomentField, StaffForm, stripped
from lineadmin.broadcasts.actions import LONGEST_NAME, MOST_HELD
from lineadmin.broadcasts.ledger import is_everyone
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import is_subscribers, subscribers_of
from lineadmin.errors import DomainError
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import AllOf, Leaf
from lineadmin.topics import queries as topics

TAG, SEGMENT, OWN, EVERYONE = "tag", "segment", "own", "everyone"
TOPIC = "topic"
ESTIMATED = "estimated"
NOW, LATER = "now", "later"


def _tags() -> list[tuple[str, str]]:
    rows = Tag.select(Tag.name).where(Tag.archived_at.is_null()).order_by(Tag.name)
    return [(row.name, row.name) for row in rows]


def _segments() -> list[tuple[str, str]]:
    rows = Segment.select(Segment.name).where(Segment.archived_at.is_null()).order_by(Segment.name)
    return [("", _("Choose a segment")), *((row.name, row.name) for row in rows)]


def _topics() -> list[tuple[str, str]]:
    return [("", _("Choose a topic")), *((row.code, row.name) for row in topics.live())]


class TagNames(SelectMultipleField):
    """Ticked tags, by name."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, choices=_tags, validate_choice=False, **kwargs)


class BroadcastForm(EstimatedFields):
    """Whom, when and what. A draft may lack any of them but its name."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=LONGEST_NAME)],
        filters=[stripped],
        description=_l("Only staff see it."),
    )
    who = RadioField(
        _l("Whom to send to"),
        [validators.Optional()],
        choices=[
            (TAG, _l("By tag")),
            (SEGMENT, _l("Segment")),
            (TOPIC, _l("Topic")),
            (OWN, _l("Own conditions")),
            (EVERYONE, _l("All friends")),
            (ESTIMATED, _l("Estimated by LINE")),
        ],
        default=None,
    )
    tag = TagNames(_l("Has one of these tags"))
    without = TagNames(_l("But none of these"))
    segment = SelectField(
        _l("Segment"), [validators.Optional()], choices=_segments, validate_choice=False
    )
    topic = SelectField(
        _l("Topic"),
        [validators.Optional()],
        choices=_topics,
        validate_choice=False,
        description=_l("Only to those who subscribe to it, and no oftener than they agreed to."),
    )
    condition = ConditionField(_l("Own conditions"), empty_is="", count=False)
    when = RadioField(
        _l("When"), choices=[(NOW, _l("At once")), (LATER, _l("Scheduled"))], default=NOW
    )
    at = MomentField(_l("Day and time"), [validators.Optional()])
    messages = PartsField(_l("Message"), required=False)
    holdout_percent = IntegerField(
        _l("Holdout group (percent)"),
        [validators.Optional(), validators.NumberRange(0, MOST_HELD)],
        description=_l(
            "So many of hundred get nothing. The report compares them with those who got it, which "
            "shows what the message really brought."
        ),
    )
    service = BooleanField(
        _l("Service notice"),
        description=_l(
            "For what everybody has to know, such as closed tomorrow: the frequency cap neither "
            "holds it back nor counts it."
        ),
    )

    wake = BooleanField(
        _l("Wake-up message"),
        description=_l(
            "For friends who have long been silent: whoever never answers several of them is left "
            "alone and tagged. How many is in the shop settings."
        ),
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Conditions that were begun but not chosen are no matter."""
        if self.who.data != OWN:
            self.condition.process_errors = []
            self.condition.data = None
        return bool(super().validate(*args, **kwargs))

    def audience(self) -> dict[str, Any] | None:
        """The condition tree; None where nothing was chosen yet."""
        if self.who.data == EVERYONE:
            return {"all": []}
        if self.who.data == SEGMENT and self.segment.data:
            return {"field": "segment", "op": "is", "value": self.segment.data}
        if self.who.data == TOPIC and self.topic.data:
            return subscribers_of(self.topic.data)
        if self.who.data == OWN and self.condition.data not in (None, {"all": []}):
            return dict(self.condition.data or {})
        if self.who.data == TAG and self.tag.data:
            return _by_tags(self.tag.data, self.without.data or [])
        return None

    def moment(self) -> datetime | None:
        """The wanted time; None for at once.

        :raises DomainError: it is to be scheduled, but the time is missing
        """
        if self.when.data != LATER:
            return None
        if self.at.data is None:
            raise DomainError(_l("Choose the day and time."), field="at")
        return self.at.data

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        return {
            "name": self.name.data,
            "parts": self.messages.data or [],
            "audience": self.audience(),
            "at": self.moment(),
            "holdout_percent": self.holdout_percent.data or 0,
            "service": bool(self.service.data),
            "wake": bool(self.wake.data),
            "estimated": self.estimated() if self.who.data == ESTIMATED else None,
        }


class VersionForm(StaffForm):
    """One more version of the message."""

    messages = PartsField(_l("Message"))


def form_of(row: Broadcast) -> BroadcastForm:
    """The form filled from a stored draft."""
    return BroadcastForm(
        None,
        name=row.name,
        when=NOW if row.at is None else LATER,
        at=row.at,
        messages=row.parts,
        holdout_percent=row.holdout_percent or None,
        service=row.service,
        wake=row.wake,
        **(
            {"who": ESTIMATED, **estimated_choice(row.estimated)}
            if row.estimated is not None
            else audience_choice(row.audience)
        ),
    )


def audience_choice(audience: Any) -> dict[str, Any]:
    """How the form draws a condition tree: which button, and what is chosen under it."""
    if audience is None:
        return {}
    tree = segments.parse(audience)
    if is_everyone(tree):
        return {"who": EVERYONE}
    if isinstance(tree, Leaf):
        code = is_subscribers(audience)
        if code is not None:
            return {"who": TOPIC, "topic": code}
        if (tree.field, tree.op) == ("segment", "is"):
            return {"who": SEGMENT, "segment": str(tree.value)}
        tags = _tags_of(tree, ("is", "any_of"))
        if tags:
            return {"who": TAG, "tag": tags}
    if isinstance(tree, AllOf) and len(tree.items) == 2:
        tags = _tags_of(tree.items[0], ("is", "any_of"))
        without = _tags_of(tree.items[1], ("none_of",))
        if tags and without:
            return {"who": TAG, "tag": tags, "without": without}
    return {"who": OWN, "condition": audience}


def _tags_of(tree: Any, ops: tuple[str, ...]) -> list[str]:
    """The tags a plain condition names; empty where it is another one."""
    plain = isinstance(tree, Leaf) and tree.field == "tag" and tree.op in ops
    if not plain or tree.within_days is not None:
        return []
    return [str(name) for name in tree.values]


def _by_tags(tags: list[str], without: list[str]) -> dict[str, Any]:
    has: dict[str, Any] = {"field": "tag", "op": "any_of", "value": list(tags)}
    if len(tags) == 1:
        has = {"field": "tag", "op": "is", "value": tags[0]}
    if not without:
        return has
    return {"all": [has, {"field": "tag", "op": "none_of", "value": list(without)}]}
