"""The forms of a table: adding, saving without overwriting others, and one row's details."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_admin.form import FormOpts
from flask_admin.helpers import get_redirect_target
from peewee import IntegrityError, Model
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import two_tabs
from lineadmin.admin.forms import StaffForm
from lineadmin.admin.gate import needs
from lineadmin.admin.table import Table
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.staff import audit


class TableForm(Table):
    """Override `create_record` and `save_record` where a room has an action for it."""

    create_template = "admin/model/create.html"
    edit_template = "admin/model/edit.html"
    details_template = "admin/model/details.html"
    create_form: Callable[..., Any]
    edit_form: Callable[..., Any]
    validate_form: Callable[..., bool]
    get_detail_value: Any
    form_widget_args: Any
    _edit_form_class: Any
    _form_edit_rules: Any
    _form_create_rules: Any

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
                newest = self.stored_form(fresh)
                note = two_tabs.merge(form, newest, kind=self.audit_kind, object_id=number)
                version, record = self._version_of(fresh), fresh
        return self._form_page(
            self.edit_template,
            form,
            heading=self.edit_heading(record),
            model=record,
            get_pk_value=self.get_pk_value,
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(self.stored_form(record), version),
            status=409 if note else 200,
        )

    def stored_form(self, record: Any) -> Any:
        """The form filled with what is stored; for fields that are no columns, override it."""
        return self._edit_form_class(obj=record)

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
