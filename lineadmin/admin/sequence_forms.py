"""The forms of the sequence editor: a new sequence, a step, a branch, how friends are split."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from wtforms import (
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TimeField,
    ValidationError,
    validators,
)

from lineadmin.admin.composer import PartsField
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.sequence_stop import keep_choice, nothing_or_goods
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.sequences import starters
from lineadmin.sequences.actions import (
    FINISH,
    LONGEST_NAME,
    PAUSE,
    STOP,
    check_period,
    check_priority,
)
from lineadmin.sequences.definition import (
    AT_ENROLMENT,
    AT_FIRST_STEP,
    MOST_NAME,
    WEEKDAYS,
    Branch,
    Definition,
    Step,
    check_days,
)
from lineadmin.sequences.edit import UNCHOSEN
from lineadmin.settings.shop import parse_clock

WEEKDAY_LABELS: Mapping[str, Any] = {
    "mon": _l("Monday"),
    "tue": _l("Tuesday"),
    "wed": _l("Wednesday"),
    "thu": _l("Thursday"),
    "fri": _l("Friday"),
    "sat": _l("Saturday"),
    "sun": _l("Sunday"),
}


WHOLE = re.compile(r"\s*-?[0-9]{1,6}\s*")


class WholeField(IntegerField):
    """A whole number, refused in the words of the rule that asks for it."""

    def __init__(self, label: Any, check: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.check = check

    def process_formdata(self, valuelist: list[str]) -> None:
        """What is no whole number is nothing: the rule says what it wants."""
        text = valuelist[0] if valuelist else ""
        self.data = int(text) if WHOLE.fullmatch(text) else None

    def pre_validate(self, form: Any) -> None:
        """:raises ValidationError: the rule refuses it"""
        try:
            self.check(self.data)
        except DomainError as error:
            raise ValidationError(str(error)) from None


class ClockField(TimeField):
    """A time of day, refused in the words of the rule."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """:raises ValueError: it is none"""
        text = valuelist[0] if valuelist else ""
        self.data = parse_clock(text[:5])
        if self.data is None:
            raise ValueError(_("A time of day looks like 09:30."))


class StepPartsField(PartsField):
    """The parts of a step; a text that nobody wrote anything into is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """:raises ValueError: the parts cannot be read"""
        super().process_formdata([_without_blanks(text) for text in valuelist])


def _without_blanks(text: str) -> str:
    try:
        parts = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return text
    if not isinstance(parts, list):
        return text
    return json.dumps([part for part in parts if not _blank(part)])


def _blank(part: Any) -> bool:
    return isinstance(part, dict) and list(part) == ["text"] and not str(part["text"]).strip()


class NewForm(StaffForm):
    """A name; everything else has a good default."""

    name = StringField(
        _l("Name"), [validators.InputRequired(), validators.Length(max=LONGEST_NAME)]
    )


class StartForm(NewForm):
    """A new sequence: empty, or from a template."""

    template = RadioField(
        _l("Start from"),
        choices=lambda: [
            ("", _l("Nothing yet")),
            *((one.key, f"{one.name}：{one.about}") for one in starters.all_starters()),
        ],
        default="",
    )


class SettingsForm(NewForm):
    """What holds at once: name, period, priority, and what friends underway do."""

    period_from = DateField(_l("First day"), [validators.Optional()])
    period_until = DateField(_l("Last day"), [validators.Optional()])
    when_over = RadioField(
        _l("When the period is over, friends underway"),
        choices=[
            (FINISH, _l("get the rest of their steps")),
            (STOP, _l("leave; nothing more is sent")),
        ],
        default=FINISH,
    )
    when_off = RadioField(
        _l("When it is switched off, friends underway"),
        choices=[
            (
                PAUSE,
                _l("wait until it is switched on again; steps that are late by then are left out"),
            ),
            (FINISH, _l("get the rest of their steps")),
            (STOP, _l("leave; nothing more is sent")),
        ],
        default=PAUSE,
    )
    priority = WholeField(_l("Priority"), check_priority, default=50)

    def validate_period_until(self, field: Any) -> None:
        """The same sentence as in the action."""
        try:
            check_period(self.period_from.data, field.data)
        except DomainError as error:
            raise ValidationError(str(error)) from None


class StepForm(StaffForm):
    """When one step goes out, and what it says."""

    after_days = WholeField(_l("Days after the step before"), check_days)
    at = ClockField(_l("Time"))
    weekday = SelectField(
        _l("Weekday"),
        choices=[("", _l("any day")), *((day, WEEKDAY_LABELS[day]) for day in WEEKDAYS)],
        default="",
    )
    messages = StepPartsField(_l("Message"), required=False)

    @classmethod
    def showing(cls, step: Step) -> StepForm:
        """The form of a step as it is."""
        return cls(
            data={
                "after_days": step.after_days,
                "at": parse_clock(step.at),
                "weekday": step.weekday or "",
                "messages": list(step.messages),
            }
        )

    def raw(self) -> dict[str, Any]:
        """The step in the form of the shop file."""
        raw: dict[str, Any] = {
            "after_days": self.after_days.data,
            "at": f"{self.at.data:%H:%M}",
            "messages": self.messages.data,
        }
        return {**raw, "weekday": self.weekday.data} if self.weekday.data else raw


class BranchForm(StaffForm):
    """Whom a branch is for, and what it is called."""

    where = ConditionField(_l("Whom"))
    name = StringField(_l("Name of the branch"), [validators.Length(max=MOST_NAME)])

    @classmethod
    def showing(cls, branch: Branch) -> BranchForm:
        """The form of a branch as it is; the one for everyone else has a name only."""
        form = cls(data={"name": branch.name, "where": branch.where})
        if branch.where is None:
            del form.where
        return form


class GroupsForm(StaffForm):
    """When branches are chosen, and whom the sequence stops for."""

    decide = RadioField(
        _l("When a friend's branch is chosen"),
        choices=[
            (AT_ENROLMENT, _l("When she starts: what is known of her at that moment counts")),
            (
                AT_FIRST_STEP,
                _l("When her first step is due: what she told us until then counts too"),
            ),
        ],
        default=AT_ENROLMENT,
    )
    stop = ConditionField(_l("Stop for friends who"), empty_is=_l("nobody"))
    stop_bought = SelectField(
        _l("Stop for whoever buys"),
        choices=nothing_or_goods,
        default="",
        validate_choice=False,
    )

    @classmethod
    def showing(cls, definition: Definition) -> GroupsForm:
        """The form of a definition as it is."""
        shown = cls(
            data={
                "decide": definition.decide,
                "stop": definition.stop,
                "stop_bought": definition.stop_bought or "",
            }
        )
        keep_choice(shown.stop_bought)
        return shown

    def raw_stop(self) -> dict[str, Any] | None:
        """The condition in the form of the shop file; None where nobody is stopped for."""
        return None if self.stop.data in (None, UNCHOSEN) else self.stop.data


def days_label(number: int) -> Any:
    """What the days of a step count from."""
    return _l("Days after the start") if number == 1 else _l("Days after the step before")


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
