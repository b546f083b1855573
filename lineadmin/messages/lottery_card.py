"""A lottery as a card in the chat: its prizes, and the button that draws."""

from __future__ import annotations

from typing import Any, ClassVar

from lineadmin.i18n import _
from lineadmin.line.text import cut_to_graphemes
from lineadmin.lottery.card import LotteryView
from lineadmin.messages import flex
from lineadmin.messages.part import Identifier, Part

WARM_START, WARM_END = "#c2255c", "#5f3dc4"
TITLE_GRAPHEMES, PRIZES_SHOWN = 60, 5


class LotteryCard(Part):
    """A card that lets the friend draw in a lottery."""

    key: ClassVar[str] = "lottery"
    lottery: Identifier  # the lottery's code

    @property
    def needs_public_url(self) -> bool:
        """Her page is on this server."""
        return True


def render(view: LotteryView) -> dict[str, Any]:
    """The Flex message that shows a lottery and lets her draw."""
    about = [line for line in (view.rule_text, view.period_text) if line]
    prizes = view.prizes[:PRIZES_SHOWN]
    label = _("Draw now")
    draws = flex.postback(label, view.postback) if view.postback else flex.opens(label, view.url)
    return flex.message(
        f"【{view.title}】{'・'.join(about)}",
        flex.bubble(
            hero=flex.banner(cut_to_graphemes(view.title, TITLE_GRAPHEMES), WARM_START, WARM_END),
            body=flex.body(
                [
                    *(flex.text(name, size="md", color=flex.INK, weight="bold") for name in prizes),
                    *(flex.text(line, size="xs", color=flex.HINT) for line in about),
                ],
                spacing="xs",
            ),
            footer=flex.footer([flex.button(draws)]),
        ),
    )
