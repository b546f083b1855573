"""A topic as a card in the chat: what it is, how often, how to stop, and yes or no."""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.messages import flex
from lineadmin.messages.part import Identifier, Part
from lineadmin.topics.card import TopicView

START, END = "#067a3e", "#00838f"


class TopicCard(Part):
    """A card that asks the friend whether she wants a topic."""

    key: ClassVar[str] = "topic"
    topic: Identifier  # the topic's code


def render(view: TopicView) -> dict[str, Any]:
    """The Flex message that asks for consent."""
    stop = _("To stop, tap “No, thanks” here or write to us: Unsubscribe %(name)s", name=view.name)
    about = [flex.text(view.description, size="md", color=flex.INK)] if view.description else []
    yes = flex.postback(_("Subscribe"), view.yes)
    no = flex.postback(_("No, thanks"), view.no)
    return flex.message(
        f"【{view.name}】{view.frequency_text}",
        flex.bubble(
            hero=flex.banner(view.name, START, END, height="88px"),
            body=flex.body(
                [
                    *about,
                    flex.text(view.frequency_text, size="sm", color=flex.INK, weight="bold"),
                    flex.text(view.wording, size="xs", color=flex.HINT),
                    flex.text(stop, size="xs", color=flex.HINT),
                ]
            ),
            footer=flex.footer(
                [flex.button(yes), flex.button(no, style="link", color=flex.HINT)], spacing="sm"
            ),
        ),
    )
