"""Saved segments: the list, the builder, and one segment with who is in it and what uses it."""

from __future__ import annotations

import json
from typing import Any

from flask import abort, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import StringField, validators

from lineadmin import clock, segments, settings
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.friends import queries
from lineadmin.i18n import _, _l, _n, format_count, format_datetime, format_twd
from lineadmin.journal.kinds import KINDS
from lineadmin.reports import cross_tab, uses
from lineadmin.reports.audience import Audience, audience, block_share
from lineadmin.segments import actions
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import TreeError

LONGEST_SENTENCE = 160
USE_PAGES = {
    "segment": ("segments.details_view", "id"),
    "broadcast": ("broadcasts.report", "broadcast_id"),
    "sequence": ("sequences.page", "sequence_id"),
    "coupon": ("coupons.details_view", "id"),
    "tag": ("tags.edit_view", "id"),
    "audience": ("line_audiences.index", "of"),
    "reply": ("replies.edit_view", "id"),
    "topic": ("topics.details_view", "id"),
}


class SegmentForm(StaffForm):
    """A name and the conditions behind it."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=actions.MAX_NAME)],
        filters=[stripped],
    )
    where = ConditionField(_l("Conditions"))


def _sentence(view: Any, context: Any, row: Segment, name: str) -> Markup:
    told = told_of(row)
    short = told if len(told) <= LONGEST_SENTENCE else told[: LONGEST_SENTENCE - 1] + "…"
    return Markup('<span class="segment-words" title="{}" data-raw>{}</span>').format(told, short)


def _counted(view: Any, context: Any, row: Segment, name: str) -> Markup:
    # Counting all segments of a page could take as many seconds: each is asked for by itself.
    return Markup('<span class="num" data-count-url="{}">…</span>').format(
        url_for("segments.count_of", id=row.id)
    )


class SegmentView(StaffModelView):
    """Everybody reads them; managers write them."""

    menu_icon = "segment"
    deletable = True
    exportable = False
    can_view_details = True
    default_sort = ("name", False)
    column_list = ("name", "tree", "matching", "created_at")
    column_labels = {
        "name": _l("Segment"),
        "tree": _l("Who is in it"),
        "matching": _l("Friends"),
        "created_at": _l("Made"),
    }
    number_columns = ("matching",)
    column_formatters = {"tree": _sentence, "matching": _counted}
    search_columns = (Segment.name,)
    toolbar_filters = (
        listing.Filter(
            "state",
            _l("State"),
            (("archived", _l("Archived")),),
            lambda query, value: query.where(Segment.archived_at.is_null(False)),
            any_label=_l("In use"),
        ),
    )
    list_template = "admin/segments.html"
    create_template = edit_template = "admin/segment_edit.html"
    details_template = "admin/segment.html"
    list_hint = _l(
        "Conditions saved under a name. Broadcasts, step messages and coupons ask the segment "
        "anew each time, so friends come and go by themselves."
    )

    # --- words ----------------------------------------------------------------------------

    def create_label(self) -> str:
        return _("New segment")

    def search_label(self) -> str:
        return _("Name of a segment")

    def empty_title(self) -> str:
        return _("No segments yet")

    def empty_text(self) -> str:
        return _("Save whom you write to again and again: new friends, regulars, the silent ones.")

    def delete_text(self, record: Segment) -> str:
        users = uses.segment_users(record.name)
        if users:
            return _(
                "It is used by %(what)s and cannot be deleted before that is changed.",
                what=_(", ").join(users),
            )
        return _("Nothing uses it. The friends in it stay; the conditions are gone then.")

    def row_url(self, record: Segment) -> str:
        return str(self.get_url(".details_view", id=record.id))

    def edit_heading(self, record: Segment) -> str:
        return _("Edit “%(name)s”", name=record.name)

    # --- the list -------------------------------------------------------------------------

    def narrowed_query(self) -> tuple[Any, str, dict[str, str]]:
        """Without those in the archive, unless they are asked for."""
        query, search, chosen = super().narrowed_query()
        if "state" not in chosen:
            query = query.where(Segment.archived_at.is_null())
        return query, search, chosen

    @expose("/count/")
    def count_of(self) -> Response:
        """How many friends one segment has, for the list's script."""
        return jsonify({"told": count_text(_counted_friends(self._segment().tree))})

    # --- making and changing --------------------------------------------------------------

    def get_form(self) -> Any:
        return SegmentForm

    def create_form(self, obj: Any = None) -> SegmentForm:
        """The empty form, a copy of a segment, or conditions chosen elsewhere."""
        if request.method == "POST":
            return SegmentForm(request.form)
        name, tree = request.args.get("name", "")[: actions.MAX_NAME], None
        copied = self.get_one(request.args.get("from"))
        if copied is not None:
            name, tree = actions.copy_name(copied.name), copied.tree
        elif request.args.get("where"):
            try:
                tree = segments.dump(segments.parse(json.loads(request.args["where"])))
            except (TreeError, ValueError, RecursionError):
                abort(400)
        return SegmentForm(None, name=name, where=tree)

    def edit_form(self, obj: Any = None) -> SegmentForm:
        """The form of a segment; it cannot be a condition of its own."""
        form = _filled(obj) if request.method == "GET" else SegmentForm(request.form)
        form.where.without = obj.name
        return form

    def stored_form(self, record: Segment) -> SegmentForm:
        return _filled(record)

    def create_record(self, form: SegmentForm) -> Segment:
        return actions.create_segment(
            form.name.data,
            form.where.data,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )

    def save_record(self, form: SegmentForm, record: Segment, version: int) -> None:
        actions.edit_segment(
            record,
            form.name.data,
            form.where.data,
            version=version,
            used_by=uses.segment_users,
            staff=current_staff(),
            wall=clock.wall(),
        )

    def after_create_url(self, record: Segment) -> str:
        return self.row_url(record)

    def after_save_url(self, record: Segment) -> str:
        return self.row_url(record)

    def delete_record(self, record: Segment) -> None:
        actions.delete_segment(
            record, used_by=uses.segment_users, staff=current_staff(), wall=clock.wall()
        )

    @expose("/archive/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def archive(self) -> Response:
        """Take it out of the lists, or put it back."""
        segment = self._segment()
        if request.form.get("back") == "1":
            actions.unarchive_segment(segment, staff=current_staff(), wall=clock.wall())
            flash(_("“%(name)s” is in the lists again.", name=segment.name), "success")
        else:
            actions.archive_segment(
                segment, now=clock.now(), staff=current_staff(), wall=clock.wall()
            )
            flash(
                _(
                    "“%(name)s” is archived: no longer offered, and what uses it goes on.",
                    name=segment.name,
                ),
                "success",
            )
        return redirect(self.row_url(segment))

    # --- one segment ----------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> str:
        """What it asks, what uses it, and a table of two attributes; the figures come by script."""
        segment = self._segment()
        rows, columns = self._attributes()
        table_url = ""
        if rows and columns and rows.key != columns.key:
            keys = {"rows": rows.key, "columns": columns.key}
            table_url = self.get_url(".table", id=segment.id, **keys)
        return self.render(
            self.details_template,
            segment=segment,
            sentence=told_of(segment),
            users=[(use.told(), _use_url(use)) for use in uses.of_segment(segment.name)],
            panel_url=self.get_url(".panel", id=segment.id),
            table_url=table_url,
            attributes=cross_tab.attributes(now=clock.now(), zone=settings.shop_zone()),
            chosen_rows=rows.key if rows else "gender",
            chosen_columns=columns.key if columns else "age",
            same=rows is not None and columns is not None and rows.key == columns.key,
        )

    @expose("/panel/")
    def panel(self) -> str:
        """Who is in it: count, sample, tags, activity, blocks. A piece of a page."""
        segment = self._segment()
        condition = _condition(segment.tree)
        count = 0 if condition is None else segments.count(condition)
        seen = None
        if condition is not None:
            share = block_share(queries.status_counts())
            seen = audience(condition, now=clock.now(), shop_block_share=share)
        return self.render(
            "admin/_segment_panel.html",
            segment=segment,
            count=count_text(count),
            audience=seen,
            figures=[] if seen is None else _figures(seen),
            name_of=cells.name_of,
            face=cells.face,
            status_badge=cells.status_badge,
            seen_at=lambda friend: format_datetime(friend.last_seen_at),
            friends_url=url_for("friends.index_view", segment=segment.id),
        )

    @expose("/table/")
    def table(self) -> str:
        """Two attributes crossed, each number a way to a segment. A piece of a page."""
        segment = self._segment()
        rows, columns = self._attributes()
        condition = _condition(segment.tree)
        if rows is None or columns is None or rows.key == columns.key or condition is None:
            abort(404)
        links = {
            (row.key, column.key): self.get_url(
                ".create_view",
                name=f"{segment.name}・{row.label}・{column.label}",
                where=json.dumps(cross_tab.where_of(segment.name, row, column), ensure_ascii=False),
            )
            for row in rows.cells
            for column in columns.cells
        }
        return self.render(
            "admin/_segment_table.html",
            table=cross_tab.cross(rows, columns, condition),
            links=links,
        )

    def _attributes(self) -> tuple[cross_tab.Attribute | None, cross_tab.Attribute | None]:
        known = cross_tab.attributes(now=clock.now(), zone=settings.shop_zone())
        by_key = {one.key: one for one in known}
        return by_key.get(request.args.get("rows", "")), by_key.get(request.args.get("columns", ""))

    def _segment(self) -> Segment:
        segment: Segment = self.get_one(request.values.get("id")) or abort(404)
        return segment


def told_of(segment: Segment) -> str:
    """Its conditions in words."""
    try:
        return segments.sentence(segment.tree)
    except TreeError as error:
        return str(error)


def count_text(count: int) -> str:
    """「1,234 位好友」 or 「超過 10,000 位好友」."""
    if count > segments.COUNT_CAP:
        return _("more than %(count)s friends", count=format_count(segments.COUNT_CAP))
    return _n("%(count)s friend", "%(count)s friends", count)


def _filled(segment: Segment) -> SegmentForm:
    return SegmentForm(None, name=segment.name, where=segment.tree)


def _condition(tree: Any) -> Any:
    """The condition on Friend; None where the tree can't be asked (it leads back to itself)."""
    try:
        return segments.where(tree, now=clock.now(), zone=settings.shop_zone())
    except TreeError:
        return None


def _counted_friends(tree: Any) -> int:
    condition = _condition(tree)
    return 0 if condition is None else segments.count(condition)


def _use_url(use: uses.Use) -> str:
    endpoint, key = USE_PAGES[use.kind]
    address: dict[str, Any] = {key: use.id}
    return url_for(endpoint, **address)


def _figures(seen: Audience) -> list[tuple[str, str]]:
    """The lines of the panel: what, and its share."""

    def share(part: int) -> str:
        return f"{format_count(part)}（{seen.percent(part)}%）"

    lines = [(_("Can be written to"), share(seen.reachable))]
    lines += [
        (
            _n("Active in the last %(count)s day", "Active in the last %(count)s days", days),
            share(part),
        )
        for days, part in seen.active
    ]
    lines += [
        (_("%(what)s (last 30 days)", what=KINDS[kind].label), share(part))
        for kind, part in seen.deeds
    ]
    if seen.bought.purchases:
        told = _(
            "%(people)s friends, %(count)s purchases, %(amount)s",
            people=format_count(seen.bought.buyers),
            count=format_count(seen.bought.purchases),
            amount=format_twd(seen.bought.amount),
        )
        lines.append((_("Bought so far"), told))
    return lines


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(SegmentView(Segment, _l("Segments"), endpoint="segments"), "friends", 25)]
