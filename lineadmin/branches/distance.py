"""How far a place is from a branch, as the crow flies."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lineadmin.friends.models import Branch
from lineadmin.i18n import _

EARTH_METRES = 6_371_000


@dataclass(frozen=True)
class Near:
    """A branch and the way to it in metres."""

    branch: Branch
    metres: int


def metres_between(latitude: float, longitude: float, to: Branch) -> int:
    """Whole metres on the globe."""
    here, there = math.radians(latitude), math.radians(to.latitude)
    north = math.sin((there - here) / 2) ** 2
    east = math.sin(math.radians(to.longitude - longitude) / 2) ** 2
    angle = 2 * math.asin(math.sqrt(min(1.0, north + math.cos(here) * math.cos(there) * east)))
    return round(EARTH_METRES * angle)


def nearest(latitude: float, longitude: float, branches: Iterable[Branch]) -> Near | None:
    """The nearest of these branches, the older one where two are as near; None of none."""
    found = [Near(one, metres_between(latitude, longitude, one)) for one in branches]
    return min(found, key=lambda near: (near.metres, near.branch.id), default=None)


def told(metres: int) -> str:
    """ "350 m", "1.2 km" """
    if metres < 1000:
        return _("%(count)s m", count=max(10, round(metres, -1)))
    if metres < 10_000:
        return _("%(count)s km", count=f"{metres / 1000:.1f}")
    return _("%(count)s km", count=f"{round(metres / 1000):,}")
