"""People: who works here, with which role; adding, switching off, new passwords."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, validators

from lineadmin import clock
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.staff import actions
from lineadmin.staff.models import Staff
from lineadmin.staff.permissions import ROLE_LABELS, ROLE_SUMMARIES, ROLES


def _role_choices() -> list[tuple[str, str]]:
    return [(role, f"{ROLE_LABELS[role]}：{ROLE_SUMMARIES[role]}") for role in ROLES]


class PersonForm(StaffForm):
    """Name, address and role of one person."""

    name = StringField(
        _l("Person's name"),
        [validators.InputRequired(), validators.Length(max=actions.LONGEST_NAME)],
    )
    email = StringField(
        _l("E-mail"),
        [validators.InputRequired(), validators.Length(max=255)],
        render_kw={"type": "email", "autocomplete": "off"},
    )
    role = RadioField(_l("Role"), choices=_role_choices, default="staff")


class PeopleView(StaffModelView):
    """Everybody who may sign in, or once might."""

    required_permission = "people"
    create_permission = edit_permission = "people"
    menu_icon = "staff"
    audit_kind = "staff"
    column_list = ("name", "email", "role", "active", "last_seen_at")
    column_labels = {
        "name": _l("Person's name"),
        "email": _l("E-mail"),
        "role": _l("Role"),
        "active": _l("Active"),
        "last_seen_at": _l("Last seen"),
    }
    column_formatters = {
        "role": lambda view, context, row, name: ROLE_LABELS.get(row.role, row.role)
    }
    default_sort = ("id", False)
    search_columns = (Staff.name, Staff.email)
    toolbar_filters = (
        listing.choice_filter("role", _l("Role"), Staff.role, tuple(ROLE_LABELS.items())),
        listing.Filter(
            "active",
            _l("State"),
            (("1", _l("Active")), ("0", _l("Deactivated"))),
            lambda query, value: query.where(Staff.active == (value == "1")),
        ),
    )
    list_hint = _l(
        "Everybody has an own account. Whoever leaves is deactivated, never deleted: "
        "the audit log keeps the names."
    )
    edit_template = "admin/person.html"

    def create_label(self) -> str:
        return _("Add a person")

    def row_label(self, record: Staff) -> str:
        return str(record.name)

    def get_form(self) -> Any:
        return PersonForm

    def create_record(self, form: PersonForm) -> tuple[Staff, str]:
        return actions.create(
            form.email.data,
            form.name.data,
            form.role.data,
            by=current_staff(),
            wall=clock.wall(),
        )

    @expose("/new/", methods=("GET", "POST"))
    @needs("people")
    def create_view(self) -> Response | str:
        """The form of a new person; the password is shown right after, once."""
        form = self.create_form()
        if self.validate_form(form):
            done, made = self._try(form, lambda: self.create_record(form))
            if done:
                return self._show_password(*made, new=True)
        return self._form_page(self.create_template, form, heading=self.create_label())

    def save_record(self, form: PersonForm, record: Staff, version: int) -> None:
        staff, wall = current_staff(), clock.wall()
        name, email, role = form.name.data, form.email.data, form.role.data
        renamed = (record.name, record.email) != (" ".join(name.split()), email.strip().lower())
        if renamed:
            actions.edit(record.id, name=name, email=email, by=staff, version=version, wall=wall)
            version += 1
        actions.set_role(record.id, role, by=staff, version=version, wall=wall)

    @expose("/active/", methods=("POST",))
    @needs("people")
    @flash_refusals
    def switch(self) -> Response | str:
        """Deactivate (asks first) or reactivate a person."""
        person = self._person()
        version = request.form.get("version", type=int) or 0
        if person.active and not self.confirmed():
            return self.confirm(
                _("Deactivate %(name)s?", name=person.name),
                text=_("Every session ends at once. It can be reactivated later."),
                label=_("Deactivate"),
                hidden={"id": person.id, "version": version},
                cancel_url=self.get_url(".edit_view", id=person.id),
            )
        change = actions.deactivate if person.active else actions.reactivate
        change(person.id, by=current_staff(), version=version, wall=clock.wall())
        said = _("%(name)s was deactivated.") if person.active else _("%(name)s is active again.")
        flash(said % {"name": person.name}, "success")
        return redirect(self.get_url(".edit_view", id=person.id))

    @expose("/password/", methods=("POST",))
    @needs("people")
    @flash_refusals
    def reset_password(self) -> Response | str:
        """A new random password, shown once; asks first."""
        person = self._person()
        if person.id == current_staff().id:
            raise DomainError(_l("Change your own password on your profile."))
        if not self.confirmed():
            return self.confirm(
                _("Give %(name)s a new password?", name=person.name),
                text=_("The old one stops working and every session ends."),
                label=_("Make a new password"),
                kind="primary",
                hidden={"id": person.id},
                cancel_url=self.get_url(".edit_view", id=person.id),
            )
        password = actions.reset_password(person.id, by=current_staff(), wall=clock.wall())
        return self._show_password(person, password, new=False)

    def back_url(self) -> str:
        person = request.form.get("id", type=int)
        return self.get_url(".edit_view", id=person) if person else super().back_url()

    def _person(self) -> Staff:
        person: Staff = self.get_one(request.form.get("id")) or abort(404)
        return person

    def _show_password(self, staff: Staff, password: str, *, new: bool) -> str:
        return self.render("admin/password_once.html", person=staff, password=password, new=new)


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(PeopleView(Staff, _l("People and roles"), endpoint="people"), "settings", 30)]
