"""The log of draws, and computing every one of them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from peewee import fn

from lineadmin.coupons.issue import REASON_LABELS
from lineadmin.i18n import _l
from lineadmin.lottery import chance
from lineadmin.lottery.draw import HELD, STOCK, chance_of, prizes_of
from lineadmin.lottery.models import Lottery, LotteryDraw, LotteryPrize

BATCH = 2_000

# Why a friend did not get what her number stands for.
REASONS: dict[str, Any] = {
    STOCK: _l("The prize had run out"),
    HELD: _l("She holds this coupon already"),
    **{str(reason): label for reason, label in REASON_LABELS.items()},
}


@dataclass(frozen=True)
class PrizeCount:
    """One prize with how often its number was drawn and how often it was given."""

    prize: LotteryPrize
    picked: int
    given: int

    @property
    def left(self) -> int | None:
        """What is left of it; None = as many as wanted."""
        return None if self.prize.stock is None else max(0, self.prize.stock - self.given)


@dataclass(frozen=True)
class Recheck:
    """`wrong` are the ids of draws that do not follow from the seed."""

    draws: int
    wrong: tuple[int, ...]
    seed_fits: bool
    counts_fit: bool

    @property
    def fits(self) -> bool:
        """Everything is as it has to be."""
        return self.seed_fits and self.counts_fit and not self.wrong


def counts(lottery: Lottery) -> tuple[list[PrizeCount], int]:
    """Every prize with its numbers, and how many draws won nothing."""
    query: Any = (
        LotteryDraw.select(LotteryDraw.picked, LotteryDraw.prize, fn.COUNT(LotteryDraw.id))
        .where(LotteryDraw.lottery == lottery.id)
        .group_by(LotteryDraw.picked, LotteryDraw.prize)
        .tuples()
    )
    picked: dict[int | None, int] = {}
    given: dict[int | None, int] = {}
    for picked_id, prize_id, count in query:
        picked[picked_id] = picked.get(picked_id, 0) + count
        given[prize_id] = given.get(prize_id, 0) + count
    found = [
        PrizeCount(prize, picked.get(prize.id, 0), given.get(prize.id, 0))
        for prize in prizes_of(lottery)
    ]
    return found, given.get(None, 0)


def recheck(lottery: Lottery) -> Recheck:
    """Compute every draw again from the seed, and count what was given against the stock."""
    prizes = prizes_of(lottery)
    places: dict[int | None, int | None] = {prize.id: place for place, prize in enumerate(prizes)}
    places[None] = None
    chances = [chance_of(prize) for prize in prizes]
    given = [0] * len(prizes)
    wrong: list[int] = []
    total = 0
    for row in chain.from_iterable(batches(lottery)):
        total += 1
        number = chance.number_of(lottery.seed, lottery.code, row.friend_id, row.period)
        picked = chance.pick(number, chances)
        allowed = {None, *chance.candidates(number, chances)}
        got = places.get(row.prize_id, -1)
        if row.number != number or places.get(row.picked_id, -1) != picked or got not in allowed:
            wrong.append(row.id)
        elif got is not None:
            given[got] += 1
    fits = all(
        count == prize.given and (prize.stock is None or count <= prize.stock)
        for count, prize in zip(given, prizes, strict=True)
    )
    seed_fits = chance.commitment(lottery.seed) == lottery.seed_hash
    return Recheck(total, tuple(wrong), seed_fits, fits)


def reason_label(code: str) -> str:
    """Why she did not get it, in words."""
    return str(REASONS.get(code, code))


def batches(lottery: Lottery) -> Iterator[list[LotteryDraw]]:
    """Every draw in the order of drawing, a few thousand at a time."""
    after = 0
    while True:
        rows = list(
            LotteryDraw.select()
            .where(LotteryDraw.lottery == lottery.id, LotteryDraw.id > after)
            .order_by(LotteryDraw.id)
            .limit(BATCH)
        )
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        after = rows[-1].id
