"""A table of what messages know by a short name: made by its room, shown on a page of its own."""

from __future__ import annotations

from typing import Any

from lineadmin import clock
from lineadmin.admin.base import StaffModelView, current_staff
from lineadmin.admin.forms import StaffForm


class CodedView(StaffModelView):
    """Lotteries, surveys and topics. Messages keep the short name, so a form never changes it."""

    can_view_details = True
    form_of: type[Any]  # a StaffForm with a field `code`, and `plan()` for the room
    room: Any  # its actions: create, edit

    def row_url(self, record: Any) -> str:
        return str(self.get_url(".details_view", id=record.id))

    def get_form(self) -> Any:
        return self.form_of

    def edit_form(self, obj: Any = None) -> Any:
        """The filled form; its short name stays."""
        form = super().edit_form(obj)
        form.code.render_kw = {**(form.code.render_kw or {}), "disabled": True}
        form.code.data = obj.code
        return form

    def create_record(self, form: StaffForm) -> Any:
        return self.room.create(
            form.plan(), staff=current_staff(), now=clock.now(), wall=clock.wall()
        )

    def save_record(self, form: StaffForm, record: Any, version: int) -> None:
        self.room.edit(
            record.id,
            form.plan(),
            version=version,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def after_create_url(self, record: Any) -> str:
        return self.row_url(record)

    def after_save_url(self, record: Any) -> str:
        return self.row_url(record)
