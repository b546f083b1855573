"""Surveys; their answers and the keys of their links never leave the database by a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lineadmin import settings
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path, ShopFileError
from lineadmin.shopfile.offers import day_or_moment, end_of, start_of
from lineadmin.shopfile.schema import ChoicePart, QuestionPart, SurveyPart
from lineadmin.surveys import actions
from lineadmin.surveys.models import Survey
from lineadmin.surveys.plan import ChoicePlan, Plan, PlanError, QuestionPlan
from lineadmin.surveys.questions import questions_of
from lineadmin.surveys.states import CLOSED, DRAFT, OPEN

PLACES: dict[str, Path] = {"starts_at": ("from",), "ends_at": ("until",)}
PLAIN = ("title", "intro", "thanks", "repeat", "coupon")


def load_surveys(parts: list[SurveyPart], context: Context) -> None:
    """Make or change surveys; what the file does not say stays as it is.

    Questions are known by their text: one that is no longer in the file is no longer asked.
    """
    for index, part in enumerate(parts):
        path = ("surveys", index)
        known = Survey.get_or_none(Survey.code == part.code)
        if known is None and (part.title is None or part.questions is None):
            raise context.refuse(path, "a new survey needs a title and questions")
        plan = (
            Plan(title="", questions=(), code=part.code)
            if known is None
            else Plan.of(known, questions_of(known))
        )
        with _at(path, context):
            changed = actions.load(
                replace(plan, **_given(part)),
                staff=context.staff,
                now=context.now,
                wall=context.wall,
            )
            changed = _load_state(part, path, context) or changed
        context.report.note("survey", part.code, created=known is None, changed=changed)


def dump_surveys() -> list[dict[str, Any]]:
    """Every survey, those that were put away too."""
    return [_dumped(survey) for survey in Survey.select().order_by(Survey.code)]


@contextmanager
def _at(path: Path, context: Context) -> Iterator[None]:
    """A refusal inside the block names its place within the survey."""
    with context.at(path, PLACES):
        try:
            yield
        except PlanError as error:
            if len(error.path) == 1:
                raise
            place = (*path, *error.path)
            line = context.source.line(place) or context.source.line((*path, *error.path[:2]))
            raise ShopFileError(line, place, error) from None


def _given(part: SurveyPart) -> dict[str, Any]:
    zone = settings.shop_zone()
    values = {key: getattr(part, key) for key in PLAIN if getattr(part, key) is not None}
    if part.given("coupon") and part.coupon is None:
        values["coupon"] = ""
    if part.gift is not None:
        values["gift_each"] = part.gift == "each"
    if part.given("from_"):
        values["starts_at"] = start_of(part.from_, zone)
    if part.given("until"):
        values["ends_at"] = end_of(part.until, zone)
    if part.questions is not None:
        values["questions"] = tuple(_question(one) for one in part.questions)
    return values


def _question(part: QuestionPart) -> QuestionPlan:
    choices = tuple(
        ChoicePlan(one.text, tuple(one.tags)) if isinstance(one, ChoicePart) else ChoicePlan(one)
        for one in part.choices
    )
    return QuestionPlan(part.text, part.type, part.required, part.help, choices, part.field)


def _load_state(part: SurveyPart, path: Path, context: Context) -> bool:
    survey: Survey = Survey.get(Survey.code == part.code)
    staff, wall = context.staff, context.wall
    changed = False
    if part.archived is False and survey.archived_at is not None:
        actions.unarchive(survey.id, staff=staff, wall=wall)
        changed = True
    if part.state is not None and part.state != survey.state:
        if part.state == DRAFT:
            raise context.refuse((*path, "state"), "this survey was opened already")
        change = {OPEN: actions.open_up, CLOSED: actions.close}[part.state]
        change(survey.id, staff=staff, wall=wall)
        changed = True
    if part.archived and survey.archived_at is None:
        actions.archive(survey.id, staff=staff, now=context.now, wall=wall)
        changed = True
    return changed


def _dumped(survey: Survey) -> dict[str, Any]:
    zone = settings.shop_zone()
    plan = Plan.of(survey, questions_of(survey))
    item: dict[str, Any] = {"code": plan.code, "title": plan.title}
    if plan.intro:
        item["intro"] = plan.intro
    item["questions"] = [_dumped_question(one) for one in plan.questions]
    item["repeat"] = plan.repeat
    if survey.starts_at is not None:
        item["from"] = day_or_moment(survey.starts_at.astimezone(zone), timedelta())
    if survey.ends_at is not None:
        item["until"] = day_or_moment(survey.ends_at.astimezone(zone), timedelta(days=1))
    if plan.thanks:
        item["thanks"] = plan.thanks
    if plan.coupon:
        item["coupon"] = plan.coupon
        item["gift"] = "each" if plan.gift_each else "once"
    item["state"] = survey.state
    if survey.archived_at is not None:
        item["archived"] = True
    return item


def _dumped_question(question: QuestionPlan) -> dict[str, Any]:
    item: dict[str, Any] = {"text": question.text, "type": question.type}
    if question.required:
        item["required"] = True
    if question.help:
        item["help"] = question.help
    if question.field:
        item["field"] = question.field
    if question.choices:
        item["choices"] = [
            {"text": one.text, "tags": list(one.tags)} if one.tags else one.text
            for one in question.choices
        ]
    return item
