"""What the card of a topic says, and what its buttons tell us."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lineadmin.i18n import use_locale
from lineadmin.topics.models import Topic
from lineadmin.topics.plan import CODE
from lineadmin.topics.states import FREQUENCIES

YES, NO = "yes", "no"
PREFIX = "topic:"  # of the postbacks
_DATA = re.compile(
    rf"{PREFIX}({CODE.pattern}):(yes|no)"
    r"(?::(\d{1,6}))?(?::([a-z]{1,12})\.(\d{1,10})\.(\d{1,9}))?"
)
MOST_ID = 2**31 - 1


@dataclass(frozen=True)
class Tap:
    """A tap on one of the buttons: which topic, yes or no, and what she had before her.

    `origin`, `origin_id` and `origin_place` are the message the card was in; empty where the
    button was under one of our own answers.
    """

    code: str
    yes: bool
    wording: int | None = None
    origin: str = ""
    origin_id: int = 0
    origin_place: int = 0

    @classmethod
    def read(cls, data: str) -> Tap | None:
        """What the data of a postback says; None where it is about something else."""
        found = _DATA.fullmatch(data)
        if found is None:
            return None
        code, answer, wording, origin, number, place = found.groups()
        tap = cls(code, answer == YES, int(wording) if wording else None)
        if origin is None or int(number) > MOST_ID:
            return tap
        return replace(tap, origin=origin, origin_id=int(number), origin_place=int(place))

    def data(self) -> str:
        """As the button carries it."""
        words = [f"{PREFIX}{self.code}", YES if self.yes else NO]
        if self.wording is not None:
            words.append(str(self.wording))
            if self.origin:
                words.append(f"{self.origin}.{self.origin_id}.{self.origin_place}")
        return ":".join(words)


@dataclass(frozen=True)
class TopicView:
    """The texts of a topic's card, in one language."""

    name: str
    description: str
    frequency_text: str
    wording: str
    yes: str  # postback data
    no: str


def card_view(
    topic: Topic, wording: str, locale: str, *, origin: str = "", origin_id: int = 0, place: int = 0
) -> TopicView:
    """The card in a message of this origin. Pure: reads no database."""
    tap = Tap(topic.code, True, topic.wording_version, origin, origin_id, place)
    with use_locale(locale):
        return TopicView(
            name=topic.name,
            description=topic.description,
            frequency_text=str(FREQUENCIES[topic.frequency]),
            wording=wording,
            yes=tap.data(),
            no=replace(tap, yes=False).data(),
        )
