"""What a friend's page says of her topics: each with its switch and its history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lineadmin.i18n import _, format_date
from lineadmin.reports.topic import place_name
from lineadmin.topics import queries
from lineadmin.topics.models import Consent
from lineadmin.topics.states import CARD, CHANGE_LABELS, NONE, PLACE_LABELS


def rows(friend_id: int, now: datetime) -> list[dict[str, Any]]:
    """Every topic as she has it, also archived ones she once had."""
    topics = queries.of_friend(friend_id, now, archived=True)
    history = queries.history_of(friend_id) if topics else {}
    found = []
    for one in topics:
        lines = history.get(one.topic.id, [])
        names = place_names(lines)
        found.append(
            {
                "topic": one.topic,
                "on": one.on,
                "may_switch": one.on or one.topic.archived_at is None,
                "state": _state(one),
                "history": [
                    {
                        "at": line.at,
                        "what": CHANGE_LABELS[line.change],
                        "how": names.get(line.id) or PLACE_LABELS[line.place],
                        "reason": line.reason,
                        "wording": line.wording_version,
                    }
                    for line in lines
                ],
            }
        )
    return found


def place_names(lines: Iterable[Consent]) -> dict[int, str]:
    """Which message the card was in, by the line of the ledger."""
    known: dict[tuple[str, int, int], str] = {}
    named = {}
    for line in lines:
        if line.place == CARD and line.origin:
            where = (line.origin, line.origin_id, line.origin_place)
            if where not in known:
                known[where] = place_name(*where)
            named[line.id] = _("by the card in: %(place)s", place=known[where])
    return named


def _state(one: queries.Hers) -> tuple[str, str]:
    if one.on:
        told = _("subscribed")
        if one.until is not None:
            told = _("subscribed until %(day)s", day=format_date(one.until))
        return told, "ok"
    return (_("not subscribed"), "") if one.state == NONE else (_("stopped or run out"), "quiet")
