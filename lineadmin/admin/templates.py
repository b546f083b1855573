"""訊息範本 on screen: the messages staff keep for later."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import StringField, validators

from lineadmin import clock
from lineadmin.admin.base import StaffModelView, current_staff, needs
from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.i18n import _, _l, _n, format_datetime
from lineadmin.messages import templates
from lineadmin.messages.models import MessageTemplate


class TemplateForm(StaffForm):
    """A name and a message."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=templates.LONGEST_NAME)],
        filters=[stripped],
        description=_l("Only staff see it."),
    )
    parts = PartsField(_l("Message"), variables=True)


class TemplateView(StaffModelView):
    """Everybody reads them; managers write them."""

    create_permission = edit_permission = delete_permission = "compose"
    deletable = True
    exportable = False
    menu_icon = "template"
    audit_kind = "template"
    list_template = "admin/templates.html"
    create_template = edit_template = "admin/template_edit.html"
    default_sort = ("name", False)
    column_list = ("name", "summary", "changed_at")
    column_labels = {
        "name": _l("Name"),
        "summary": _l("Message"),
        "changed_at": _l("Last changed"),
    }
    column_formatters = {
        "summary": lambda view, context, row, name: Markup("<span data-raw>{}</span>").format(
            row.summary
        ),
        "changed_at": lambda view, context, row, name: format_datetime(row.changed_at),
    }
    search_columns = (MessageTemplate.name, MessageTemplate.summary)
    list_hint = _l(
        "Messages to start from. Every composer has them under “Use a template”; what was made "
        "from one stays as it is when the template changes."
    )

    def create_label(self) -> str:
        return _("New template")

    def search_label(self) -> str:
        return _("Name or words")

    def empty_title(self) -> str:
        return _("No templates yet")

    def empty_text(self) -> str:
        return _("Keep a message from any composer, or start with the seven ready-made ones.")

    def delete_text(self, record: MessageTemplate) -> str:
        return _("Messages that were made from it stay as they are.")

    def get_create_form(self) -> Any:
        return TemplateForm

    def get_edit_form(self) -> Any:
        return TemplateForm

    def create_record(self, form: TemplateForm) -> MessageTemplate:
        return templates.create(
            form.name.data,
            form.parts.data,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def save_record(self, form: TemplateForm, record: MessageTemplate, version: int) -> None:
        templates.edit(
            record,
            name=form.name.data,
            parts_json=form.parts.data,
            version=version,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def delete_record(self, record: MessageTemplate) -> None:
        templates.delete(record, staff=current_staff(), wall=clock.wall())

    @expose("/starters/", methods=("POST",))
    @needs("compose")
    def add_starters(self) -> Response:
        """Add the ready-made ones."""
        added = templates.add_starters(staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_n("%(count)s template added.", "%(count)s templates added.", added), "success")
        return redirect(self.get_url(".index_view"))


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(TemplateView(MessageTemplate, _l("Templates"), endpoint="templates"), "messages", 40)]
