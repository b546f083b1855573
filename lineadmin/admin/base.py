"""The one Flask-Admin view for tables: lists, saving that notices others, confirmed deletes.

A screen is a subclass with a few attributes; see `people.py` and `audit.py` for two short ones.
Rules stay in the rooms: override `create_record`, `save_record`, `delete_record` and call them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_admin.contrib.peewee import ModelView
from flask_admin.form import FormOpts
from flask_admin.helpers import get_redirect_target
from flask_admin.model.template import BaseListRowAction
from markupsafe import Markup
from peewee import Field, ForeignKeyField, IntegrityError, Load, Model, ModelSelect
from werkzeug.wrappers import Response

from lineadmin import clock, i18n
from lineadmin.admin import export, listing, two_tabs
from lineadmin.admin.forms import Converter, StaffForm
from lineadmin.admin.gate import (
    AdminPage,
    Gate,
    current_staff,
    flash_refusals,
    needs,
    yes_no,
)
from lineadmin.admin.identity import staff_or_none
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, _n
from lineadmin.staff import audit, audit_words, permissions

LARGEST_ID = 2**31 - 1
BULK_LIMIT = 500  # ticked rows of one page
NAMED_ROWS = 10  # on a confirm page


def bulk_action(
    name: str, label: Any, *, verb: str, confirm: Any = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A button over the list for the ticked rows; the method gets their ids as a list of int.

    `confirm` is a question: it is asked on a page of its own before the method runs.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method._action = (name, label, confirm)  # type: ignore[attr-defined]
        method.bulk_verb = verb  # type: ignore[attr-defined]
        return method

    return mark


def _format_moment(view: Any, value: datetime, name: str) -> str:
    return i18n.format_datetime(value)


def _format_flag(view: Any, value: bool, name: str) -> Markup:
    return yes_no(value)


def _format_nothing(view: Any, value: None, name: str) -> str:
    return ""


class StaffModelView(Gate, ModelView):
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

    # The list.
    column_sortable_list: Sequence[str] = ()  # only columns that an index serves
    default_sort: tuple[str, bool] = ("id", True)  # column, descending
    toolbar_filters: Sequence[listing.AnyFilter] = ()
    page_size = 50
    list_hint: Any = ""
    search_columns: Sequence[Field] = ()  # "contains" search; override apply_search for more
    number_columns: Sequence[str] = ()  # right-aligned
    column_display_actions = True
    can_view_details = False

    # Forms.
    form_base_class = StaffForm
    model_form_converter = Converter
    form_excluded_columns: Sequence[str] = ("version", "created_at", "archived_at")
    list_template = "admin/model/list.html"
    create_template = "admin/model/create.html"
    edit_template = "admin/model/edit.html"
    details_template = "admin/model/details.html"

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

    # --- the list -------------------------------------------------------------------------

    def get_query(self) -> ModelSelect:
        """Every row this screen may show; foreign keys in the columns come with their rows."""
        shown = {name for name, _label in self._list_columns}
        keys = [
            column
            for column in self.model._meta.sorted_fields
            if isinstance(column, ForeignKeyField) and column.name in shown
        ]
        query = self.model.select()
        return query.with_related(*[Load(key) for key in keys]) if keys else query

    def apply_search(self, query: ModelSelect, text: str) -> ModelSelect:
        """The query narrowed to what was typed: every word in one of `search_columns`."""
        for word in text.split():
            found = None
            for column in self.search_columns:
                clause = column.contains(word)
                found = clause if found is None else found | clause
            if found is not None:
                query = query.where(found)
        return query

    def count(self, query: ModelSelect) -> int:
        """How many rows, exact up to 10,000."""
        return listing.bounded_count(query)

    def narrowed_query(self) -> tuple[ModelSelect, str, dict[str, str]]:
        """The rows this address asks for, its search text and its filters."""
        search = request.args.get("search", "").strip()[:200]
        chosen = listing.chosen_filters(self.toolbar_filters, request.args)
        query = self.get_query()
        if search:
            query = self.apply_search(query, search)
        for one in self.toolbar_filters:
            if one.name in chosen:
                query = one.narrow(query, chosen[one.name])
        return query, search, chosen

    def order(self) -> listing.Keyset:
        """The order this address asks for."""
        name, descending = self.default_sort
        wanted = request.args.get("sort", "")
        if wanted in self._sortable_columns:
            name, descending = wanted, request.args.get("desc") == "1"
        fields = self.model._meta.fields
        return listing.Keyset(fields[name], self.model._meta.primary_key, descending)

    @expose("/")
    def index_view(self) -> str:
        """The list."""
        query, search, chosen = self.narrowed_query()
        order = self.order()
        after, before = request.args.get("after"), request.args.get("before")
        rows, previous, following = order.page(query, self.page_size, after=after, before=before)
        total = self.count(query)
        state = {**({"search": search} if search else {}), **chosen}
        kept = {}
        if request.args.get("sort") in self._sortable_columns:
            kept = {"sort": request.args["sort"]}
            if request.args.get("desc") == "1":
                kept["desc"] = "1"
        page = listing.Page(
            rows=rows,
            previous=self._list_address(state, kept, before=previous) if previous else None,
            next=self._list_address(state, kept, after=following) if following else None,
            first=self._list_address(state, kept) if after or before else None,
            shown=_n("%(count)s on this page", "%(count)s on this page", len(rows)),
        )
        actions, confirmations = self.get_actions_list()
        return self.render(
            self.list_template,
            data=rows,
            listing=listing.Listing(
                page=page,
                columns=self._columns(order, state),
                total_label=listing.count_label(total),
                searchable=bool(self.search_columns),
                search=search,
                filters=listing.drawn_filters(self.toolbar_filters, chosen),
                filtered=bool(state),
                clear_url=self._list_address({}, kept),
                export_url=self.get_url(".export", export_type="csv", **state, **kept)
                if self.exportable
                else "",
                kept=kept,
            ),
            total=total,
            get_pk_value=self.get_pk_value,
            get_value=self.get_list_value,
            list_row_actions=self.get_list_row_actions(),
            actions=actions,
            actions_confirmation={},
            return_url=request.full_path.rstrip("?"),
            confirmations=confirmations,
        )

    def get_list_row_actions(self) -> list[BaseListRowAction]:
        """Buttons at the end of a row: only the extra ones, the first column leads to the row."""
        return list(self.column_extra_row_actions or [])

    def _list_address(
        self, state: Mapping[str, str], kept: Mapping[str, str], **cursor: str
    ) -> str:
        query = urlencode({**state, **kept, **cursor})
        address = self.get_url(".index_view")
        return f"{address}?{query}" if query else address

    def _columns(self, order: listing.Keyset, state: Mapping[str, str]) -> list[listing.Column]:
        columns = []
        for name, label in self._list_columns:
            is_order = order.column.name == name
            sort_url = None
            if name in self._sortable_columns:
                turned = {"desc": "1"} if is_order and not order.descending else {}
                sort_url = self._list_address(state, {"sort": name, **turned})
            direction = ("descending" if order.descending else "ascending") if is_order else ""
            columns.append(
                listing.Column(
                    name=name,
                    label=label,
                    sort_url=sort_url,
                    sorted=direction,
                    css="num r" if name in self.number_columns else "",
                )
            )
        return columns

    # --- adding and saving ----------------------------------------------------------------

    def create_record(self, form: StaffForm) -> Any:
        """Add the row; a DomainError with `field` lands beside it. Runs in a transaction."""
        values = self._form_values(form)
        record = self.model.create(**values, **self.new_values())
        self._record("create", record, None, values)
        return record

    def new_values(self) -> dict[str, Any]:
        """Values of a new row that are not in the form."""
        return {"created_at": clock.wall()} if "created_at" in self.model._meta.fields else {}

    def save_record(self, form: StaffForm, record: Any, version: int) -> None:
        """Save the changed fields, if the row still has `version`. Runs in a transaction.

        :raises Conflict: somebody else saved first
        """
        values = self._form_values(form)
        before = {name: record.__data__.get(name) for name in values}
        changed = {
            name: value
            for name, value in values.items()
            if audit.plain(before[name]) != audit.plain(value)
        }
        if not changed:
            return
        update, same = dict(changed), self._key_is(record)
        if self._has_version():
            update["version"] = self.model.version + 1
            same = same & (self.model.version == version)
        if not self.model.update(**update).where(same).execute():
            raise Conflict(_l("Somebody else saved this in the meantime"))
        self._record("edit", record, before, values)

    def delete_record(self, record: Any) -> None:
        """Delete the row; what hangs on it is the database's decision. Runs in a transaction."""
        self._record("delete", record, record.__data__, None)
        record.delete_instance(recursive=False)

    def after_create_url(self, record: Any) -> str:
        """Where to go after adding."""
        return get_redirect_target() or self.get_url(".index_view")

    def after_save_url(self, record: Any) -> str:
        """Where to go after saving."""
        return get_redirect_target() or self.get_url(".index_view")

    def created_message(self, record: Any) -> str:
        """What to say after adding."""
        return _("“%(name)s” was added.", name=self.row_label(record))

    @expose("/new/", methods=("GET", "POST"))
    @needs("edit")
    def create_view(self) -> Response | str:
        """The form of a new row."""
        if not self.creatable:
            abort(404)
        form = self.create_form()
        if self.validate_form(form):
            done, record = self._try(form, lambda: self.create_record(form))
            if done:
                flash(self.created_message(record), "success")
                return redirect(self.after_create_url(record))
        return self._form_page(self.create_template, form, heading=self.create_label())

    @expose("/edit/", methods=("GET", "POST"))
    @needs("edit")
    def edit_view(self) -> Response | str:
        """The form of a row; a save on top of somebody else's is told, not done."""
        if not self.editable:
            abort(404)
        record = self.get_one(request.args.get("id")) or abort(404)
        form = self.edit_form(obj=record)
        version = self._version_of(record)
        note = None
        if request.method == "POST":
            version = two_tabs.posted_version(version)
        if self.validate_form(form):
            try:
                done, _none = self._try(form, lambda: self.save_record(form, record, version))
                if done:
                    flash(_("Saved."), "success")
                    return redirect(self.after_save_url(record))
            except Conflict:
                fresh = self.get_one(self.get_pk_value(record)) or abort(404)
                number = int(self.get_pk_value(fresh))
                newest = self._edit_form_class(obj=fresh)
                note = two_tabs.merge(form, newest, kind=self.audit_kind, object_id=number)
                version, record = self._version_of(fresh), fresh
        return self._form_page(
            self.edit_template,
            form,
            heading=self.edit_heading(record),
            model=record,
            get_pk_value=self.get_pk_value,
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(self._edit_form_class(obj=record), version),
            status=409 if note else 200,
        )

    @expose("/details/")
    def details_view(self) -> Response | str:
        """Everything about a row."""
        if not self.can_view_details:
            abort(404)
        record = self.get_one(request.args.get("id")) or abort(404)
        return self.render(
            self.details_template,
            model=record,
            details_columns=self._details_columns,
            get_value=self.get_detail_value,
            get_pk_value=self.get_pk_value,
            return_url=get_redirect_target() or self.get_url(".index_view"),
        )

    def get_one(self, id: Any) -> Any:
        """The row with this key, or None: also for what is no key at all."""
        text = str(id or "")
        if not (text.isascii() and text.isdecimal()) or int(text) > LARGEST_ID:
            return None
        return self.get_query().where(self.model._meta.primary_key == int(text)).get_or_none()

    def _try(self, form: StaffForm, change: Callable[[], Any]) -> tuple[bool, Any]:
        try:
            with atomic():
                return True, change()
        except Conflict:
            raise
        except DomainError as error:
            if not form.refuse(error):
                flash(str(error), "error")
        except IntegrityError:
            flash(_("Something with this name or code is here already."), "error")
        return False, None

    def _form_page(
        self, template: str, form: StaffForm, *, heading: str, status: int = 200, **more: Any
    ) -> Any:
        rules = self._form_edit_rules if "model" in more else self._form_create_rules
        page = self.render(
            template,
            form=form,
            form_opts=FormOpts(widget_args=self.form_widget_args, form_rules=rules),
            return_url=get_redirect_target() or self.get_url(".index_view"),
            heading=heading,
            **more,
        )
        return (page, status) if status != 200 else page

    def _form_values(self, form: StaffForm) -> dict[str, Any]:
        columns = self.model._meta.fields
        key = self.model._meta.primary_key.name
        return {
            field.name: audit.plain(field.data) if isinstance(field.data, Model) else field.data
            for field in form
            if field.name in columns and field.name != key
        }

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

    # --- deleting and other actions -------------------------------------------------------

    @expose("/delete/", methods=("GET", "POST"))
    @needs("edit")
    def delete_view(self) -> Response | str:
        """Ask, then delete; no JavaScript involved."""
        if not self.deletable:
            abort(404)
        record = self.get_one(request.values.get("id")) or abort(404)
        if not self.confirmed():
            return self.confirm(
                _("Delete “%(name)s”?", name=self.row_label(record)),
                text=self.delete_text(record),
                label=_("Delete"),
                hidden={"id": self.get_pk_value(record)},
            )
        if self._delete_rows([record]):
            flash(_("“%(name)s” was deleted.", name=self.row_label(record)), "success")
        return redirect(self.get_url(".index_view"))

    @bulk_action("delete", _l("Delete"), verb="edit", confirm=_l("Delete these rows?"))
    def action_delete(self, ids: list[int]) -> None:
        """Delete the ticked rows, all or none."""
        rows = list(self.get_query().where(self.model._meta.primary_key.in_(ids)))
        if self._delete_rows(rows):
            flash(_n("%(count)s row deleted.", "%(count)s rows deleted.", len(rows)), "success")

    def _delete_rows(self, rows: Iterable[Any]) -> bool:
        try:
            with atomic():
                for row in rows:
                    self.delete_record(row)
        except DomainError as error:
            flash(str(error), "error")
        except IntegrityError:
            flash(_("It is still used elsewhere and cannot be deleted."), "error")
        else:
            return True
        return False

    @expose("/action/", methods=("POST",))
    @needs("view")
    def action_view(self) -> Response | str:
        """A button over the list."""
        name = request.form.get("action", "")
        if name not in self._actions_data or (name == "delete" and not self.deletable):
            abort(404)
        verb = self._bulk_verb(name)
        permissions_of = staff_or_none()
        if not permissions.may(permissions_of, verb):
            abort(403, permissions.refusal(permissions_of, verb))
        ids = sorted({int(key) for key in request.form.getlist("rowid") if _is_key(key)})
        if not ids:
            flash(_("Tick at least one row first."), "warning")
            return redirect(self.back_url())
        method, label, question = self._actions_data[name]
        if question and not self.confirmed():
            return self._ask_bulk(name, ids[:BULK_LIMIT], str(label), str(question))
        try:
            answer = method(ids[:BULK_LIMIT])
        except DomainError as error:
            flash(str(error), "error")
            answer = None
        return answer if answer is not None else redirect(self.back_url())

    def _ask_bulk(self, name: str, ids: list[int], label: str, question: str) -> str:
        key = self.model._meta.primary_key
        rows = list(self.get_query().where(key.in_(ids[:NAMED_ROWS])).order_by(key))
        lines = [self.row_label(row) for row in rows]
        if len(ids) > NAMED_ROWS:
            lines.append(_("and %(count)s more", count=len(ids) - NAMED_ROWS))
        kept = {
            field: values
            for field, values in request.form.lists()
            if field not in ("csrf_token", "rowid", "confirmed")
        }
        return self.confirm(
            question,
            label=label,
            lines=lines,
            kind="danger" if name == "delete" else "primary",
            hidden={**kept, "rowid": ids},
        )

    @expose("/ajax/update/", methods=("POST",))
    @needs("edit")
    def ajax_update(self) -> Response:
        """Flask-Admin's editing inside the list: not used."""
        abort(404)

    # --- export ---------------------------------------------------------------------------

    def export_row(self, record: Any) -> list[Any]:
        """The cells of a row, in the order of `column_export_list`."""
        return [self.get_export_value(record, name) for name, _label in self._export_columns]

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Response:
        """The list, with its filters, as a CSV file; leaves an audit line."""
        if not self.exportable or export_type != "csv":
            abort(404)
        query, search, chosen = self.narrowed_query()
        filters = {**({"search": search} if search else {}), **chosen}
        audit.record(
            current_staff(),
            f"{self.audit_kind}.export",
            self.audit_kind,
            0,
            str(self.name),
            None,
            {"filters": filters},
            wall=clock.wall(),
        )
        order = self.order()

        def rows() -> Iterator[list[Any]]:
            yield [str(label) for _name, label in self._export_columns]
            for record in order.walk(query):
                yield self.export_row(record)

        return export.csv_response(self.endpoint, rows())


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= LARGEST_ID


__all__ = [
    "AdminPage",
    "StaffModelView",
    "bulk_action",
    "current_staff",
    "flash_refusals",
    "needs",
]
