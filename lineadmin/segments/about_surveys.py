"""The field about surveys: who has answered one, and who has not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from peewee import Value

from lineadmin.i18n import _, _l, _n
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf
from lineadmin.segments.widgets import CHOICE, Ask, Subject
from lineadmin.surveys.models import Survey, SurveyAnswer

ANSWERED, NOT = "answered", "not"

STATES: dict[str, Any] = {ANSWERED: _l("answered"), NOT: _l("not answered")}
WORDS: dict[str, Any] = {
    ANSWERED: _l("answered the survey “%(survey)s”"),
    NOT: _l("did not answer the survey “%(survey)s”"),
}


def _survey(leaf: Leaf, context: f.Context) -> Condition:
    survey = Survey.get_or_none(Survey.code == leaf.about)
    if survey is None:
        answered: Condition = Value(1) == Value(0)
    else:
        test = SurveyAnswer.survey == survey.id
        if leaf.within_days:
            test = test & (SurveyAnswer.at > context.now - timedelta(days=leaf.within_days))
        answered = has(SurveyAnswer.friend_id, test, context)
    positive: Condition = Value(1) == Value(0)
    for value in leaf.values:
        positive = positive | (answered if value == ANSWERED else ~answered)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _sentence(leaf: Leaf) -> str:
    row = Survey.get_or_none(Survey.code == leaf.about)
    name = leaf.about if row is None else row.title
    told = _(" or ").join(str(WORDS[value]) % {"survey": name} for value in leaf.values)
    if leaf.op in f.OPPOSITE:
        told = _("not: %(what)s", what=told)
    if not leaf.within_days:
        return told
    return _n(
        "%(told)s (last %(count)s day)",
        "%(told)s (last %(count)s days)",
        leaf.within_days,
        told=told,
    )


def _subjects() -> list[Subject]:
    states = [(state, str(word)) for state, word in STATES.items()]
    rows = Survey.select(Survey.code, Survey.title).where(Survey.archived_at.is_null())
    return [
        Subject(row.code, row.title, (*f.ONE, *f.SEVERAL), CHOICE, choices=states)
        for row in rows.order_by(Survey.id.desc())
    ]


def _missing(leaf: Leaf) -> str | None:
    if Survey.select().where(Survey.code == leaf.about).exists():
        return None
    return _("There is no survey with the code %(code)s.", code=leaf.about)


register(
    FieldSpec(
        "survey",
        _l("survey"),
        (*f.ONE, *f.SEVERAL),
        _survey,
        _sentence,
        f.check_choice(*STATES),
        Ask("deeds", CHOICE, subjects=_subjects),
        about=True,
        allows=("within_days",),
        missing=_missing,
    )
)
