"""Tags: name, colour, and how many friends carry each."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from markupsafe import Markup

from lineadmin import clock
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff
from lineadmin.admin.tag_care import TagCare, no_interests_yet
from lineadmin.admin.tag_form import NewTagForm, TagForm
from lineadmin.errors import DomainError
from lineadmin.friends import queries, tags
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l, _n
from lineadmin.reports import uses
from lineadmin.segments import tag_rules
from lineadmin.segments.models import TagRule

SHORT_KIND_LABELS: dict[str, Any] = {tags.STATIC: _l("Static"), tags.DYNAMIC: _l("Dynamic")}


def _name(view: Any, context: Any, row: Tag, name: str) -> Markup:
    return Markup('<span class="chip"><i style="background:{}"></i>{}</span>').format(
        row.color, row.name
    )


def _kind(view: Any, context: Any, row: Tag, name: str) -> Markup:
    """Static or dynamic, and what sets it, in words."""
    if "tag_rules" not in g:
        rows = TagRule.select().where(TagRule.tag.in_([tag.id for tag in context["data"]]))
        g.tag_rules = {rule.tag_id: rule.rule for rule in rows if rule.rule}
    label = SHORT_KIND_LABELS.get(row.kind, row.kind)
    if row.id not in g.tag_rules:
        return Markup("{}").format(label)
    told = tag_rules.sentence(tag_rules.parse_rule(g.tag_rules[row.id]))
    return Markup('<div>{}<div class="hint tag-rule" data-raw>{}</div></div>').format(label, told)


def _friends(view: Any, context: Any, row: Tag, name: str) -> Markup:
    if "tag_counts" not in g:
        g.tag_counts = queries.tag_counts([tag.id for tag in context["data"]])
    return Markup('<a href="{}">{}</a>').format(
        url_for("friends.index_view", tag=row.id), listing.count_label(g.tag_counts[row.id])
    )


class TagView(TagCare, StaffModelView):
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
        "kind": _kind,
    }
    number_columns = ("friends",)
    search_columns = (Tag.name,)
    toolbar_filters = (
        listing.choice_filter("kind", _l("Kind"), Tag.kind, tuple(SHORT_KIND_LABELS.items())),
        listing.Filter(
            "state",
            _l("State"),
            (("archived", _l("Archived")),),
            lambda query, value: query.where(Tag.archived_at.is_null(False)),
            any_label=_l("In use"),
        ),
    )
    list_template = "admin/tags.html"
    create_template = edit_template = "admin/tag_edit.html"
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
        users = self.users_of(record)
        if users:
            return _(
                "It is used by %(what)s and cannot be deleted before that is changed.",
                what=_(", ").join(users),
            )
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

    def narrowed_query(self) -> tuple[Any, str, dict[str, str]]:
        """Without those in the archive, unless they are asked for."""
        query, search, chosen = super().narrowed_query()
        if "state" not in chosen:
            query = query.where(Tag.archived_at.is_null())
        return query, search, chosen

    def offers_starters(self) -> bool:
        """Whether the starter set of interests is offered."""
        return self.can_create and no_interests_yet()

    def users_of(self, record: Tag) -> list[str]:
        """What names this tag, for its page."""
        return uses.told(uses.of_tag(record))

    def create_record(self, form: NewTagForm) -> Tag:
        rule = form.rule() if form.kind.data == tags.DYNAMIC else None
        staff, now, wall = current_staff(), clock.now(), clock.wall()
        made = tags.create_tag(
            form.name.data,
            color=form.color.data,
            kind=form.kind.data,
            staff=staff,
            now=now,
            wall=wall,
        )
        tag_rules.save_rule(made, rule, staff=staff, now=now, wall=wall)
        return made

    def save_record(self, form: TagForm, record: Tag, version: int) -> None:
        renamed = tags.check_name(form.name.data) != record.name
        users = self.users_of(record) if renamed else []
        if users:
            raise DomainError(
                _("The name stays while this is in use: %(what)s.", what=_(", ").join(users)),
                field="name",
            )
        staff, now, wall = current_staff(), clock.now(), clock.wall()
        tags.edit_tag(
            record,
            name=form.name.data,
            color=form.color.data,
            version=version,
            staff=staff,
            wall=wall,
        )
        if record.kind == tags.DYNAMIC:
            fresh = Tag.get_by_id(record.id)
            tag_rules.save_rule(fresh, form.rule(), staff=staff, now=now, wall=wall)

    def delete_record(self, record: Tag) -> None:
        users = self.users_of(record)
        if users:
            raise DomainError(
                _(
                    "“%(name)s” is used by %(what)s. Change that first.",
                    name=record.name,
                    what=_(", ").join(users),
                )
            )
        tags.delete_tag(record, staff=current_staff(), at=clock.now(), wall=clock.wall())


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(TagView(Tag, _l("Tags"), endpoint="tags"), "friends", 20)]
