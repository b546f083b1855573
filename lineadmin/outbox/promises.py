"""Messages that are still to come: what goes first may take a friend's last place under the cap.

The programs above the outbox say how many of theirs a friend has yet to get; each registers a
question here. Without one nothing is promised.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import reduce
from operator import add
from typing import Any

from peewee import fn

from lineadmin import settings

# (more urgent than this priority, due before this moment) -> a number as an expression on `Friend`
Question = Callable[[int, datetime], Any]

_questions: dict[str, Question] = {}


def register(name: str, question: Question) -> None:
    """Have `question` asked for every friend of a plan."""
    _questions[name] = question


def to_come(priority: int, due_at: datetime) -> Any:
    """How many more urgent messages each `Friend` gets until the end of that day of the shop.

    None where nobody registered a question.
    """
    if not _questions:
        return None
    zone = settings.shop_zone()
    tomorrow = due_at.astimezone(zone).date() + timedelta(days=1)
    until = datetime.combine(tomorrow, time(), zone)
    numbers = [fn.COALESCE(question(priority, until), 0) for question in _questions.values()]
    return reduce(add, numbers)
