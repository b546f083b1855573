"""The shop's own fields: what else it wants to know about friends, and in which form."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, TextAreaField, validators

from lineadmin import clock
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import fields, set_up
from lineadmin.friends.models import Field
from lineadmin.i18n import _, _l, _n, format_count
from lineadmin.reports import uses

TYPE_LABELS: dict[str, Any] = {
    fields.TEXT: _l("Text"),
    fields.NUMBER: _l("Number"),
    fields.DATE: _l("Date"),
    fields.CHOICE: _l("One of several choices"),
}


class FieldForm(StaffForm):
    """Name, form, choices."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=set_up.LONGEST_NAME)],
        filters=[stripped],
    )
    type = RadioField(_l("What it holds"), choices=list(TYPE_LABELS.items()), default=fields.TEXT)
    choices = TextAreaField(_l("Choices"), description=_l("One on each line; only for choices."))

    def __init__(self, formdata: Any = None, obj: Field | None = None, **kwargs: Any) -> None:
        if obj is not None:
            kwargs["choices"] = "\n".join(map(str, obj.choices or []))
            kwargs.update(name=obj.name, type=obj.type)
        super().__init__(formdata, **kwargs)

    def changes(self) -> dict[str, Any]:
        """What set_up.save_field takes."""
        listed = [line.strip() for line in (self.choices.data or "").splitlines() if line.strip()]
        changed: dict[str, Any] = {"name": self.name.data, "type": self.type.data}
        changed["choices"] = listed if self.type.data == fields.CHOICE else None
        return changed


class NewFieldForm(FieldForm):
    """The key is chosen once: files and conditions know the field by it."""

    key = StringField(
        _l("Key"),
        [validators.InputRequired(), validators.Length(max=40)],
        filters=[stripped],
        description=_l("Small letters, digits and _; a column of the friends CSV. It stays."),
        render_kw={"autocapitalize": "none", "autocomplete": "off"},
    )


def _choices(view: Any, context: Any, row: Field, name: str) -> Markup:
    drawn = Markup("").join(
        Markup('<span class="chip" data-raw>{}</span>').format(one) for one in row.choices or []
    )
    return Markup('<span class="chips">{}</span>').format(drawn) if drawn else drawn


def _held(view: Any, context: Any, row: Field, name: str) -> str:
    if "fields_held" not in g:
        g.fields_held = fields.held_counts([field.id for field in context["data"]])
    count = g.fields_held[row.id]
    limit = fields.HELD_LIMIT
    return _("over %(count)s", count=format_count(limit)) if count > limit else format_count(count)


class OwnFieldView(StaffModelView):
    """Everybody reads them; managers change them."""

    menu_icon = "edit"
    audit_kind = "field"
    deletable = True
    exportable = False
    default_sort = ("position", False)
    column_list = ("name", "key", "type", "choices", "held")
    column_labels = {
        "name": _l("Name"),
        "key": _l("Key"),
        "type": _l("What it holds"),
        "choices": _l("Choices"),
        "held": _l("Friends"),
    }
    column_formatters = {
        "type": lambda view, context, row, name: TYPE_LABELS.get(row.type, row.type),
        "key": lambda view, context, row, name: Markup("<code>{}</code>").format(row.key),
        "choices": _choices,
        "held": _held,
    }
    number_columns = ("held",)
    edit_template = "admin/own_field_edit.html"
    list_hint = _l(
        "What the shop wants to know besides: allergies, size, branch. Staff fill it in on a "
        "friend's page or by CSV; conditions can ask for it."
    )

    def create_label(self) -> str:
        return _("Add a field")

    def empty_title(self) -> str:
        return _("No fields of your own yet")

    def empty_text(self) -> str:
        return _("Add what you want to know about friends, and use it in segments.")

    def delete_text(self, record: Field) -> str:
        count = fields.held_counts([record.id])[record.id]
        users = self.users_of(record)
        if users:
            return _(
                "It is used by %(what)s and cannot be deleted before that is changed.",
                what=_(", ").join(users),
            )
        if not count:
            return _("No friend has a value of it.")
        return _n(
            "The value of %(count)s friend is lost with it. This cannot be undone.",
            "The values of %(count)s friends are lost with it. This cannot be undone.",
            count,
        )

    def users_of(self, record: Field) -> list[str]:
        """What asks for this field."""
        return uses.told(uses.of_field(record.key))

    def get_create_form(self) -> Any:
        return NewFieldForm

    def get_edit_form(self) -> Any:
        return FieldForm

    def create_record(self, form: NewFieldForm) -> Field:
        key = form.key.data
        if Field.select().where(Field.key == key).exists():
            raise DomainError(_l("There is a field with this key already."), field="key")
        set_up.save_field(key, form.changes(), staff=current_staff(), wall=clock.wall())
        made: Field = Field.get(Field.key == key)
        return made

    def save_record(self, form: FieldForm, record: Field, version: int) -> None:
        if Field.get_by_id(record.id).version != version:
            raise Conflict(_l("Somebody else saved this in the meantime"))
        set_up.save_field(record.key, form.changes(), staff=current_staff(), wall=clock.wall())

    def delete_record(self, record: Field) -> None:
        users = self.users_of(record)
        if users:
            raise DomainError(
                _(
                    "“%(name)s” is used by %(what)s. Change that first.",
                    name=record.name,
                    what=_(", ").join(users),
                )
            )
        set_up.delete_field(record, staff=current_staff(), wall=clock.wall())

    @expose("/move/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def move(self) -> Response:
        """Up or down among the fields of a friend's page."""
        record = self.get_one(request.form.get("id"))
        if record is not None:
            up = request.form.get("way") == "up"
            set_up.move_field(record, up=up, staff=current_staff(), wall=clock.wall())
        return redirect(self.get_url(".index_view"))


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(OwnFieldView(Field, _l("Own fields"), endpoint="own_fields"), "friends", 40)]
