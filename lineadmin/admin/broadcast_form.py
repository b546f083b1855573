"""The form of a broadcast: whom, when, what; and its plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wtforms import RadioField, SelectField, StringField, validators

from lineadmin import segments
from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import MomentField, StaffForm, stripped
from lineadmin.broadcasts.actions import LONGEST_NAME
from lineadmin.broadcasts.ledger import is_everyone
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.segments.tree import Leaf

EVERYONE, TAG, OTHER = "everyone", "tag", "other"
NOW, LATER = "now", "later"


def _tags() -> list[tuple[str, str]]:
    rows = Tag.select(Tag.name).where(Tag.archived_at.is_null()).order_by(Tag.name)
    return [("", _("Choose a tag")), *((row.name, row.name) for row in rows)]


class BroadcastForm(StaffForm):
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
        choices=[(TAG, _l("Friends with a tag")), (EVERYONE, _l("All friends"))],
        default=None,
    )
    tag = SelectField(_l("Tag"), [validators.Optional()], choices=_tags, validate_choice=False)
    when = RadioField(
        _l("When"), choices=[(NOW, _l("At once")), (LATER, _l("Scheduled"))], default=NOW
    )
    at = MomentField(_l("Day and time"), [validators.Optional()])
    messages = PartsField(_l("Message"), required=False)

    def __init__(self, *args: Any, other: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.other = other  # an audience this form cannot draw; kept as it is
        if other is not None:
            self.who.choices = [*self.who.choices, (OTHER, segments.sentence(other))]

    def audience(self) -> dict[str, Any] | None:
        """The condition tree; None where nothing was chosen yet."""
        if self.who.data == EVERYONE:
            return {"all": []}
        if self.who.data == OTHER:
            return self.other
        if self.who.data == TAG and self.tag.data:
            return {"field": "tag", "op": "is", "value": self.tag.data}
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
        }


def form_of(row: Broadcast) -> BroadcastForm:
    """The form filled from a stored draft."""
    who, tag = audience_choice(row.audience)
    return BroadcastForm(
        None,
        name=row.name,
        who=who,
        tag=tag,
        when=NOW if row.at is None else LATER,
        at=row.at,
        messages=row.parts,
        other=row.audience if who == OTHER else None,
    )


def posted_form(data: Any, row: Broadcast | None) -> BroadcastForm:
    """The form as it was sent; an audience it cannot draw comes from the stored draft."""
    stored = None if row is None else row.audience
    other = stored if audience_choice(stored)[0] == OTHER else None
    return BroadcastForm(data, other=other)


def audience_choice(audience: Any) -> tuple[str | None, str]:
    """How the form draws a condition tree: which button, and which tag."""
    if audience is None:
        return None, ""
    tree = segments.parse(audience)
    if is_everyone(tree):
        return EVERYONE, ""
    plain = isinstance(tree, Leaf) and (tree.field, tree.op) == ("tag", "is")
    if isinstance(tree, Leaf) and plain and tree.within_days is None:
        return TAG, str(tree.value)
    return OTHER, ""
