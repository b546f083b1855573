"""What friends answered, in numbers: per question, per sending, per month; and every text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import SQL, fn

from lineadmin.friends.models import Field
from lineadmin.friends.regions import GENDERS, REGIONS
from lineadmin.surveys import questions as q
from lineadmin.surveys.models import (
    Survey,
    SurveyAnswer,
    SurveyOpening,
    SurveyReply,
    SurveySending,
)
from lineadmin.surveys.questions import Question, ever_asked, fields_of

BATCH = 2_000
DECADE = 10
FIXED: dict[str, dict[str, Any]] = {q.GENDER: GENDERS, q.REGION: REGIONS}


@dataclass(frozen=True)
class Narrow:
    """Which answers are looked at: those of one sending, of one month, or all."""

    sending: int | None = None
    month: int | None = None

    def of(self, survey: Survey) -> Any:
        """As a condition on answers."""
        test: Any = SurveyAnswer.survey == survey.id
        if self.sending is not None:
            test &= SurveyAnswer.sending == self.sending
        if self.month is not None:
            test &= SurveyAnswer.month == self.month
        return test


@dataclass(frozen=True)
class Result:
    """One question in numbers. `bars` holds what was chosen how often, in the order of choices."""

    question: Question
    present: bool  # still asked
    answered: int
    bars: list[tuple[str, int]] = field(default_factory=list)
    average: float | None = None
    listed: bool = False  # what was written can be read, one by one


@dataclass(frozen=True)
class Row:
    """One sending or month: who answered, who opened, and what ratings came to."""

    answered: int
    opened: int
    averages: dict[str, float]


@dataclass(frozen=True)
class Cell:
    """How often one choice was taken, in one sending and month; `total` adds up its numbers."""

    question: str
    sending: int
    month: int
    choice: str
    count: int
    total: float
    numbers: int

    def within(self, narrow: Narrow) -> bool:
        """Whether it is among the answers that are looked at."""
        return narrow.sending in (None, self.sending) and narrow.month in (None, self.month)


def cells(survey: Survey) -> list[Cell]:
    """All a survey's replies, summed up: read from one index alone."""
    group = (SurveyReply.question, SurveyReply.sending_id, SurveyReply.month, SurveyReply.choice)
    query: Any = (
        SurveyReply.select(
            *group,
            fn.COUNT(SQL("*")),
            fn.COALESCE(fn.SUM(SurveyReply.number), 0),
            fn.COUNT(SurveyReply.number),
        )
        .where(SurveyReply.survey_id == survey.id)
        .group_by(*group)
    )
    return [Cell(*row) for row in query.tuples()]


def per_question(survey: Survey, narrow: Narrow, found: Sequence[Cell]) -> list[Result]:
    """Every question there ever was, the present ones first."""
    asked, present = ever_asked(survey)
    fields = fields_of(asked)
    mine: dict[str, list[Cell]] = defaultdict(list)
    for cell in found:
        if cell.within(narrow):
            mine[cell.question].append(cell)
    results = []
    for question in asked:
        cells_here = mine[question.key]
        answered = sum(cell.count for cell in cells_here)
        if question.type == q.SEVERAL and answered:
            answered = _people(survey, narrow, question)
        if question.key not in present and not answered:
            continue
        results.append(
            Result(
                question,
                question.key in present,
                answered,
                _bars(survey, narrow, question, fields.get(question.field), _by_choice(cells_here)),
                _average(cells_here) if question.type in (q.RATING, q.NUMBER) else None,
                _is_listed(question, fields.get(question.field)),
            )
        )
    return results


def per_sending(survey: Survey, found: Sequence[Cell]) -> dict[int, Row]:
    """Every sending's numbers, by its id."""
    query: Any = (
        SurveyOpening.select(SurveyOpening.sending, fn.COUNT(SurveyOpening.id))
        .where(SurveyOpening.survey == survey.id)
        .group_by(SurveyOpening.sending)
        .tuples()
    )
    opened = dict(query)
    answered = _answered(survey, SurveyAnswer.sending)
    averages = _averages(survey, found, lambda cell: cell.sending)
    ids = SurveySending.select(SurveySending.id).where(SurveySending.survey == survey.id)
    return {
        row.id: Row(answered.get(row.id, 0), opened.get(row.id, 0), averages.get(row.id, {}))
        for row in ids
    }


def per_month(survey: Survey, found: Sequence[Cell]) -> dict[int, Row]:
    """Every month with answers, the earliest first."""
    answered = _answered(survey, SurveyAnswer.month)
    averages = _averages(survey, found, lambda cell: cell.month)
    return {month: Row(answered[month], 0, averages.get(month, {})) for month in sorted(answered)}


def sendings(survey: Survey) -> list[SurveySending]:
    """Where it went out from, in the order of a sequence's steps, then of time."""
    query = SurveySending.select().where(SurveySending.survey == survey.id)
    rows = list(query)
    steps = [row for row in rows if row.origin == "step"]
    others = [row for row in rows if row.origin != "step"]
    return [
        *sorted(steps, key=lambda row: (row.origin_id, row.place)),
        *sorted(others, key=lambda row: (row.first_at, row.id)),
    ]


def ratings(survey: Survey) -> list[Question]:
    """The questions whose answers are a rating."""
    return [one for one in ever_asked(survey)[0] if one.type == q.RATING]


def written(survey: Survey, narrow: Narrow, key: str) -> Any:
    """What friends wrote to one question, to be paged by the reply's id."""
    return (
        SurveyReply.select(SurveyReply, SurveyAnswer)
        .join(SurveyAnswer)
        .where(SurveyReply.survey_id == survey.id, SurveyReply.question == key, narrow.of(survey))
    )


def batches(
    survey: Survey, narrow: Narrow
) -> Iterator[tuple[list[SurveyAnswer], dict[int, dict[str, list[SurveyReply]]]]]:
    """Every answer in order, a few thousand at a time, with its replies by question."""
    after = 0
    while True:
        answers = list(
            SurveyAnswer.select()
            .where(narrow.of(survey), SurveyAnswer.id > after)
            .order_by(SurveyAnswer.id)
            .limit(BATCH)
        )
        if answers:
            yield answers, _by_answer(answers)
        if len(answers) < BATCH:
            return
        after = answers[-1].id


def said(
    question: Question, replies: Sequence[SurveyReply], labels: dict[str, str] | None = None
) -> str:
    """What a friend said to one question, in words."""
    known = labels if labels is not None else label_of(question)
    told = []
    for reply in replies:
        if reply.choice:
            told.append(known.get(reply.choice, reply.choice))
        elif reply.number is not None:
            told.append(number_text(reply.number))
        else:
            told.append(reply.text)
    return "、".join(told)


def label_of(question: Question) -> dict[str, str]:
    """The words of what could be chosen."""
    return {value: str(label) for value, label in question.options()}


def number_text(number: float) -> str:
    """12 or 3.5"""
    return str(int(number)) if number == int(number) else f"{number:.10g}"


def _replies(survey: Survey, narrow: Narrow, question: Question, column: Any) -> Any:
    """What was replied to one question, and how often each."""
    query = SurveyReply.select(column, fn.COUNT(SQL("*"))).where(
        SurveyReply.survey_id == survey.id, SurveyReply.question == question.key, *_in(narrow)
    )
    return query.group_by(column).tuples()


def _in(narrow: Narrow) -> list[Any]:
    tests: list[Any] = []
    if narrow.sending is not None:
        tests.append(SurveyReply.sending_id == narrow.sending)
    if narrow.month is not None:
        tests.append(SurveyReply.month == narrow.month)
    return tests


def _bars(
    survey: Survey, narrow: Narrow, question: Question, own: Field | None, counts: dict[str, int]
) -> list[tuple[str, int]]:
    if question.type in q.CHOSEN or question.type == q.RATING:
        return [(str(label), counts.get(value, 0)) for value, label in question.options()]
    if question.type in FIXED:
        labels = FIXED[question.type]
        return [(str(labels[value]), counts[value]) for value in labels if value in counts]
    if question.type == q.BIRTH_YEAR:
        return _decades(survey, narrow, question)
    if question.type == q.FIELD and own is not None and own.type == "choice":
        found = dict(_replies(survey, narrow, question, SurveyReply.text))
        wanted = [str(one) for one in own.choices or []]
        gone = sorted(set(found) - set(wanted))
        return [(one, found.get(one, 0)) for one in (*wanted, *gone)]
    return []


def _decades(survey: Survey, narrow: Narrow, question: Question) -> list[tuple[str, int]]:
    decades: dict[int, int] = defaultdict(int)
    for year, count in _replies(survey, narrow, question, SurveyReply.number):
        decades[int(year) // DECADE * DECADE] += count
    return [(f"{year}–{year + DECADE - 1}", decades[year]) for year in sorted(decades)]


def _people(survey: Survey, narrow: Narrow, question: Question) -> int:
    """How many answered where several choices may be taken."""
    query = SurveyReply.select(fn.COUNT(SurveyReply.answer.distinct())).where(
        SurveyReply.survey_id == survey.id, SurveyReply.question == question.key, *_in(narrow)
    )
    return int(query.scalar())


def _by_choice(found: Sequence[Cell]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for cell in found:
        counts[cell.choice] += cell.count
    return counts


def _average(found: Sequence[Cell]) -> float | None:
    numbers = sum(cell.numbers for cell in found)
    return sum(float(cell.total) for cell in found) / numbers if numbers else None


def _is_listed(question: Question, own: Field | None) -> bool:
    if question.type == q.FIELD:
        return own is None or own.type != "choice"
    return question.type in (q.TEXT, q.NUMBER, q.DATE)


def _answered(survey: Survey, column: Any) -> dict[int, int]:
    query: Any = SurveyAnswer.select(column, fn.COUNT(SurveyAnswer.id))
    return dict(query.where(SurveyAnswer.survey == survey.id).group_by(column).tuples())


def _averages(
    survey: Survey, found: Sequence[Cell], group: Callable[[Cell], int]
) -> dict[int, dict[str, float]]:
    """The averages of rating questions, by sending or month and by question."""
    keys = {one.key for one in ratings(survey)}
    grouped: dict[int, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for cell in found:
        if cell.question in keys:
            grouped[group(cell)][cell.question].append(cell)
    return {
        one: {key: average for key, mine in by_key.items() if (average := _average(mine))}
        for one, by_key in grouped.items()
    }


def _by_answer(answers: Sequence[SurveyAnswer]) -> dict[int, dict[str, list[SurveyReply]]]:
    found: dict[int, dict[str, list[SurveyReply]]] = defaultdict(lambda: defaultdict(list))
    rows = SurveyReply.select().where(SurveyReply.answer.in_([one.id for one in answers]))
    for row in rows.order_by(SurveyReply.id):
        found[row.answer_id][row.question].append(row)
    return found
