"""Kinds of values a shop file holds, and the base of its groups of keys."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _number_as_text(value: object) -> object:
    # YAML reads an unquoted 2027 or 100 as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _clock(value: str) -> str:
    if not CLOCK.fullmatch(value):
        raise ValueError('expected a time of day such as "09:30"')
    return value


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("expected a day such as 2026-11-23") from None
    return value


def _moment(value: object) -> object:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValueError(
                'expected a moment with its offset, such as "2026-11-23T11:30:00+08:00"'
            )
        return moment
    return value


def _day_or_moment(value: object) -> object:
    found = _day(value) if isinstance(value, str) and len(value) <= 10 else _moment(value)
    if isinstance(found, date) and not 1970 <= found.year <= 2999:
        raise ValueError("expected a day from 1970 to 2999")
    return found


Name = Annotated[str, BeforeValidator(_number_as_text)]
Clock = Annotated[str, AfterValidator(_clock)]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
DayOrMoment = Annotated[date | datetime, BeforeValidator(_day_or_moment)]
Messages = list[Any]  # checked by the messages room
Condition = dict[str, Any]  # checked by the segments room


class Part(BaseModel):
    """A group of keys. `given(key)` tells an absent key from one that is null."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    def given(self, key: str) -> bool:
        """Whether the file says anything about `key` (its name here)."""
        return key in self.model_fields_set
