"""Which keyword reply fits what a friend wrote."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

from lineadmin.friends.words import fold
from lineadmin.replies.models import ReplyRule
from lineadmin.settings.shop import parse_clock

EXACT, CONTAINS, ANY = "exact", "contains", "any"
MATCHES = (EXACT, CONTAINS, ANY)


@dataclass(frozen=True)
class Match:
    """The rule that answers, and the ids of the others that fitted too."""

    rule: ReplyRule
    others: tuple[int, ...] = ()


def enabled_rules() -> list[ReplyRule]:
    """The rules that may answer, as `match` wants them."""
    return list(ReplyRule.select().where(ReplyRule.enabled == True))  # noqa: E712


def match(text: str, rules: Iterable[ReplyRule], *, local_time: time) -> Match | None:
    """The rule that answers `text` at a clock time of the shop; None where none does.

    A keyword beats every "any"; among each the larger priority wins, then an exact keyword over a
    contained one, then the older rule.
    """
    folded = fold(text)
    if not folded:
        return None
    fitting: list[tuple[tuple[int, int, int, int], ReplyRule]] = []
    for rule in rules:
        if is_active(rule, local_time) and fits(rule, folded):
            fallback, loose = int(rule.match == ANY), int(rule.match != EXACT)
            fitting.append(((fallback, -rule.priority, loose, rule.id), rule))
    if not fitting:
        return None
    fitting.sort(key=lambda pair: pair[0])
    first = fitting[0][1]
    others = [rule.id for _rank, rule in fitting[1:] if rule.match != ANY]
    return Match(first, tuple(others))


def fits(rule: ReplyRule, folded: str) -> bool:
    """Whether a rule's keywords meet a folded text."""
    if rule.match == ANY:
        return True
    words = [word for word in map(fold, rule.keywords or []) if word]
    if rule.match == CONTAINS:
        return any(word in folded for word in words)
    return folded in words


def is_active(rule: ReplyRule, local_time: time) -> bool:
    """Whether the rule's hours include this clock time; 22:00 to 02:00 goes past midnight."""
    start, end = parse_clock(rule.hours_from), parse_clock(rule.hours_until)
    if start is None or end is None or start == end:
        return True
    if start < end:
        return start <= local_time < end
    return local_time >= start or local_time < end
