"""A survey as a card in the chat: what it is about, what it brings, and the way to its page."""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.messages import flex
from lineadmin.messages.part import Identifier, Part
from lineadmin.surveys.card import SurveyView

COOL_START, COOL_END = "#067a3e", "#1f5fbf"
GIFT = "#8a5300"


class SurveyCard(Part):
    """A card that leads a friend to her page of a survey."""

    key: ClassVar[str] = "survey"
    survey: Identifier  # the survey's code

    @property
    def needs_public_url(self) -> bool:
        """Her page is on this server."""
        return True


def render(view: SurveyView) -> dict[str, Any]:
    """The Flex message that shows a survey and opens its page."""
    intro = [flex.text(view.intro, size="sm", color=flex.INK)] if view.intro else []
    gift = [flex.text(view.gift, size="sm", color=GIFT, weight="bold")] if view.gift else []
    about = flex.text(view.about, size="xs", color=flex.HINT)
    alt = "・".join(line for line in (view.about, view.gift) if line)
    return flex.message(
        f"【{view.title}】{alt}",
        flex.bubble(
            hero=flex.banner(view.title, COOL_START, COOL_END),
            body=flex.body([*intro, *gift, about]),
            footer=flex.footer([flex.button(flex.opens(_("Answer now"), view.url))]),
        ),
    )
