"""The form of what is known about a friend: built-in attributes and the shop's own fields."""

from __future__ import annotations

from typing import Any

from wtforms import SelectField, StringField, TextAreaField, validators

from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.branches.actions import all_branches
from lineadmin.errors import DomainError
from lineadmin.friends import attributes, fields
from lineadmin.friends.models import Field, Friend, FriendField
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l

OWN = "own_"  # in front of the shop's keys, which may be called like ours


def form_class() -> type[StaffForm]:
    """The form's class at this moment: the shop may add fields and sources at any time."""
    unknown = ("", _("Not known"))
    sources = [(str(row.id), row.name) for row in attributes.source_choices()]
    parts: dict[str, Any] = {
        "gender": _select(_l("Gender"), [unknown, *GENDERS.items()]),
        "birth_year": StringField(
            _l("Year of birth"),
            filters=[stripped],
            render_kw={"inputmode": "numeric", "maxlength": 4, "autocomplete": "off"},
        ),
        "birthday": StringField(
            _l("Birthday"),
            filters=[stripped],
            description=_l("Month and day, such as 05-31."),
            render_kw={"maxlength": 5, "autocomplete": "off"},
        ),
        "region": _select(_l("Region"), [unknown, *REGIONS.items()]),
        "os": _select(_l("OS"), [unknown, *SYSTEMS.items()]),
        "source": _select(_l("Gained-through path"), [unknown, *sources]),
        **_home_branch(unknown),
        **{f"{OWN}{field.key}": _own(field, unknown) for field in fields.all_fields()},
        "note": TextAreaField(
            _l("Note"),
            [validators.Length(max=attributes.LONGEST_NOTE)],
            description=_l("Only staff read it."),
        ),
    }
    return type("FriendForm", (StaffForm,), parts)


def stored(friend: Friend) -> dict[str, Any]:
    """What the form starts from."""
    rows = {row.field_id: row for row in FriendField.select().where(FriendField.friend == friend)}
    own = {
        f"{OWN}{field.key}": fields.write_value(field, rows.get(field.id))
        for field in fields.all_fields()
    }
    return {
        "gender": friend.gender or "",
        "birth_year": "" if friend.birth_year is None else str(friend.birth_year),
        "birthday": friend.birthday or "",
        "region": friend.region or "",
        "os": friend.os or "",
        "source": str(friend.source_id or ""),
        "branch": str(friend.branch_id or ""),
        "note": friend.note,
        **own,
    }


def read(form: StaffForm, now: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The form as `edit_friend` takes it: our attributes, and the shop's by key.

    :raises DomainError: the year of birth or the birthday is none
    """
    changes: dict[str, Any] = {
        "gender": form["gender"].data or None,
        "birth_year": attributes.parse_birth_year(form["birth_year"].data or "", now=now),
        "birthday": attributes.parse_birthday(form["birthday"].data or ""),
        "region": form["region"].data or None,
        "os": form["os"].data or None,
        "source": int(form["source"].data) if form["source"].data else None,
        "note": (form["note"].data or "").replace("\r\n", "\n").strip(),
    }
    if "branch" in form:
        changes["branch"] = int(form["branch"].data) if form["branch"].data else None
    own = {
        field.short_name.removeprefix(OWN): field.data or ""
        for field in form
        if field.short_name.startswith(OWN)
    }
    return changes, own


def refuse(form: StaffForm, error: DomainError) -> bool:
    """Put a refusal beside the field it is about; False where there is none."""
    if error.field and f"{OWN}{error.field}" in form:
        error.field = f"{OWN}{error.field}"
    return form.refuse(error)


def _home_branch(unknown: tuple[str, str]) -> dict[str, Any]:
    """Only where the shop has branches. Left as it is, it goes on following her places."""
    branches = [
        (str(row.id), row.name if row.active else _("%(name)s (closed)", name=row.name))
        for row in all_branches()
    ]
    if not branches:
        return {}
    return {"branch": _select(_l("Home branch"), [unknown, *branches])}


def _select(label: Any, choices: list[tuple[str, Any]]) -> SelectField:
    return SelectField(label, choices=choices)


def _own(field: Field, unknown: tuple[str, str]) -> Any:
    if field.type == fields.CHOICE:
        return _select(field.name, [unknown, *((one, one) for one in field.choices or [])])
    looks: dict[str, dict[str, Any]] = {
        fields.NUMBER: {"inputmode": "decimal"},
        fields.DATE: {"type": "date"},
        fields.TEXT: {"maxlength": fields.LONGEST_TEXT},
    }
    return StringField(
        field.name, filters=[stripped], render_kw={**looks[field.type], "autocomplete": "off"}
    )
