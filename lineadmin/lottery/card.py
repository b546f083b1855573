"""What a message says about a lottery: the words of the card that lets a friend draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lineadmin.coupons.benefits import period_text
from lineadmin.i18n import use_locale
from lineadmin.lottery.models import Lottery, LotteryPrize
from lineadmin.lottery.states import CHAT, RULE_LABELS

PREFIX = "lottery:"  # of the postback that draws


@dataclass(frozen=True)
class LotteryView:
    """The texts of a lottery's card, in one language. Either `url` or `postback` is set."""

    title: str
    rule_text: str
    period_text: str
    prizes: tuple[str, ...]
    url: str = ""
    postback: str = ""


def card_view(lottery: Lottery, prizes: list[LotteryPrize], url: str, locale: str) -> LotteryView:
    """The card for one friend; `url` is her page. Pure: reads no database."""
    with use_locale(locale):
        in_chat = lottery.way == CHAT
        return LotteryView(
            title=lottery.title,
            rule_text=str(RULE_LABELS[lottery.rule]),
            period_text=_period(lottery.starts_at, lottery.ends_at),
            prizes=tuple(prize.name for prize in prizes if not prize.consolation),
            url="" if in_chat else url,
            postback=f"{PREFIX}{lottery.code}" if in_chat else "",
        )


def _period(starts: datetime | None, ends: datetime | None) -> str:
    return "" if starts is None and ends is None else period_text(starts, ends)
