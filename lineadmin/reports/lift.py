"""Is the difference between two groups real? Pure arithmetic on counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.96  # 95 of 100 such intervals hold the truth
FEWEST = 20  # smaller groups say nothing


@dataclass(frozen=True)
class Difference:
    """How much more often something happened in the first group, in parts of one.

    `low` and `high` bound the truth; `clear` False: chance alone could look like this.
    """

    rate: float
    other_rate: float
    low: float
    high: float
    clear: bool

    @property
    def by(self) -> float:
        """The difference itself."""
        return self.rate - self.other_rate


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The bounds of a rate seen as `hits` of `of` (Wilson's score interval)."""
    if not of:
        return 0.0, 1.0
    rate = hits / of
    middle = (rate + Z * Z / (2 * of)) / (1 + Z * Z / of)
    spread = Z / (1 + Z * Z / of) * sqrt(rate * (1 - rate) / of + Z * Z / (4 * of * of))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def difference(hits: int, of: int, other_hits: int, other_of: int) -> Difference | None:
    """Compare two groups (Newcombe's interval for two rates); None where one of them is empty."""
    if not of or not other_of:
        return None
    rate, other = hits / of, other_hits / other_of
    low, high = wilson(hits, of)
    other_low, other_high = wilson(other_hits, other_of)
    by = rate - other
    least = by - sqrt((rate - low) ** 2 + (other_high - other) ** 2)
    most = by + sqrt((high - rate) ** 2 + (other - other_low) ** 2)
    enough = min(of, other_of) >= FEWEST
    return Difference(rate, other, least, most, enough and (least > 0 or most < 0))
