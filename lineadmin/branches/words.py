"""The answer to a friend who sends where she is: the nearest branch, how far, and a map."""

from __future__ import annotations

from typing import Any

from lineadmin.branches.distance import Near, told
from lineadmin.i18n import _

MAPS = "https://www.google.com/maps/search/?api=1&query="


def map_address(latitude: float, longitude: float) -> str:
    """A link that opens the place in her map."""
    return f"{MAPS}{latitude:.6f},{longitude:.6f}"


def answer(near: Near) -> list[dict[str, Any]]:
    """The parts of the reply, in the language that is being spoken."""
    branch = near.branch
    lines = [
        _(
            "Our branch nearest to you is %(name)s, about %(distance)s away.",
            name=branch.name,
            distance=told(near.metres),
        ),
        branch.address,
        map_address(branch.latitude, branch.longitude),
    ]
    words = "\n".join(line for line in lines if line)
    # Braces in a name are no placeholder.
    return [{"text": words.replace("{", "{{").replace("}", "}}")}]
