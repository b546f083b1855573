"""How a draw is decided: pure, and simple enough to be computed again by anyone.

1. Before the first draw a seed of 256 random bits is made, and its SHA-256 shown to everybody.
2. The number of a draw is the HMAC-SHA256 of the lottery's short name, the friend's number and the
   period, keyed with the seed; its first 64 bits are scaled to 0 … 999,999. Neither the time of the
   tap nor the order of the draws has any say, so nobody, staff included, can draw until it suits.
3. Prizes take their odds of the million in their order; numbers behind the last one win nothing.
4. A prize that has run out gives way to the consolation prize, or to nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SCALE = 1_000_000


@dataclass(frozen=True)
class Chance:
    """A prize as far as chance knows it; `left` None = as many as wanted."""

    odds: int  # in millionths
    left: int | None = None
    consolation: bool = False


def new_seed() -> str:
    """256 random bits."""
    return secrets.token_hex(32)


def commitment(seed: str) -> str:
    """What is shown in advance: it fixes the seed without telling it."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def number_of(seed: str, code: str, friend_id: int, period: int) -> int:
    """The number a friend draws in a period: 0 to 999,999."""
    entry = f"{code}:{friend_id}:{period}".encode()
    digest = hmac.new(bytes.fromhex(seed), entry, hashlib.sha256).digest()
    return int.from_bytes(digest[:8]) * SCALE >> 64


def pick(number: int, prizes: Sequence[Chance]) -> int | None:
    """The place of the prize a number stands for; None for nothing."""
    reached = 0
    for place, prize in enumerate(prizes):
        reached += prize.odds
        if number < reached:
            return place
    return None


def candidates(number: int, prizes: Sequence[Chance]) -> list[int]:
    """The prizes to try in this order, the first that is left is hers; none of them: nothing."""
    picked = pick(number, prizes)
    if picked is None:
        return []
    others = [place for place, prize in enumerate(prizes) if prize.consolation and place != picked]
    return [picked, *others]


def play(numbers: Iterable[int], prizes: Sequence[Chance]) -> list[int]:
    """How many of each prize these numbers would win, one after the other, within the stock."""
    given = [0] * len(prizes)
    for number in numbers:
        for place in candidates(number, prizes):
            left = prizes[place].left
            if left is None or given[place] < left:
                given[place] += 1
                break
    return given
