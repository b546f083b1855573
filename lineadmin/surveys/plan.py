"""What people decide about a survey, and the rules every such decision has to meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import SHORT_NAME
from lineadmin.coupons.states import CLOSED as COUPON_CLOSED
from lineadmin.errors import DomainError
from lineadmin.friends.models import Field, Tag
from lineadmin.i18n import _, _l, format_count
from lineadmin.surveys.models import Survey
from lineadmin.surveys.questions import CHOSEN, FIELD, TYPE_LABELS, Question
from lineadmin.surveys.states import ONCE, REPEAT_LABELS

MOST_QUESTIONS = 20
FEWEST_CHOICES, MOST_CHOICES = 2, 20
MOST_TAGS = 5  # of one choice
LONGEST_TITLE = 60
LONGEST_TEXT = 2_000  # of the introduction and the thanks
LONGEST_QUESTION = 200
LONGEST_CHOICE = 60

Path = tuple[str | int, ...]


class PlanError(DomainError):
    """A plan that cannot be. `path` leads to the place: ("questions", 2, "choices", 0, "tags")."""

    def __init__(self, message: object, path: Path) -> None:
        super().__init__(message, field=str(path[0]))
        self.path = path


@dataclass(frozen=True)
class ChoicePlan:
    """One choice. `key` is empty for a new one; `tags` are names."""

    text: str
    tags: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class QuestionPlan:
    """One question. `key` is empty for a new one."""

    text: str
    type: str
    required: bool = False
    help: str = ""
    choices: tuple[ChoicePlan, ...] = ()
    field: str = ""
    key: str = ""

    @classmethod
    def of(cls, question: Question, names: dict[int, str]) -> QuestionPlan:
        """The decisions behind a stored question; tags that are gone are left out."""
        choices = tuple(
            ChoicePlan(one.text, tuple(names[tag] for tag in one.tags if tag in names), one.key)
            for one in question.choices
        )
        return cls(
            question.text,
            question.type,
            question.required,
            question.help,
            choices,
            question.field,
            question.key,
        )


@dataclass(frozen=True)
class Plan:
    """Everything about a survey that is decided by people. An empty code is made up."""

    title: str
    questions: tuple[QuestionPlan, ...]
    intro: str = ""
    thanks: str = ""
    repeat: str = ONCE  # once | sending
    coupon: str = ""  # the gift's short name
    gift_each: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None  # exclusive
    code: str = ""

    @classmethod
    def of(cls, survey: Survey, questions: Sequence[Question]) -> Plan:
        """The decisions behind a survey."""
        names = tag_names(questions)
        return cls(
            title=survey.title,
            questions=tuple(QuestionPlan.of(one, names) for one in questions),
            intro=survey.intro,
            thanks=survey.thanks,
            repeat=survey.repeat,
            coupon=survey.coupon.code if survey.coupon is not None else "",
            gift_each=survey.gift_each,
            starts_at=survey.starts_at,
            ends_at=survey.ends_at,
            code=survey.code,
        )

    def audited(self) -> dict[str, Any]:
        """As the audit log keeps them."""
        return {
            **{key: value for key, value in self.__dict__.items() if key != "questions"},
            "questions": [one.text for one in self.questions],
            "choices": [
                f"{choice.text}{''.join(f' #{tag}' for tag in choice.tags)}"
                for one in self.questions
                for choice in one.choices
            ],
        }


def tag_names(questions: Sequence[Question]) -> dict[int, str]:
    """The names of the tags these questions set, by id."""
    ids = {tag for one in questions for choice in one.choices for tag in choice.tags}
    if not ids:
        return {}
    rows = Tag.select(Tag.id, Tag.name).where(Tag.id.in_(sorted(ids)))
    return {row.id: row.name for row in rows}


def tidy(plan: Plan) -> Plan:
    """The plan without stray spaces."""
    return replace(
        plan,
        title=_line(plan.title),
        intro=_block(plan.intro),
        thanks=_block(plan.thanks),
        code=plan.code.strip(),
        questions=tuple(_tidy(one) for one in plan.questions),
    )


def problems(plan: Plan) -> list[PlanError]:
    """Everything that keeps a tidy plan from being stored, each with its place."""
    return [*_about_survey(plan), *_about_questions(plan.questions)]


def checked(plan: Plan) -> Plan:
    """The tidy plan.

    :raises PlanError: the first thing that cannot be
    """
    plan = tidy(plan)
    for problem in problems(plan):
        raise problem
    return plan


def _tidy(question: QuestionPlan) -> QuestionPlan:
    choices: tuple[ChoicePlan, ...] = ()
    if question.type in CHOSEN:
        choices = tuple(
            replace(one, text=_line(one.text), tags=tuple(dict.fromkeys(one.tags)))
            for one in question.choices
        )
    return replace(
        question,
        text=_line(question.text),
        help=_line(question.help),
        choices=choices,
        field=question.field if question.type == FIELD else "",
    )


def _about_survey(plan: Plan) -> Iterator[PlanError]:
    if not plan.title:
        yield PlanError(_l("Give the survey a name."), ("title",))
    if len(plan.title) > LONGEST_TITLE:
        yield PlanError(_too_long(LONGEST_TITLE), ("title",))
    for name in ("intro", "thanks"):
        if len(getattr(plan, name)) > LONGEST_TEXT:
            yield PlanError(_too_long(LONGEST_TEXT), (name,))
    if plan.repeat not in REPEAT_LABELS:
        yield PlanError(_l("Choose how often a friend may answer."), ("repeat",))
    if plan.code and not SHORT_NAME.fullmatch(plan.code):
        yield PlanError(
            _l("A short name has up to 40 letters, digits, - and _, such as bento20."), ("code",)
        )
    if plan.starts_at is not None and plan.ends_at is not None and plan.starts_at >= plan.ends_at:
        yield PlanError(_l("The last day is before the first one."), ("ends_at",))
    if plan.coupon:
        coupon = Coupon.get_or_none(Coupon.code == plan.coupon)
        if coupon is None:
            yield PlanError(_("There is no coupon “%(code)s”.", code=plan.coupon[:40]), ("coupon",))
        elif coupon.state == COUPON_CLOSED:
            yield PlanError(_("The coupon “%(title)s” is closed.", title=coupon.title), ("coupon",))


def _about_questions(questions: Sequence[QuestionPlan]) -> Iterator[PlanError]:
    if not questions:
        yield PlanError(_l("Ask at least one question."), ("questions",))
    if len(questions) > MOST_QUESTIONS:
        yield PlanError(_("At most %(count)s questions.", count=MOST_QUESTIONS), ("questions",))
    fields = {row.key for row in Field.select(Field.key)}
    named = {tag for one in questions for choice in one.choices for tag in choice.tags}
    tags = {row.name for row in Tag.select(Tag.name).where(Tag.name.in_(sorted(named)))}
    seen: dict[str, int] = {}
    for index, question in enumerate(questions):
        here: Path = ("questions", index)
        if question.text and question.text in seen:
            yield PlanError(
                _("Question %(number)s asks the same.", number=seen[question.text] + 1),
                (*here, "text"),
            )
        seen.setdefault(question.text, index)
        for step, message in _about_question(question, fields):
            yield PlanError(message, (*here, step))
        if question.type in CHOSEN:
            yield from _about_choices(question, here, tags)


def _about_question(question: QuestionPlan, fields: set[str]) -> Iterator[tuple[str, Any]]:
    if question.type not in TYPE_LABELS:
        yield "type", _l("Choose what kind of question it is.")
    if not question.text:
        yield "text", _l("Write the question.")
    if len(question.text) > LONGEST_QUESTION:
        yield "text", _too_long(LONGEST_QUESTION)
    if len(question.help) > LONGEST_QUESTION:
        yield "help", _too_long(LONGEST_QUESTION)
    if question.type == FIELD and question.field not in fields:
        yield (
            "field",
            _("There is no own field “%(key)s”.", key=question.field[:40])
            if question.field
            else _l("Choose the own field it fills in."),
        )


def _about_choices(question: QuestionPlan, here: Path, tags: set[str]) -> Iterator[PlanError]:
    if not FEWEST_CHOICES <= len(question.choices) <= MOST_CHOICES:
        yield PlanError(
            _("Give %(low)s to %(high)s choices.", low=FEWEST_CHOICES, high=MOST_CHOICES),
            (*here, "choices"),
        )
    seen: set[str] = set()
    for number, choice in enumerate(question.choices):
        place: Path = (*here, "choices", number)
        if not choice.text:
            yield PlanError(_l("Write the choice, or take it away."), (*place, "text"))
        elif len(choice.text) > LONGEST_CHOICE:
            yield PlanError(_too_long(LONGEST_CHOICE), (*place, "text"))
        elif choice.text in seen:
            yield PlanError(
                _("“%(name)s” is a choice already.", name=choice.text), (*place, "text")
            )
        seen.add(choice.text)
        if len(choice.tags) > MOST_TAGS:
            yield PlanError(_("At most %(count)s tags.", count=MOST_TAGS), (*place, "tags"))
        for tag in choice.tags:
            if tag not in tags:
                yield PlanError(_("There is no tag “%(name)s”.", name=tag[:40]), (*place, "tags"))


def _too_long(count: int) -> Any:
    return _l("At most %(count)s characters.", count=format_count(count))


def _line(text: str) -> str:
    return " ".join(text.split())


def _block(text: str) -> str:
    return text.strip().replace("\r\n", "\n")
