"""Two people, or two tabs, saving the same thing: what changed meanwhile, and a merged form.

A form carries `version` (what it was opened with) and `seen` (the values it started from) in hidden
fields. When the save meets a newer version nothing is written; the form comes back with the newer
values in every field this person had not touched, and the changes are named.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import request

from lineadmin import i18n
from lineadmin.admin.forms import StaffForm
from lineadmin.i18n import _
from lineadmin.staff import audit, audit_words

UNSHOWN = ("hidden", "password", "file")


@dataclass
class ConflictNote:
    """What a save ran into: the changes made elsewhere, by whom, and how to see them."""

    changes: list[tuple[str, str, str]]
    who: str
    reload_url: str


def hidden_fields(form: StaffForm, version: int) -> dict[str, Any]:
    """`version` and `seen` for a form that is shown; pass a form filled from the stored values."""
    return {"version": version, "seen": json.dumps(_values(form), ensure_ascii=False)}


def posted_version(default: int = 0) -> int:
    """The version the posted form was opened with."""
    return request.form.get("version", default=default, type=int)


def merge(
    form: StaffForm, newest: StaffForm, *, kind: str, object_id: int, action: str = ""
) -> ConflictNote:
    """Bring `form` up to `newest` and keep what this person typed; the note for the page."""
    try:
        seen = dict(json.loads(request.form.get("seen", "{}")))
    except (ValueError, TypeError):
        seen = {}
    mine, theirs = _values(form), _values(newest)
    changes = []
    for name, value in theirs.items():
        if name not in seen or seen[name] == value:
            continue
        was, now = (audit_words.value_text(one, name) for one in (seen[name], value))
        changes.append((str(form[name].label.text), was, now))
        if mine.get(name) == seen[name]:
            form[name].data = newest[name].data
            form[name].raw_data = None
    return ConflictNote(changes, _who(kind, object_id, action), request.full_path.rstrip("?"))


def _values(form: StaffForm) -> dict[str, Any]:
    return {
        field.short_name: audit.plain(field.data)
        for field in form
        if getattr(field.widget, "input_type", "") not in UNSHOWN
    }


def _who(kind: str, object_id: int, action: str) -> str:
    last = audit.last_change(kind, object_id, action)
    if last is None:
        return ""
    return f"{last.staff_name or _('The program')}・{i18n.format_datetime(last.at)}"
