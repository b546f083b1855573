"""Who opens a link: a person's phone, or a program that only looks."""

from __future__ import annotations

from typing import Protocol

from ua_parser import parse_os

# LINE and others fetch links to draw previews; that is not the friend tapping.
ROBOTS = (
    "line-poker",
    "bot",
    "facebookexternalhit",
    "preview",
    "crawler",
    "spider",
)
LONGEST_AGENT = 400


class Headers(Protocol):
    """A request's headers, as far as they are asked about."""

    def get(self, key: str, default: str, /) -> str:
        """The header, or what stands for a missing one."""


def is_robot(headers: Headers) -> bool:
    """A preview, a prefetch, a crawler, or something that does not say what it is."""
    agent = headers.get("User-Agent", "").lower()
    if not agent or any(word in agent for word in ROBOTS):
        return True
    purposes = (headers.get("Purpose", ""), headers.get("Sec-Purpose", ""))
    return any("prefetch" in purpose.lower() for purpose in purposes)


def system_of(agent: str) -> str | None:
    """ios | android | other; None where the browser does not tell."""
    found = parse_os(agent[:LONGEST_AGENT])
    if found is None:
        return None
    return {"iOS": "ios", "Android": "android"}.get(found.family, "other")
