"""The forms of the sequence editor: a new sequence, its trigger, one step, name and period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
    validators,
    widgets,
)

from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import StaffForm
from lineadmin.friends.models import Field, Source
from lineadmin.i18n import _l
from lineadmin.sequences.actions import LONGEST_NAME
from lineadmin.sequences.definition import (
    ANY,
    BIRTHDAY,
    COUPON_REDEEMED,
    DATE,
    FEWEST_DAYS,
    FOLLOW,
    MANUAL,
    MOST_DAYS,
    SEGMENT,
    TAG_ADDED,
    WEEKDAYS,
    Definition,
    Step,
    Trigger,
)

CHOSEN = "chosen"

WEEKDAY_LABELS: Mapping[str, Any] = {
    "mon": _l("Monday"),
    "tue": _l("Tuesday"),
    "wed": _l("Wednesday"),
    "thu": _l("Thursday"),
    "fri": _l("Friday"),
    "sat": _l("Saturday"),
    "sun": _l("Sunday"),
}


class NewForm(StaffForm):
    """A name; everything else has a good default."""

    name = StringField(
        _l("Name"), [validators.InputRequired(), validators.Length(max=LONGEST_NAME)]
    )


class SettingsForm(NewForm):
    """Name and the days in which friends may start."""

    period_from = DateField(_l("First day"), [validators.Optional()])
    period_until = DateField(_l("Last day"), [validators.Optional()])


class TriggerForm(StaffForm):
    """Where friends come from."""

    who = RadioField(
        _l("Who starts"),
        choices=[
            (ANY, _l("Everybody who adds the account")),
            (CHOSEN, _l("Only friends from these sources")),
        ],
        default=ANY,
    )
    sources = SelectMultipleField(
        _l("Sources"),
        choices=lambda: [(row.code, row.name) for row in Source.select().order_by(Source.name)],
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
    )

    def raw(self) -> dict[str, Any]:
        """The trigger in the form of the shop file."""
        return {FOLLOW: ANY if self.who.data == ANY else list(self.sources.data or [])}


class StepForm(StaffForm):
    """When one step goes out, and what it says."""

    after_days = IntegerField(
        _l("Days after the step before"),
        [validators.InputRequired(), validators.NumberRange(FEWEST_DAYS, MOST_DAYS)],
    )
    at = TimeField(_l("Time"), [validators.InputRequired()])
    weekday = SelectField(
        _l("Weekday"),
        choices=[("", _l("any day")), *((day, WEEKDAY_LABELS[day]) for day in WEEKDAYS)],
        default="",
    )
    messages = PartsField(_l("Message"), required=False)

    def raw(self) -> dict[str, Any]:
        """The step in the form of the shop file."""
        raw: dict[str, Any] = {
            "after_days": self.after_days.data,
            "at": f"{self.at.data:%H:%M}",
            "messages": self.messages.data,
        }
        return {**raw, "weekday": self.weekday.data} if self.weekday.data else raw


def trigger_sentence(trigger: Trigger) -> str:
    """ "Adds the account: 門市 QR、LINE Pay", for the trigger's card and the list."""
    if trigger.kind == MANUAL:
        return str(_l("Is put in by hand"))
    if trigger.kind == SEGMENT:
        return str(_l("Is in the segment “%(name)s”", name=trigger.about))
    if trigger.kind == DATE:
        return _date_sentence(trigger)
    if trigger.kind == TAG_ADDED:
        return str(_l("Gets the tag “%(name)s”", name=trigger.about))
    if trigger.kind == COUPON_REDEEMED:
        return str(_l("Redeems the coupon %(code)s", code=trigger.about))
    if trigger.sources is None:
        return str(_l("Adds the account, from anywhere"))
    known = {row.code: row.name for row in Source.select(Source.code, Source.name)}
    names = "、".join(known.get(code, code) for code in trigger.sources)
    return str(_l("Adds the account: %(sources)s", sources=names))


def _date_sentence(trigger: Trigger) -> str:
    field = Field.get_or_none(Field.key == trigger.about)
    known = _l("Birthday") if trigger.about == BIRTHDAY else trigger.about
    name = known if field is None else field.name
    days = trigger.offset_days
    if days == 0:
        return str(_l("Has her day: %(field)s", field=name))
    if days < 0:
        return str(_l("%(days)s days before her day: %(field)s", days=-days, field=name))
    return str(_l("%(days)s days after her day: %(field)s", days=days, field=name))


def step_when(step: Step, *, first: bool) -> str:
    """ "Day 1, 10:00" for a first step, "7 days later, 10:00" for the others."""
    words = (
        _l("Day %(days)s, %(at)s", days=step.after_days, at=step.at)
        if first
        else _l("%(days)s days later, %(at)s", days=step.after_days, at=step.at)
    )
    if step.weekday is None:
        return str(words)
    return str(_l("%(when)s, on a %(day)s", when=words, day=WEEKDAY_LABELS[step.weekday]))


def steps_of(definition: Definition) -> int:
    """How many steps there are in all branches together."""
    return sum(len(branch.steps) for branch in definition.branches)
