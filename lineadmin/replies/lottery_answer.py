"""Drawing in the chat: a tap on a lottery's button, answered with a free reply."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin.i18n import _, use_locale
from lineadmin.lottery.card import PREFIX
from lineadmin.lottery.draw import NotDrawn, draw
from lineadmin.lottery.models import Lottery, LotteryDraw
from lineadmin.lottery.states import DAILY
from lineadmin.replies.spoken import locale_of

CHAT = "chat"


def is_draw(data: str) -> bool:
    """Whether a postback wants to draw."""
    return data.startswith(PREFIX)


def answer(data: str, friend_id: int, language: str, *, at: datetime) -> list[dict[str, Any]]:
    """Draw for the friend who tapped, and say what came of it; nothing for an unknown lottery."""
    lottery = Lottery.get_or_none(Lottery.code == data.removeprefix(PREFIX))
    if lottery is None:
        return []
    with use_locale(locale_of(language)):
        try:
            drawn = draw(lottery.id, friend_id, how=CHAT, now=at)
        except NotDrawn as refused:
            return _said(str(refused), refused.earlier)
        if drawn.prize is not None:
            return _said(
                _("Congratulations, you have won: %(prize)s!", prize=drawn.prize.name), drawn
            )
        if lottery.rule == DAILY:
            return _said(_("No luck this time. Come again tomorrow!"), None)
        return _said(_("No luck this time. Thank you for taking part!"), None)


def _said(words: str, drawn: LotteryDraw | None) -> list[dict[str, Any]]:
    # Braces in a prize's name are no placeholder.
    parts: list[dict[str, Any]] = [{"text": words.replace("{", "{{").replace("}", "}}")}]
    if drawn is not None and drawn.prize is not None:
        parts.append({"coupon": drawn.prize.coupon.code})
    return parts
