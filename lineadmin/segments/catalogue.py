"""The registry as a screen needs it: every field with its words, controls and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineadmin.segments.fields import FIELDS, FieldSpec
from lineadmin.segments.widgets import GROUPS, OP_WORDS, Subject, Widget


def catalogue() -> list[dict[str, Any]]:
    """Groups of fields in the order they are offered, in the reader's language, ready for JSON.

    A field that can be about several things but has none of them yet is left out.
    """
    groups = []
    for key, label in GROUPS.items():
        fields = [_field(spec) for spec in FIELDS.values() if spec.ask.group == key]
        shown = [field for field in fields if field["subjects"] != []]
        groups.append({"label": str(label), "fields": shown})
    return groups


def _field(spec: FieldSpec) -> dict[str, Any]:
    ask = spec.ask
    return {
        "name": spec.name,
        "label": str(spec.label),
        "ops": _ops(ask.offered or spec.ops, ask.words),
        # Ops the list does not offer, for conditions that were written elsewhere.
        "others": _ops([op for op in spec.ops if op not in (ask.offered or spec.ops)], ask.words),
        "widget": _widget(ask.widget),
        "amount": _widget(ask.amount or ask.widget),
        "choices": spec.choices() if spec.choices else [],
        "allows": list(spec.allows),
        "subjects": [_subject(one, spec) for one in ask.subjects()] if ask.subjects else None,
    }


def _subject(subject: Subject, spec: FieldSpec) -> dict[str, Any]:
    return {
        "key": subject.key,
        "label": subject.label,
        "ops": _ops(subject.ops, subject.words or spec.ask.words),
        "widget": _widget(subject.widget),
        "amount": _widget(subject.amount or subject.widget),
        "choices": subject.choices or [],
    }


def _ops(ops: Sequence[str], words: dict[str, Any]) -> list[tuple[str, str]]:
    return [(op, str(words.get(op, OP_WORDS[op]))) for op in ops]


def _widget(widget: Widget) -> dict[str, Any]:
    return {
        "kind": widget.kind,
        "unit": str(widget.unit),
        "low": widget.low,
        "high": widget.high,
        "whole": widget.whole,
        "suggestions": [(value, str(label)) for value, label in widget.suggestions],
    }
