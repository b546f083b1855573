"""Kept values that only upper rooms can read aloud, for the audit log and for two tabs.

A condition is told as its sentence, a message as its summary and a sequence as its steps; nobody
reads their JSON.
"""

from __future__ import annotations

import json
from typing import Any

from lineadmin import segments
from lineadmin.admin.own_fields import TYPE_LABELS
from lineadmin.admin.reply_form import MATCH_LABELS
from lineadmin.admin.sequence_told import definition_words
from lineadmin.admin.tags import SHORT_KIND_LABELS
from lineadmin.coupons import benefits
from lineadmin.coupons.offer import CODE_LABELS, REDEEM_LABELS
from lineadmin.coupons.states import COUPON_STATE_LABELS
from lineadmin.messages.parts import PartsError, parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.segments import tag_rules, words
from lineadmin.segments.tree import TreeError
from lineadmin.sequences.definition import DefinitionError
from lineadmin.staff import audit_words
from lineadmin.surveys.states import REPEAT_LABELS, STATE_LABELS
from lineadmin.topics.states import FREQUENCIES

TREE_KEYS = ({"all"}, {"any"}, {"not"})
RULE_KEYS = {"where", "on", "about", "days"}


def init_app() -> None:
    """Let the words of the audit log come here first."""
    audit_words.ask_first(told)
    audit_words.name_values(
        {
            "benefit": benefits.labels(),
            "code_kind": CODE_LABELS,
            "frequency": FREQUENCIES,
            "kind": SHORT_KIND_LABELS,
            "match": MATCH_LABELS,
            "redeem": REDEEM_LABELS,
            "repeat": REPEAT_LABELS,
            "state": {**COUPON_STATE_LABELS, **STATE_LABELS},
            "type": TYPE_LABELS,
        }
    )


def told(value: Any) -> str | None:
    """The value in words; None where it is none of those."""
    value = _unpacked(value)
    try:
        if isinstance(value, dict) and value:
            return definition_words(value) or _condition(value)
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            return summarise(parse_parts(value))
    except (TreeError, PartsError, DefinitionError):
        return None
    return None


def _condition(value: dict[str, Any]) -> str | None:
    keys = set(value)
    if keys in TREE_KEYS or {"field", "op"} <= keys:
        return words.sentence(segments.parse(value))
    if keys <= RULE_KEYS and keys & {"where", "on"}:
        return tag_rules.sentence(tag_rules.parse_rule(value))
    return None


def _unpacked(value: Any) -> Any:
    """Forms keep some of them as text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
