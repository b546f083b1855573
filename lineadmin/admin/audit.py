"""The audit log on screen: who did what, when, and what it was before."""

from __future__ import annotations

from typing import Any

from flask import get_template_attribute
from markupsafe import Markup

from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView
from lineadmin.admin.sequence_told import only_what_differs
from lineadmin.i18n import _, _l, format_datetime
from lineadmin.staff import audit_words
from lineadmin.staff.models import Audit, Staff


def _people() -> list[tuple[int, str]]:
    rows = Staff.select(Staff.id, Staff.name).order_by(Staff.name)
    return [(0, _("The program or the shell")), *((row.id, row.name) for row in rows)]


def _by_person(query: Any, value: str) -> Any:
    return query.where(Audit.staff.is_null() if value == "0" else Audit.staff == int(value))


def _who(view: Any, context: Any, row: Audit, name: str) -> str:
    return row.staff_name or _("The program")


def _what(view: Any, context: Any, row: Audit, name: str) -> str:
    return audit_words.sentence(row.action)


def _object(view: Any, context: Any, row: Audit, name: str) -> str:
    return row.object_label or (f"#{row.object_id}" if row.object_id else "")


def _changes(view: Any, context: Any, row: Audit, name: str) -> Markup | str:
    diff = get_template_attribute("admin/_macros.html", "diff")
    changes = [
        (field, *only_what_differs(before, after))
        for field, before, after in audit_words.changes(row)
    ]
    text: Markup = diff(changes) if changes else Markup("")
    return text + Markup('<div class="hint">{}</div>').format(row.reason) if row.reason else text


class AuditView(StaffModelView):
    """Every change, the newest first. Nothing here can be edited or deleted."""

    required_permission = "people"
    export_permission = "people"
    creatable = editable = deletable = False
    exportable = True
    menu_icon = "audit"
    column_list = ("at", "staff_name", "action", "object_label", "before")
    column_labels = {
        "at": _l("Time"),
        "staff_name": _l("Who"),
        "action": _l("What"),
        "object_label": _l("On what"),
        "before": _l("Before → after"),
        "address": _l("Address"),
    }
    column_formatters = {
        "staff_name": _who,
        "action": _what,
        "object_label": _object,
        "before": _changes,
    }
    column_export_list = ("at", "staff_name", "action", "object_label", "before", "address")
    search_columns = (Audit.object_label, Audit.staff_name)
    toolbar_filters = (
        listing.Filter("person", _l("Who"), _people, _by_person),
        listing.Filter(
            "kind",
            _l("Kind"),
            tuple(audit_words.NOUNS.items()),
            lambda query, value: query.where(Audit.object_kind == value),
        ),
        listing.DayFilter("from", _l("From day"), Audit.at),
        listing.DayFilter("until", _l("To day"), Audit.at, until=True),
    )
    list_template = "admin/audit.html"

    def row_label(self, record: Audit) -> str:
        return f"{format_datetime(record.at)} {audit_words.sentence(record.action)}"

    def search_label(self) -> str:
        return _("Name of the thing or person")

    def empty_title(self) -> str:
        return _("Nothing was changed yet")

    def export_row(self, record: Audit) -> list[Any]:
        changes = "; ".join(
            f"{label}: {before or '-'} → {after or '-'}"
            for label, before, after in audit_words.changes(record)
        )
        return [
            record.at,
            record.staff_name,
            audit_words.sentence(record.action),
            record.object_label,
            changes,
            record.address,
        ]


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(AuditView(Audit, _l("Audit log"), endpoint="audit"), "settings", 40)]
