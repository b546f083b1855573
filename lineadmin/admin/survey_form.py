"""The form of a survey: a few fields, and its questions as JSON that the editor's script keeps."""

from __future__ import annotations

import json
from typing import Any

from flask import render_template
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    Field,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    validators,
)

from lineadmin import clock, settings
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.coupons import benefits
from lineadmin.coupons.offer import whole_days
from lineadmin.coupons.queries import pickable
from lineadmin.errors import DomainError
from lineadmin.friends.fields import all_fields
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l, local
from lineadmin.surveys import plan as rules
from lineadmin.surveys.models import Survey
from lineadmin.surveys.plan import ChoicePlan, Plan, PlanError, QuestionPlan, problems, tidy
from lineadmin.surveys.questions import CHOSEN, KNOWN, TYPE_LABELS, Choice, Question, questions_of
from lineadmin.surveys.states import ONCE, REPEAT_LABELS

NAMES = {"starts_at": "first_day", "ends_at": "last_day"}
MOST_BYTES = 200_000


class QuestionsWidget:
    """Draws the editor of the questions."""

    def __call__(self, field: QuestionsField, **_attributes: Any) -> Markup:
        return Markup(  # noqa: S704 - our own template, which escapes
            render_template(
                "admin/_survey_questions.html",
                field=field,
                state={
                    "questions": field.data,
                    "problems": field.problems,
                    "types": {key: str(label) for key, label in TYPE_LABELS.items()},
                    "chosen": list(CHOSEN),
                    "known": list(KNOWN),
                    "most": rules.MOST_QUESTIONS,
                    "mostChoices": rules.MOST_CHOICES,
                },
                types=TYPE_LABELS,
                fields=all_fields(),
                tags=_tags(),
                rules=rules,
            )
        )


class QuestionsField(Field):
    """The questions of a survey as a list of objects; `problems` are told beside each."""

    widget = QuestionsWidget()
    data: list[dict[str, Any]]

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.problems: list[dict[str, Any]] = []

    def process_data(self, value: Any) -> None:
        self.data = list(value or [])

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        try:
            if len(valuelist[0]) > MOST_BYTES:
                raise ValueError
            self.data = [_question(one) for one in json.loads(valuelist[0] or "[]")]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.data = []
            raise ValueError(_("The questions could not be read. Please write them again.")) from (
                None
            )

    def plans(self) -> tuple[QuestionPlan, ...]:
        """What was written."""
        return tuple(
            QuestionPlan(
                text=one["text"],
                type=one["type"],
                required=one["required"],
                help=one["help"],
                choices=tuple(
                    ChoicePlan(choice["text"], tuple(choice["tags"]), choice["key"])
                    for choice in one["choices"]
                ),
                field=one["field"],
                key=one["key"],
            )
            for one in self.data
        )


class SurveyForm(StaffForm):
    """What a manager fills in."""

    title = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=rules.LONGEST_TITLE)],
        filters=[stripped],
        render_kw={"maxlength": rules.LONGEST_TITLE, "autocomplete": "off"},
    )
    intro = TextAreaField(_l("Introduction"), filters=[stripped], render_kw={"rows": 3})
    questions = QuestionsField(_l("Questions"))
    thanks = TextAreaField(_l("Thank-you text"), filters=[stripped], render_kw={"rows": 2})
    coupon = SelectField(
        _l("Gift for answering"), choices=lambda: _coupons(), validate_choice=False
    )
    gift_each = BooleanField(_l("A gift for every answer"))
    repeat = RadioField(
        _l("How often a friend answers"), choices=list(REPEAT_LABELS.items()), default=ONCE
    )
    first_day = DateField(_l("First day"), [validators.Optional()])
    last_day = DateField(_l("Last day"), [validators.Optional()])
    code = StringField(
        _l("Short name"),
        filters=[stripped],
        description=_l("For shop files and conditions, such as taste2026. Empty: made up."),
        render_kw={"maxlength": 40, "autocomplete": "off", "spellcheck": "false"},
    )

    def __init__(
        self, formdata: Any = None, obj: Survey | None = None, prefix: str = "", **values: Any
    ) -> None:
        values = {**(values_of(obj) if obj is not None else {}), **values}
        super().__init__(formdata, None, prefix, **values)
        self._obj = obj
        chosen = self.coupon.data
        if chosen and chosen not in [one.value for one in self.coupon.choices]:
            # Closed or out of stock since: it stays as it was chosen.
            self.coupon.choices = [*self.coupon.choices, type(self.coupon.choices[0])(chosen)]

    def plan(self) -> Plan:
        """The decisions that were typed, before any rule has looked at them."""
        starts, ends = whole_days(self.first_day.data, self.last_day.data, settings.shop_zone())
        return Plan(
            title=self.title.data or "",
            questions=self.questions.plans(),
            intro=self.intro.data or "",
            thanks=self.thanks.data or "",
            repeat=self.repeat.data or "",
            coupon=self.coupon.data or "",
            gift_each=bool(self.gift_each.data),
            starts_at=starts,
            ends_at=ends,
            code=self.code.data or "",
        )

    def refuse(self, error: DomainError) -> bool:
        """Put a refusal beside its field; those of questions all at once, each in its place."""
        if isinstance(error, PlanError) and error.path[0] == "questions":
            self.questions.problems = self.judged()
        field = error.field or ""
        told: Any = error.message
        if isinstance(error, PlanError) and len(error.path) > 1:
            told = _l(
                "Question %(number)s: %(wrong)s", number=int(error.path[1]) + 1, wrong=str(error)
            )
        return super().refuse(DomainError(told, field=NAMES.get(field, field)))

    def judged(self) -> list[dict[str, Any]]:
        """Everything wrong with the questions, each with its place, for the editor's script."""
        found = problems(tidy(self.plan()))
        return [
            {"path": list(one.path[1:]), "sentence": str(one)}
            for one in found
            if one.path[0] == "questions"
        ]

    def sketch(self) -> tuple[Plan, list[Question]]:
        """What a preview shows, whatever state the form is in."""
        plan = tidy(self.plan())
        questions = [
            Question(
                f"q{number}",
                one.type if one.type in TYPE_LABELS else "text",
                one.text or _("(no question yet)"),
                one.required,
                one.help,
                tuple(
                    Choice(f"c{place}", choice.text or "…")
                    for place, choice in enumerate(one.choices)
                ),
                one.field,
            )
            for number, one in enumerate(plan.questions)
        ]
        return plan, questions


def values_of(survey: Survey) -> dict[str, Any]:
    """A survey in the form's terms."""
    plan = Plan.of(survey, questions_of(survey))
    starts, ends = survey.starts_at, survey.ends_at
    return {
        "title": plan.title,
        "intro": plan.intro,
        "thanks": plan.thanks,
        "questions": [written(one) for one in plan.questions],
        "coupon": plan.coupon,
        "gift_each": plan.gift_each,
        "repeat": plan.repeat,
        "first_day": None if starts is None else local(starts).date(),
        "last_day": None if ends is None else benefits.last_day(ends),
        "code": plan.code,
    }


def written(question: QuestionPlan) -> dict[str, Any]:
    """A question as the editor's script knows it."""
    return {
        "key": question.key,
        "type": question.type,
        "text": question.text,
        "required": question.required,
        "help": question.help,
        "field": question.field,
        "choices": [
            {"key": one.key, "text": one.text, "tags": list(one.tags)} for one in question.choices
        ],
    }


def _question(raw: Any) -> dict[str, Any]:
    return {
        "key": str(raw.get("key") or "")[:8],
        "type": str(raw["type"]),
        "text": str(raw.get("text") or ""),
        "required": bool(raw.get("required")),
        "help": str(raw.get("help") or ""),
        "field": str(raw.get("field") or ""),
        "choices": [
            {
                "key": str(one.get("key") or "")[:8],
                "text": str(one.get("text") or ""),
                "tags": [str(tag) for tag in one.get("tags") or []],
            }
            for one in raw.get("choices") or []
        ],
    }


def _coupons() -> list[tuple[str, str]]:
    rows = pickable(clock.now())
    return [("", _("No gift")), *[(row.code, f"{row.title}・{row.benefit_text}") for row in rows]]


def _tags() -> list[Tag]:
    return list(Tag.select(Tag.name, Tag.color).where(Tag.archived_at.is_null()).order_by(Tag.name))
