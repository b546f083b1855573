"""Questions about lotteries that screens and other rooms ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lineadmin.lottery.card import LotteryView, card_view
from lineadmin.lottery.links import page_path
from lineadmin.lottery.models import Lottery, LotteryPrize
from lineadmin.lottery.states import CLOSED


@dataclass(frozen=True)
class Known:
    """A lottery with its prizes, as messages speak of it."""

    lottery: Lottery
    prizes: list[LotteryPrize]

    def card(self, friend_id: int, public_url: str, locale: str) -> LotteryView:
        """The card for one friend."""
        url = f"{public_url}{page_path(self.lottery, friend_id)}"
        return card_view(self.lottery, self.prizes, url, locale)

    def sample(self, url: str, locale: str) -> LotteryView:
        """The card as such, for previews."""
        return card_view(self.lottery, self.prizes, url, locale)


def by_codes(codes: Iterable[str]) -> dict[str, Known]:
    """The lotteries with these short names, in two queries."""
    wanted = list(codes)
    if not wanted:
        return {}
    rows = list(Lottery.select().where(Lottery.code.in_(wanted)))
    prizes: dict[int, list[LotteryPrize]] = {row.id: [] for row in rows}
    query = LotteryPrize.select().where(LotteryPrize.lottery.in_(list(prizes)))
    for prize in query.order_by(LotteryPrize.position):
        prizes[prize.lottery_id].append(prize)
    return {row.code: Known(row, prizes[row.id]) for row in rows}


def pickable() -> list[Lottery]:
    """Lotteries that can be put into a message, the newest first."""
    query = Lottery.select().where(Lottery.state != CLOSED)
    return list(query.order_by(Lottery.id.desc()))
