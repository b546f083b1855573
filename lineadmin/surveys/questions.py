"""The kinds of questions, and a question as it is stored with its revision.

Stored as `{"key": "q1", "type": "one", "text": …, "required": true, "help": "",
"choices": [{"key": "c2", "text": …, "tags": [ids]}], "field": "allergy"}`. A key stays with its
question for good, whatever becomes of its words: answers of all revisions meet under it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lineadmin.friends.models import Field
from lineadmin.friends.regions import GENDERS, REGIONS
from lineadmin.i18n import _l
from lineadmin.surveys.models import Survey, SurveyRevision

ONE, SEVERAL, RATING, TEXT, NUMBER, DATE = "one", "several", "rating", "text", "number", "date"
BIRTH_YEAR, GENDER, REGION, FIELD = "birth_year", "gender", "region", "field"
CHOSEN = (ONE, SEVERAL)  # with choices of their own
KNOWN = (BIRTH_YEAR, GENDER, REGION)  # set what is known about the friend
NUMBERS = (NUMBER, BIRTH_YEAR)
BEST = 5  # ratings go from 1 to this

TYPE_LABELS: dict[str, Any] = {
    ONE: _l("One choice"),
    SEVERAL: _l("Several choices"),
    RATING: _l("Rating 1 to 5"),
    TEXT: _l("Text"),
    NUMBER: _l("Number"),
    DATE: _l("Date"),
    BIRTH_YEAR: _l("Year of birth"),
    GENDER: _l("Gender"),
    REGION: _l("City or county"),
    FIELD: _l("Own field"),
}


@dataclass(frozen=True)
class Choice:
    """One choice; `tags` are ids of tags whoever takes it gets."""

    key: str
    text: str
    tags: tuple[int, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question of a revision."""

    key: str
    type: str
    text: str
    required: bool = False
    help: str = ""
    choices: tuple[Choice, ...] = ()
    field: str = ""  # the key of the shop's own field

    @classmethod
    def stored(cls, raw: dict[str, Any]) -> Question:
        """As a revision keeps it."""
        choices = tuple(
            Choice(one["key"], one["text"], tuple(one.get("tags") or ()))
            for one in raw.get("choices") or ()
        )
        return cls(
            raw["key"],
            raw["type"],
            raw["text"],
            bool(raw.get("required")),
            raw.get("help") or "",
            choices,
            raw.get("field") or "",
        )

    def to_json(self) -> dict[str, Any]:
        """`stored` reads it again."""
        written: dict[str, Any] = {
            "key": self.key,
            "type": self.type,
            "text": self.text,
            "required": self.required,
        }
        if self.help:
            written["help"] = self.help
        if self.choices:
            written["choices"] = [
                {"key": one.key, "text": one.text, "tags": list(one.tags)} for one in self.choices
            ]
        if self.field:
            written["field"] = self.field
        return written

    def options(self, field: Field | None = None) -> list[tuple[str, Any]]:
        """What can be chosen: (value, label); empty where something is written instead."""
        if self.type in CHOSEN:
            return [(one.key, one.text) for one in self.choices]
        if self.type == RATING:
            return [(str(number), str(number)) for number in range(1, BEST + 1)]
        if self.type == GENDER:
            return list(GENDERS.items())
        if self.type == REGION:
            return list(REGIONS.items())
        if self.type == FIELD and field is not None and field.type == "choice":
            return [(str(one), str(one)) for one in field.choices or []]
        return []


def questions_of(survey: Survey, number: int | None = None) -> list[Question]:
    """The present questions, or those of an earlier revision; none where there is none such."""
    row = SurveyRevision.get_or_none(
        SurveyRevision.survey == survey.id,
        SurveyRevision.number == (survey.revision if number is None else number),
    )
    return [] if row is None else [Question.stored(raw) for raw in row.questions]


def ever_asked(survey: Survey) -> tuple[list[Question], set[str]]:
    """Every question there was, the present ones first, and the keys of the present ones.

    Each in its latest words, with every choice it ever had.
    """
    rows = SurveyRevision.select().where(SurveyRevision.survey == survey.id)
    newest: dict[str, Question] = {}
    present: set[str] = set()
    for row in rows.order_by(SurveyRevision.number.desc()):
        for raw in row.questions:
            question = Question.stored(raw)
            if row.number == survey.revision:
                present.add(question.key)
            known = newest.get(question.key)
            newest[question.key] = question if known is None else _with_choices(known, question)
    return list(newest.values()), present


def _with_choices(question: Question, earlier: Question) -> Question:
    held = {one.key for one in question.choices}
    gone = tuple(one for one in earlier.choices if one.key not in held)
    return Question(**{**question.__dict__, "choices": (*question.choices, *gone)})


def fields_of(questions: Iterable[Question]) -> dict[str, Field]:
    """The shop's own fields these questions ask for, by key, as far as they still exist."""
    keys = [one.field for one in questions if one.field]
    if not keys:
        return {}
    return {row.key: row for row in Field.select().where(Field.key.in_(keys))}
