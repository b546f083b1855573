"""The shop's branches: where they are, and whose home they are."""

from __future__ import annotations

from typing import Any

from flask import g
from markupsafe import Markup
from wtforms import BooleanField, StringField, validators

from lineadmin import clock
from lineadmin.admin.base import StaffModelView, current_staff
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.branches import actions
from lineadmin.branches.words import map_address
from lineadmin.errors import DomainError
from lineadmin.friends.models import Branch
from lineadmin.friends.source_actions import suggested_code
from lineadmin.i18n import _, _l, _n, format_count
from lineadmin.reports import uses


class BranchForm(StaffForm):
    """Name, address, place."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=actions.LONGEST_NAME)],
        filters=[stripped],
    )
    address = StringField(
        _l("Street address"),
        [validators.Length(max=actions.LONGEST_ADDRESS)],
        filters=[stripped],
        render_kw={"autocomplete": "off"},
    )
    point = StringField(
        _l("Latitude and longitude"),
        [validators.InputRequired()],
        filters=[stripped],
        description=_l(
            "In a map on screen hold or right-click the spot and copy the two numbers, such as "
            "25.0339, 121.5645."
        ),
        render_kw={"autocomplete": "off"},
    )
    active = BooleanField(
        _l("Open for business"),
        default=True,
        description=_l("A closed branch is nobody's nearest; whose home it is keeps it."),
    )

    def __init__(self, formdata: Any = None, obj: Branch | None = None, **kwargs: Any) -> None:
        if obj is not None:
            kwargs["point"] = f"{obj.latitude:.10g}, {obj.longitude:.10g}"
        super().__init__(formdata, obj=obj, **kwargs)

    def changes(self) -> dict[str, Any]:
        """What actions.save_branch takes.

        :raises DomainError: the place is no pair of numbers
        """
        latitude, longitude = actions.parse_point(self.point.data or "")
        return {
            "name": self.name.data,
            "address": self.address.data or "",
            "latitude": latitude,
            "longitude": longitude,
            "active": bool(self.active.data),
        }


class NewBranchForm(BranchForm):
    """The code is chosen once: files and conditions know the branch by it."""

    code = StringField(
        _l("Code"),
        [validators.Length(max=40)],
        filters=[stripped],
        description=_l(
            "Small letters, digits, - and _; for files and conditions. It stays. Leave it empty "
            "and one is made."
        ),
        render_kw={"autocapitalize": "none", "autocomplete": "off"},
    )


def _friends(which: int) -> Any:
    def cell(view: Any, context: Any, row: Branch, name: str) -> str:
        if "branch_friends" not in g:
            g.branch_friends = {one.id: actions.friends_of(one) for one in context["data"]}
        return _written(g.branch_friends[row.id][which])

    return cell


def _written(count: int) -> str:
    limit = actions.COUNTED
    return _("over %(count)s", count=format_count(limit)) if count > limit else format_count(count)


def _place(view: Any, context: Any, row: Branch, name: str) -> Markup:
    words = row.address or f"{row.latitude:.4f}, {row.longitude:.4f}"
    return Markup('<a href="{}" target="_blank" rel="noopener" data-raw>{}</a>').format(
        map_address(row.latitude, row.longitude), words
    )


class BranchView(StaffModelView):
    """Everybody reads them; managers change them."""

    menu_icon = "pin"
    audit_kind = "branch"
    deletable = True
    exportable = False
    default_sort = ("name", False)
    column_list = ("name", "code", "address", "active", "home", "near")
    column_labels = {
        "name": _l("Shop branch"),
        "code": _l("Code"),
        "address": _l("Street address"),
        "active": _l("Open for business"),
        "home": _l("Home of"),
        "near": _l("Nearest to"),
    }
    column_formatters = {
        "code": lambda view, context, row, name: Markup("<code>{}</code>").format(row.code),
        "address": _place,
        "home": _friends(0),
        "near": _friends(1),
    }
    number_columns = ("home", "near")
    search_columns = (Branch.name, Branch.code, Branch.address)
    list_hint = _l(
        "A friend who sends her location is told apart by the nearest branch, for half a year. It "
        "is her home branch as well, unless she, staff or a file said another."
    )

    def create_label(self) -> str:
        return _("Add a shop branch")

    def search_label(self) -> str:
        return _("Name, code or address of a branch")

    def empty_title(self) -> str:
        return _("No shop branches yet")

    def empty_text(self) -> str:
        return _("Add yours, and write to the friends near one of them.")

    def delete_text(self, record: Branch) -> str:
        users = self.users_of(record)
        if users:
            return _(
                "It is used by %(what)s and cannot be deleted before that is changed.",
                what=_(", ").join(users),
            )
        home, _near = actions.friends_of(record)
        if not home:
            return _("It is nobody's home branch.")
        return _n(
            "It is the home branch of %(count)s friend, who then has none. This cannot be undone.",
            "It is the home branch of %(count)s friends, who then have none. This cannot be "
            "undone.",
            home,
        )

    def users_of(self, record: Branch) -> list[str]:
        """What asks for this branch."""
        return uses.told(uses.of_branch(record.code))

    def get_create_form(self) -> Any:
        return NewBranchForm

    def get_edit_form(self) -> Any:
        return BranchForm

    def create_record(self, form: NewBranchForm) -> Branch:
        code = (form.code.data or "").strip()
        taken = {row.code for row in Branch.select(Branch.code)}
        if code in taken:
            raise DomainError(_l("There is a branch with this code already."), field="code")
        if not code:
            code = suggested_code(form.name.data or "", taken, "branch")
        self._save(code, form.changes(), None)
        made: Branch = Branch.get(Branch.code == code)
        return made

    def save_record(self, form: BranchForm, record: Branch, version: int) -> None:
        self._save(record.code, form.changes(), version)

    def _save(self, code: str, changes: dict[str, Any], version: int | None) -> None:
        try:
            actions.save_branch(
                code,
                changes,
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
                version=version,
            )
        except DomainError as error:
            if error.field in ("latitude", "longitude"):
                error.field = "point"
            raise

    def delete_record(self, record: Branch) -> None:
        actions.delete_branch(
            record,
            users=self.users_of(record),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(BranchView(Branch, _l("Shop branches"), endpoint="branches"), "settings", 25)]
