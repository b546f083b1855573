"""What the parts of a table's screen share: its words, its permissions, its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lineadmin import clock
from lineadmin.admin.gate import Gate, current_staff
from lineadmin.i18n import _
from lineadmin.staff import audit, audit_words

LARGEST_ID = 2**31 - 1


class Table(Gate):
    """The common ground of TableList, TableForm and TableRows; base.py puts them together."""

    create_permission: str
    edit_permission: str
    delete_permission: str
    export_permission: str
    creatable: bool
    editable: bool
    deletable: bool
    exportable: bool
    can_view_details: bool
    audit_kind: str
    column_labels: Mapping[str, Any] | None

    # What Flask-Admin's own view brings along.
    model: Any
    get_query: Callable[[], Any]
    get_pk_value: Callable[[Any], Any]
    get_url: Callable[..., str]
    render: Callable[..., str]
    _actions_data: Mapping[str, Any]
    _prettify_name: Callable[[str], str]
    _list_columns: Sequence[tuple[str, Any]]
    _sortable_columns: Mapping[str, Any]
    _export_columns: Sequence[tuple[str, Any]]
    _details_columns: Sequence[tuple[str, Any]]

    # --- words: override what reads badly -------------------------------------------------

    def list_title(self) -> str:
        """The heading of the list."""
        return str(self.name)

    def create_label(self) -> str:
        """The button that adds a row, and the heading of its form."""
        return _("Add")

    def edit_heading(self, record: Any) -> str:
        """The heading of the form of a row."""
        return self.row_label(record)

    def search_label(self) -> str:
        """The label of the search box."""
        return _("Search")

    def empty_title(self) -> str:
        """The heading where there are no rows at all."""
        return _("Nothing here yet")

    def empty_text(self) -> str:
        """What to do about it."""
        return ""

    def delete_text(self, record: Any) -> str:
        """What deleting this row means, on its confirm page."""
        return _("This cannot be undone.")

    def row_label(self, record: Any) -> str:
        """What a row is called: its name, title, code or number."""
        for name in ("name", "title", "display_name", "code"):
            value = getattr(record, name, None)
            if value:
                return str(value)
        return f"#{self.get_pk_value(record)}"

    def row_url(self, record: Any) -> str | None:
        """Where the first column leads; by default to the form or the details, by permission."""
        if self.can_edit:
            return self.get_url(".edit_view", id=self.get_pk_value(record))
        if self.can_view_details:
            return self.get_url(".details_view", id=self.get_pk_value(record))
        return None

    def bulk_controls(self) -> Markup:
        """More controls in the bar over the ticked rows (a <select> of tags …)."""
        return Markup("")

    def get_column_name(self, field: str) -> Any:
        """The head of a column: `column_labels`, else the model field's verbose_name."""
        if self.column_labels and field in self.column_labels:
            return self.column_labels[field]
        column = self.model._meta.fields.get(field)
        return getattr(column, "verbose_name", None) or audit_words.FIELDS.get(
            field, self._prettify_name(field)
        )

    # --- permissions ----------------------------------------------------------------------

    @property
    def can_create(self) -> bool:
        """Whether to show the button; the route checks by itself."""
        return self.creatable and self.may(self.create_permission)

    @property
    def can_edit(self) -> bool:
        """Whether rows lead to their form; the route checks by itself."""
        return self.editable and self.may(self.edit_permission)

    @property
    def can_delete(self) -> bool:
        """Whether deleting is offered; the route checks by itself."""
        return self.deletable and self.may(self.delete_permission)

    @property
    def can_export(self) -> bool:
        """Whether exporting is offered; the route checks by itself."""
        return self.exportable and self.may(self.export_permission)

    def permission_of(self, route: str, method: str = "GET") -> str:
        """The verb that `method` on `route` needs."""
        switchable = {
            "create_view": self.create_permission,
            "edit_view": self.edit_permission,
            "delete_view": self.delete_permission,
            "export": self.export_permission,
            "ajax_lookup": self.edit_permission,
            "ajax_update": self.edit_permission,
            "action_view": self.required_permission,  # each action checks its own verb
        }
        return switchable.get(route) or super().permission_of(route, method)

    def is_action_allowed(self, name: str) -> bool:
        """Whether a button over the list is shown and works."""
        if name == "delete":
            return self.can_delete
        return self.may(self._bulk_verb(name))

    def _bulk_verb(self, name: str) -> str:
        if name == "delete":
            return self.delete_permission
        method = self._actions_data[name][0]
        return str(getattr(method, "bulk_verb", self.edit_permission))

    # --- rows -----------------------------------------------------------------------------

    def get_one(self, id: Any) -> Any:
        """The row with this key, or None: also for what is no key at all."""
        text = str(id or "")
        if not is_key(text):
            return None
        return self.get_query().where(self.model._meta.primary_key == int(text)).get_or_none()

    def _has_version(self) -> bool:
        return "version" in self.model._meta.fields

    def _version_of(self, record: Any) -> int:
        return int(record.version) if self._has_version() else 0

    def _key_is(self, record: Any) -> Any:
        return self.model._meta.primary_key == self.get_pk_value(record)

    def _record(self, verb: str, record: Any, before: Any, after: Any) -> None:
        audit.record(
            current_staff(),
            f"{self.audit_kind}.{verb}",
            self.audit_kind,
            int(self.get_pk_value(record)),
            self.row_label(record),
            before,
            after,
            wall=clock.wall(),
        )


def is_key(text: str) -> bool:
    """Whether a text can be the key of a row at all."""
    return text.isascii() and text.isdecimal() and int(text) <= LARGEST_ID
