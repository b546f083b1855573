"""The forms of a keyword reply and of the greeting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    validators,
    widgets,
)

from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.friends import queries
from lineadmin.i18n import _l
from lineadmin.replies.actions import PRIORITY_LARGEST, TITLE_LENGTH, RuleSpec
from lineadmin.replies.match import ANY, CONTAINS, EXACT

MATCH_LABELS: dict[str, Any] = {
    EXACT: _l("The whole message is a keyword"),
    CONTAINS: _l("The message contains a keyword"),
    ANY: _l("Every message nothing else answers"),
}
_SEPARATORS = re.compile(r"[\n,，、;；]+")
_TIME_BOX = {"type": "time"}


class KeywordsField(Field):
    """Keywords in a box, one per line; commas separate them as well."""

    widget = widgets.TextArea()
    data: list[str]

    def _value(self) -> str:
        return "\n".join(self.data or [])

    def process_data(self, value: Any) -> None:
        self.data = [str(word) for word in value or []]

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist:
            self.data = [word.strip() for word in _SEPARATORS.split(valuelist[0]) if word.strip()]


class TagsField(SelectMultipleField):
    """Ticked tags, by id."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, coerce=int, choices=_tags, **kwargs)

    def pre_validate(self, form: Any) -> None:
        """A tag that was deleted while the form was open is told by the rule, in its own words."""


class ReplyForm(StaffForm):
    """A keyword reply."""

    match = RadioField(_l("Answers when"), choices=list(MATCH_LABELS.items()), default=EXACT)
    keywords = KeywordsField(
        _l("Keywords"),
        description=_l(
            "One per line. Upper and lower case, full and half width count as the same."
        ),
        render_kw={"rows": 4},
    )
    parts = PartsField(_l("Message"))
    priority = IntegerField(
        _l("Priority"),
        [validators.InputRequired(), validators.NumberRange(0, PRIORITY_LARGEST)],
        default=10,
        description=_l("Where several replies fit, the larger number answers."),
    )
    hours_from = StringField(_l("Active from"), [validators.Optional()], render_kw=_TIME_BOX)
    hours_until = StringField(
        _l("Active until"),
        [validators.Optional()],
        render_kw=_TIME_BOX,
        description=_l("Empty: always. 22:00 to 02:00 goes past midnight."),
    )
    add_tags = TagsField(_l("Tag whoever asks"))
    title = StringField(
        _l("Title"),
        [validators.Optional(), validators.Length(max=TITLE_LENGTH)],
        filters=[stripped],
        description=_l("Only staff see it. Empty: the keywords."),
    )
    enabled = BooleanField(_l("Enabled"), default=True)

    def spec(self) -> RuleSpec:
        """What the actions take."""
        return RuleSpec(
            keywords=list(self.keywords.data or []),
            match=self.match.data,
            priority=self.priority.data,
            messages=self.parts.data,
            add_tags=list(self.add_tags.data or []),
            hours_from=self.hours_from.data or "",
            hours_until=self.hours_until.data or "",
            enabled=bool(self.enabled.data),
            title=self.title.data or "",
        )


class GreetingForm(StaffForm):
    """What new friends are greeted with, and those who come back."""

    messages = PartsField(_l("New friends"), required=False)
    returning = PartsField(_l("Friends who come back"), required=False)


def chips(words: Sequence[str], most: int = 6) -> Markup:
    """Words side by side; the rest as a number."""
    shown = Markup("").join(Markup('<span class="chip">{}</span>').format(w) for w in words[:most])
    more = Markup(' <span class="hint">+{}</span>').format(len(words) - most)
    return Markup('<span class="chips" data-raw>{}</span>').format(
        shown + more if len(words) > most else shown
    )


def _tags() -> list[tuple[int, str]]:
    return [(tag.id, tag.name) for tag in queries.all_tags()]
