"""A browser's long self-description as a few words."""

from __future__ import annotations

from functools import lru_cache

from lineadmin.i18n import _


def browser_name(user_agent: str) -> str:
    """ "Chrome・Windows", or "unknown device" for what nobody knows."""
    names = _families(user_agent)
    return "・".join(names) if names else _("Unknown device")


@lru_cache(maxsize=200)
def _families(user_agent: str) -> tuple[str, ...]:
    from ua_parser import parse

    found = parse(user_agent)
    parts = (
        found.user_agent.family if found.user_agent else "",
        found.os.family if found.os else "",
    )
    return tuple(part for part in parts if part)
