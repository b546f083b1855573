"""What a message says about a survey: the words of the card that leads to its page."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin.i18n import _, _n, use_locale
from lineadmin.line.text import cut_to_graphemes
from lineadmin.surveys.models import Survey

INTRO_SHOWN = 80
SECONDS_EACH = 12  # what one question takes to answer


@dataclass(frozen=True)
class SurveyView:
    """The texts of a survey's card, in one language."""

    title: str
    intro: str
    about: str
    gift: str
    url: str


def card_view(survey: Survey, questions: int, gift: str, url: str, locale: str) -> SurveyView:
    """The card for one friend; `url` is her page. Pure: reads no database."""
    with use_locale(locale):
        minutes = max(1, round(questions * SECONDS_EACH / 60))
        return SurveyView(
            title=survey.title,
            intro=cut_to_graphemes(" ".join(survey.intro.split()), INTRO_SHOWN),
            about=_n(
                "%(count)s question, about %(minutes)s min",
                "%(count)s questions, about %(minutes)s min",
                questions,
                minutes=minutes,
            ),
            gift=_("For your answer: %(gift)s", gift=gift) if gift else "",
            url=url,
        )
