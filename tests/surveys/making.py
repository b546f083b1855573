"""Surveys for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.friends.models import Friend, Tag
from lineadmin.surveys import actions
from lineadmin.surveys.links import Link, token_for
from lineadmin.surveys.models import Survey, SurveySending
from lineadmin.surveys.plan import ChoicePlan, Plan, QuestionPlan
from lineadmin.surveys.questions import questions_of
from lineadmin.surveys.sendings import sending_of
from tests.conftest import NOON

INTERESTS = QuestionPlan(
    "平常喜歡什麼？",
    "several",
    required=True,
    choices=(
        ChoicePlan("遊戲", ("愛玩遊戲",)),
        ChoicePlan("旅遊", ("愛旅遊",)),
        ChoicePlan("其他"),
    ),
)
SCORE = QuestionPlan("這個月的便當給幾分？", "rating", required=True)
WORDS = QuestionPlan("想跟我們說什麼？", "text")


def make_survey(*questions: QuestionPlan, now: datetime = NOON, **plan: Any) -> Survey:
    """An open survey; without questions it asks for interests, and tags them."""
    asked = questions or (INTERESTS,)
    for question in asked:
        for choice in question.choices:
            for tag in choice.tags:
                Tag.get_or_create(name=tag, defaults={"created_at": now})
    plan.setdefault("title", "興趣小調查")
    survey = actions.create(Plan(questions=asked, **plan), staff=None, now=now, wall=now)
    actions.open_up(survey.id, staff=None, wall=now)
    return actions.get(survey.id)


def edit(survey: Survey, **changes: Any) -> Survey:
    """Change what was decided, as a manager's form does."""
    plan = Plan.of(survey, questions_of(survey))
    plan = Plan(**{**plan.__dict__, **changes})
    return actions.edit(survey.id, plan, version=None, staff=None, now=NOON, wall=NOON)


def keys_of(survey: Survey) -> dict[str, str]:
    """The keys of present questions and choices by their words."""
    asked = questions_of(survey)
    choices = {one.text: one.key for question in asked for one in question.choices}
    return {**{one.text: one.key for one in asked}, **choices}


def link_of(
    survey: Survey,
    friend: Friend,
    origin: str = "broadcast",
    origin_id: int = 1,
    place: int = 0,
    now: datetime = NOON,
) -> Link:
    """What the link in a message says."""
    sending: SurveySending = sending_of(survey, origin, origin_id, place, now=now)
    return Link(survey, friend.id, sending)


def path_of(link: Link) -> str:
    """The address of the page behind a link."""
    return f"/c/s/{token_for(link.survey, link.friend_id, link.sending.id)}"
