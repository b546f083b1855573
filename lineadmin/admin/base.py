"""The one Flask-Admin view for tables: lists, saving that notices others, confirmed deletes.

A screen is a subclass with a few attributes; see `people.py` and `audit.py` for two short ones.
Rules stay in the rooms: override `create_record`, `save_record`, `delete_record` and call them.
The parts are in table_list.py, table_form.py and table_rows.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_admin.contrib.peewee import ModelView
from markupsafe import Markup
from peewee import Model

from lineadmin import i18n
from lineadmin.admin import listing
from lineadmin.admin.forms import Converter, StaffForm
from lineadmin.admin.gate import (
    AdminPage,
    current_staff,
    flash_refusals,
    needs,
    yes_no,
)
from lineadmin.admin.table_form import TableForm
from lineadmin.admin.table_list import TableList
from lineadmin.admin.table_rows import TableRows, bulk_action


def _format_moment(view: Any, value: datetime, name: str) -> str:
    return i18n.format_datetime(value)


def _format_flag(view: Any, value: bool, name: str) -> Markup:
    return yes_no(value)


def _format_nothing(view: Any, value: None, name: str) -> str:
    return ""


class StaffModelView(TableList, TableForm, TableRows, ModelView):
    """A table as staff see it: list, filters, search, form, details, delete, export."""

    # Who may do what; the list itself needs `required_permission`.
    create_permission = "edit"
    edit_permission = "edit"
    delete_permission = "edit"
    export_permission = "edit"
    creatable = True
    editable = True
    deletable = False
    exportable = False

    column_display_actions = True
    can_view_details = False

    form_base_class = StaffForm
    model_form_converter = Converter
    form_excluded_columns: Sequence[str] = ("version", "created_at", "archived_at")

    audit_kind = ""  # default: the table's name

    column_type_formatters = {
        type(None): _format_nothing,
        bool: _format_flag,
        datetime: _format_moment,
    }
    column_type_formatters_detail = column_type_formatters
    column_formatters_export: dict[str, Any] = {}
    column_type_formatters_export: dict[Any, Any] = {}

    def __init__(self, model: type[Model], name: Any = None, **kwargs: Any) -> None:
        self.audit_kind = self.audit_kind or model._meta.table_name
        super().__init__(model, name, **kwargs)
        clash = listing.RESERVED & {one.name for one in self.toolbar_filters}
        if clash:
            raise TypeError(f"{type(self).__name__}: filters cannot be called {clash}")


__all__ = [
    "AdminPage",
    "StaffModelView",
    "bulk_action",
    "current_staff",
    "flash_refusals",
    "needs",
]
