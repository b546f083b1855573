"""Tags: name, colour, and how many friends carry each."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from markupsafe import Markup
from wtforms import RadioField, StringField, validators

from lineadmin import clock
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff
from lineadmin.admin.forms import StaffForm
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends import queries, tags
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l, _n

KIND_LABELS: dict[str, Any] = {
    tags.STATIC: _l("Static: set by people, forms and imports"),
    tags.DYNAMIC: _l("Dynamic: set by what friends do"),
}
SHORT_KIND_LABELS: dict[str, Any] = {tags.STATIC: _l("Static"), tags.DYNAMIC: _l("Dynamic")}


class TagForm(StaffForm):
    """Name and colour of a tag."""

    name = StringField(
        _l("Tag"), [validators.InputRequired(), validators.Length(max=tags.LONGEST_NAME)]
    )
    color = StringField(_l("Colour"), default=tags.COLORS[0], render_kw={"type": "color"})


class NewTagForm(TagForm):
    """The kind is chosen once."""

    kind = RadioField(_l("Kind"), choices=list(KIND_LABELS.items()), default=tags.STATIC)


def _name(view: Any, context: Any, row: Tag, name: str) -> Markup:
    return Markup('<span class="chip"><i style="background:{}"></i>{}</span>').format(
        row.color, row.name
    )


def _friends(view: Any, context: Any, row: Tag, name: str) -> Markup:
    if "tag_counts" not in g:
        g.tag_counts = queries.tag_counts([tag.id for tag in context["data"]])
    return Markup('<a href="{}">{}</a>').format(
        url_for("friends.index_view", tag=row.id), listing.count_label(g.tag_counts[row.id])
    )


class TagView(StaffModelView):
    """The tags of the shop."""

    create_permission = edit_permission = delete_permission = "tag"
    deletable = True
    exportable = False
    menu_icon = "tag"
    default_sort = ("name", False)
    column_list = ("name", "kind", "created_at", "friends")
    column_labels = {
        "name": _l("Tag"),
        "kind": _l("Kind"),
        "created_at": _l("Made"),
        "friends": _l("Friends"),
    }
    column_formatters = {
        "name": _name,
        "friends": _friends,
        "kind": lambda view, context, row, name: SHORT_KIND_LABELS.get(row.kind, row.kind),
    }
    number_columns = ("friends",)
    search_columns = (Tag.name,)
    list_hint = _l(
        "Tags pick out whom a broadcast goes to. Taking one away keeps its history in the timeline."
    )

    def create_label(self) -> str:
        return _("Add a tag")

    def search_label(self) -> str:
        return _("Name of a tag")

    def empty_title(self) -> str:
        return _("No tags yet")

    def empty_text(self) -> str:
        return _("Mark friends by taste, branch or campaign, and write only to those it concerns.")

    def delete_text(self, record: Tag) -> str:
        count = queries.tag_counts([record.id])[record.id]
        if not count:
            return _("No friend carries it.")
        return _n(
            "It is taken off %(count)s friend. This cannot be undone.",
            "It is taken off %(count)s friends. This cannot be undone.",
            count,
        )

    def get_create_form(self) -> Any:
        return NewTagForm

    def get_edit_form(self) -> Any:
        return TagForm

    def create_record(self, form: NewTagForm) -> Tag:
        return tags.create_tag(
            form.name.data,
            color=form.color.data,
            kind=form.kind.data,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def save_record(self, form: TagForm, record: Tag, version: int) -> None:
        tags.edit_tag(
            record,
            name=form.name.data,
            color=form.color.data,
            version=version,
            staff=current_staff(),
            wall=clock.wall(),
        )

    def delete_record(self, record: Tag) -> None:
        used = _waiting_broadcast(record)
        if used:
            raise DomainError(
                _("“%(name)s” is used by %(what)s. Change that first.", name=record.name, what=used)
            )
        tags.delete_tag(record, staff=current_staff(), at=clock.now(), wall=clock.wall())


def _waiting_broadcast(tag: Tag) -> str:
    """The broadcast that still wants to reach this tag's friends, if any."""
    waiting = Broadcast.select(Broadcast.name, Broadcast.audience).where(
        Broadcast.state.in_(("scheduled", "planning", "late", "held"))
    )
    for row in waiting:
        if f'"{tag.name}"' in str(row.audience).replace("'", '"'):
            return str(row.name)
    return ""


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(TagView(Tag, _l("Tags"), endpoint="tags"), "friends", 20)]
