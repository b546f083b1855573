"""What managers do with surveys: make, change, open, close, duplicate and put them away."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from lineadmin.coupons.models import Coupon
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff
from lineadmin.surveys.locking import locked
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveyRevision
from lineadmin.surveys.plan import ChoicePlan, Plan, QuestionPlan, checked
from lineadmin.surveys.questions import CHOSEN, Choice, Question, questions_of
from lineadmin.surveys.states import CLOSED, OPEN

CODE_TRIES = 20


def create(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> Survey:
    """Make a survey; it is a draft until it is opened.

    :raises DomainError: a value that cannot be right, or the short name is taken
    """
    plan = checked(plan)
    for number in range(CODE_TRIES):
        columns = _columns(plan)
        if not plan.code:
            columns["code"] = f"survey-{_next_number() + number}"
        try:
            with atomic():
                survey: Survey = Survey.create(
                    **columns, link_key=secrets.token_hex(32), created_at=now
                )
                questions = _named(survey, plan.questions, [])
                SurveyRevision.create(
                    survey=survey.id,
                    number=survey.revision,
                    questions=[one.to_json() for one in questions],
                    created_at=now,
                )
                _record(staff, "survey.create", survey, None, plan.audited(), wall)
            return survey
        except IntegrityError:
            if plan.code:
                break
    raise DomainError(
        _("There is a survey with the short name %(code)s already.", code=plan.code), field="code"
    )


def edit(
    survey_id: int,
    plan: Plan,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> Survey:
    """Change a survey. Questions that were answered stay readable: the new ones are a revision.

    :param version: the version the form was opened with; None skips the check (shop files)
    :raises DomainError: a value that cannot be right
    :raises Conflict: somebody else saved meanwhile
    """
    with atomic():
        get(survey_id)
        survey = locked(survey_id)  # an answer of this moment belongs to the old questions
        plan = checked(replace(plan, code=survey.code))  # messages know it by it
        stored = questions_of(survey)
        before = Plan.of(survey, stored)
        if version is not None and version != survey.version:
            raise _conflict()
        questions = _named(survey, plan.questions, stored)
        if before.audited() == plan.audited() and questions == stored:
            return survey
        revision = _revise(survey, questions, now) if questions != stored else survey.revision
        saved = (
            Survey.update(**_columns(plan), revision=revision, version=Survey.version + 1)
            .where(Survey.id == survey.id, Survey.version == survey.version)
            .execute()
        )
        if not saved:
            raise _conflict()
        _record(staff, "survey.edit", survey, before.audited(), plan.audited(), wall)
        return get(survey_id)


def load(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Make the survey of this code, or change it to be so; False where it was so already.

    :raises DomainError: a value that cannot be right
    """
    known = Survey.get_or_none(Survey.code == plan.code)
    if known is None:
        create(plan, staff=staff, now=now, wall=wall)
        return True
    saved = edit(known.id, plan, version=None, staff=staff, now=now, wall=wall)
    return bool(saved.version != known.version)


def duplicate(survey_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> Survey:
    """A draft with the same questions and no answers."""
    survey = get(survey_id)
    plan = Plan.of(survey, questions_of(survey))
    title = _("%(title)s (copy)", title=plan.title[:50])
    questions = tuple(_unnamed(one) for one in plan.questions)
    return create(
        replace(plan, title=title, code="", questions=questions), staff=staff, now=now, wall=wall
    )


def open_up(survey_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Friends may answer, within its period."""
    _set_state(survey_id, OPEN, "survey.open", staff, wall)


def close(survey_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Nobody answers until it is opened again; gifts that were given stay valid."""
    _set_state(survey_id, CLOSED, "survey.close", staff, wall)


def archive(survey_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> None:
    """Put it away.

    :raises DomainError: it is open
    """
    with atomic():
        survey = get(survey_id)
        put = Survey.update(archived_at=now, version=Survey.version + 1).where(
            Survey.id == survey_id, Survey.archived_at.is_null(), Survey.state != OPEN
        )
        if put.execute():
            _record(staff, "survey.archive", survey, None, {}, wall)
        elif survey.state == OPEN:
            raise DomainError(_l("Close the survey first, then put it away."))


def unarchive(survey_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Put it back on the list."""
    with atomic():
        survey = get(survey_id)
        put = Survey.update(archived_at=None, version=Survey.version + 1).where(
            Survey.id == survey_id, Survey.archived_at.is_null(False)
        )
        if put.execute():
            _record(staff, "survey.unarchive", survey, None, {}, wall)


def get(survey_id: int) -> Survey:
    """:raises DomainError: there is none with this id"""
    survey: Survey | None = Survey.get_or_none(Survey.id == survey_id)
    if survey is None:
        raise DomainError(_l("This survey is not here."))
    return survey


def _next_number() -> int:
    return int(Survey.select(fn.COALESCE(fn.MAX(Survey.id), 0)).scalar()) + 1


def _columns(plan: Plan) -> dict[str, Any]:
    coupon = Coupon.get_or_none(Coupon.code == plan.coupon) if plan.coupon else None
    values = dict(plan.__dict__)
    del values["questions"]
    return {**values, "coupon": None if coupon is None else coupon.id}


def _named(
    survey: Survey, plans: Sequence[QuestionPlan], stored: Sequence[Question]
) -> list[Question]:
    """The questions with their keys: those they have, those of the same words, else new ones."""
    tags = _tag_ids(plans)
    keys = _Keys(survey)
    free = {one.key: one for one in stored}
    found: list[Question] = []
    for plan in plans:
        known = free.get(plan.key) or next(
            (one for one in free.values() if not plan.key and one.text == plan.text), None
        )
        if known is not None and not _same_kind(known, plan):
            known = None
        if known is not None:
            del free[known.key]
        found.append(
            Question(
                known.key if known is not None else keys.new("q"),
                plan.type,
                plan.text,
                plan.required,
                plan.help,
                _named_choices(plan.choices, known, keys, tags),
                plan.field,
            )
        )
    keys.save()
    return found


def _named_choices(
    plans: Sequence[ChoicePlan], known: Question | None, keys: _Keys, tags: dict[str, int]
) -> tuple[Choice, ...]:
    free = {} if known is None else {one.key: one for one in known.choices}
    choices = []
    for plan in plans:
        same = free.get(plan.key) or next(
            (one for one in free.values() if not plan.key and one.text == plan.text), None
        )
        if same is not None:
            del free[same.key]
        ids = tuple(sorted(tags[name] for name in plan.tags if name in tags))
        choices.append(Choice(same.key if same is not None else keys.new("c"), plan.text, ids))
    return tuple(choices)


class _Keys:
    """New keys, none of which the survey ever had."""

    def __init__(self, survey: Survey) -> None:
        self._survey, self._count = survey, survey.keys

    def new(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def save(self) -> None:
        if self._count != self._survey.keys:
            Survey.update(keys=self._count).where(Survey.id == self._survey.id).execute()


def _same_kind(known: Question, plan: QuestionPlan) -> bool:
    """Whether answers to the one can stand beside answers to the other."""
    if known.type in CHOSEN and plan.type in CHOSEN:
        return True
    return (known.type, known.field) == (plan.type, plan.field)


def _tag_ids(plans: Sequence[QuestionPlan]) -> dict[str, int]:
    names = sorted({tag for one in plans for choice in one.choices for tag in choice.tags})
    rows = Tag.select(Tag.id, Tag.name).where(Tag.name.in_(names))
    return {row.name: row.id for row in rows}


def _unnamed(question: QuestionPlan) -> QuestionPlan:
    choices = tuple(replace(one, key="") for one in question.choices)
    return replace(question, key="", choices=choices)


def _revise(survey: Survey, questions: Sequence[Question], now: datetime) -> int:
    """Store changed questions; the number of the revision they are in."""
    written = [one.to_json() for one in questions]
    answered = SurveyAnswer.select().where(
        SurveyAnswer.survey == survey.id, SurveyAnswer.revision == survey.revision
    )
    if not answered.exists():
        SurveyRevision.update(questions=written).where(
            SurveyRevision.survey == survey.id, SurveyRevision.number == survey.revision
        ).execute()
        return int(survey.revision)
    number = int(survey.revision) + 1
    SurveyRevision.create(survey=survey.id, number=number, questions=written, created_at=now)
    return number


def _set_state(
    survey_id: int, state: str, action: str, staff: Staff | None, wall: datetime
) -> None:
    with atomic():
        survey = get(survey_id)
        changed = (
            Survey.update(state=state, version=Survey.version + 1)
            .where(Survey.id == survey_id, Survey.state != state, Survey.archived_at.is_null())
            .execute()
        )
        if changed:
            _record(staff, action, survey, {"state": survey.state}, {"state": state}, wall)
        elif survey.archived_at is not None and survey.state != state:
            raise DomainError(_l("Take the survey out of the archive first."))


def _conflict() -> Conflict:
    return Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))


def _record(
    staff: Staff | None,
    action: str,
    survey: Survey,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    wall: datetime,
) -> None:
    audit.record(staff, action, "survey", survey.id, survey.title, before, after, wall=wall)
