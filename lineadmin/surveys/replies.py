"""Reading what a friend filled in: every value judged, every mistake beside its question."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lineadmin.errors import DomainError
from lineadmin.friends import fields as own_fields
from lineadmin.friends.attributes import parse_birth_year
from lineadmin.friends.models import Field
from lineadmin.i18n import _, format_count
from lineadmin.surveys import questions as q
from lineadmin.surveys.questions import Question, fields_of

LONGEST_REPLY = 1_000

Written = Mapping[str, Sequence[str]]  # what was posted: values by the question's key


@dataclass(frozen=True)
class Value:
    """One row of a reply."""

    choice: str = ""
    number: float | None = None
    text: str = ""


@dataclass
class Read:
    """What a form says: rows by question, what it tells about the friend, and what is wrong."""

    values: dict[str, list[Value]] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    own: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)  # by the question's key


def read(questions: Sequence[Question], written: Written, *, now: datetime) -> Read:
    """The replies to these questions, in the reader's language where something is wrong."""
    found = Read()
    fields = fields_of(questions)
    for question in questions:
        given = [one.strip() for one in written.get(question.key, ()) if one.strip()]
        if not given:
            if question.required and not _is_gone(question, fields):
                found.mistakes[question.key] = _nothing(question)
            continue
        try:
            found.values[question.key] = _values(question, given, fields, found, now)
        except DomainError as error:
            found.mistakes[question.key] = str(error)
    return found


def _values(
    question: Question, given: list[str], fields: dict[str, Field], found: Read, now: datetime
) -> list[Value]:
    if question.type == q.SEVERAL:
        chosen = [one.key for one in question.choices if one.key in given]
        if len(chosen) != len(set(given)):
            raise _not_a_choice()
        return [Value(choice=key) for key in chosen]
    return [_READERS[question.type](question, given[0], fields, found, now)]


def _choice(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    if text not in [value for value, _label in question.options()]:
        raise _not_a_choice()
    if question.type in q.KNOWN:
        found.known[question.type] = text
    return Value(choice=text, number=float(text) if question.type == q.RATING else None)


def _text(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    if len(text) > LONGEST_REPLY:
        raise DomainError(_("At most %(count)s characters.", count=format_count(LONGEST_REPLY)))
    return Value(text=text)


def _number(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        number = math.nan
    if not abs(number) <= own_fields.LARGEST_NUMBER:
        raise DomainError(_("Write a number, such as 12 or 3.5."))
    return Value(number=number)


def _date(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    try:
        return Value(text=date.fromisoformat(text.replace("/", "-")).isoformat())
    except ValueError:
        raise DomainError(_("Write a date, such as 2026-11-23.")) from None


def _birth_year(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    year = parse_birth_year(text, now=now) or 0
    found.known[q.BIRTH_YEAR] = year
    return Value(number=float(year))


def _own_field(
    question: Question, text: str, fields: dict[str, Field], found: Read, now: datetime
) -> Value:
    row = fields.get(question.field)
    if row is None:
        return Value(text=text[:LONGEST_REPLY])  # the field was deleted: her word is kept here
    words, number = own_fields.parse_value(row, text)
    found.own[row.key] = (words, number)
    return Value(text=words, number=number)


_READERS: dict[str, Callable[[Question, str, dict[str, Field], Read, datetime], Value]] = {
    q.ONE: _choice,
    q.RATING: _choice,
    q.GENDER: _choice,
    q.REGION: _choice,
    q.TEXT: _text,
    q.NUMBER: _number,
    q.DATE: _date,
    q.BIRTH_YEAR: _birth_year,
    q.FIELD: _own_field,
}


def _is_gone(question: Question, fields: dict[str, Field]) -> bool:
    return question.type == q.FIELD and question.field not in fields


def _nothing(question: Question) -> str:
    if question.type == q.SEVERAL:
        return _("Choose at least one.")
    if question.type in (q.ONE, q.RATING, q.GENDER, q.REGION):
        return _("Choose one.")
    return _("Fill this in, please.")


def _not_a_choice() -> DomainError:
    return DomainError(_("Choose from what is offered."))
