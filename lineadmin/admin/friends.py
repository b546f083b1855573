"""The list of friends: search, filters, tagging many, files out and in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import (
    Response,
    abort,
    flash,
    g,
    redirect,
    request,
    stream_with_context,
    url_for,
)
from flask_admin import expose
from markupsafe import Markup
from peewee import ModelSelect

from lineadmin import clock, i18n, segments, settings
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, bulk_action, current_staff, needs
from lineadmin.admin.friend_import import FriendImport
from lineadmin.admin.friend_page import FriendPage
from lineadmin.db import one_of
from lineadmin.errors import DomainError
from lineadmin.friends import csv_export, queries, tags
from lineadmin.friends.attributes import source_choices
from lineadmin.friends.models import FRIEND, Friend, Tag
from lineadmin.friends.queries import FriendFilter
from lineadmin.i18n import _, _l, _n
from lineadmin.segments import tag_jobs
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import TreeError
from lineadmin.settings.line_total import friend_total
from lineadmin.staff import audit
from lineadmin.tasks import doorbell

EVERYBODY = 10_000_000  # counts on confirm pages are exact


def _tags() -> list[tuple[int, str]]:
    return [(tag.id, tag.name) for tag in queries.all_tags()]


def _sources() -> list[tuple[int, Any]]:
    return [*((row.id, row.name) for row in source_choices()), (0, _l("Not known"))]


def _segments() -> list[tuple[int, str]]:
    rows = Segment.select().where(Segment.archived_at.is_null()).order_by(Segment.name)
    return [(row.id, row.name) for row in rows]


def _in_segment(segment_id: int) -> Any:
    """The friends of a saved segment, as a list finds them quickly."""
    row = Segment.get_or_none(Segment.id == segment_id)
    now, zone = clock.now(), settings.shop_zone()
    try:
        if row is None:
            return Friend.id < 0
        gathered = segments.where(row.tree, now=now, zone=zone)
        walked = segments.where(row.tree, now=now, zone=zone, per_friend=True)
        found = queries.few(gathered)
        g.segment_size = queries.GATHERED + 1 if found is None else len(found)
        return walked if found is None else one_of(Friend.id, found)
    except TreeError:  # it leads back to itself
        return Friend.id < 0


def _where_of(chosen: Mapping[str, str], search: str = "") -> Any:
    """The condition of a search and filters."""
    conditions = [_in_segment(int(chosen["segment"]))] if "segment" in chosen else []
    if not conditions or search or set(chosen) - {"segment"}:
        conditions.append(_filter_of(chosen, search).where())
    return reduce(and_, conditions)


def _filter_of(chosen: Mapping[str, str], search: str = "") -> FriendFilter:
    return FriendFilter(
        search=search,
        tag_id=int(chosen["tag"]) if "tag" in chosen else None,
        status=chosen.get("status", ""),
        source_id=int(chosen["source"]) if "source" in chosen else None,
        opted_out=chosen["opted_out"] == "1" if "opted_out" in chosen else None,
    )


def _narrowing(name: str, label: Any, choices: Any) -> listing.Filter:
    return listing.Filter(
        name, label, choices, lambda query, value: query.where(_where_of({name: value}))
    )


class FriendView(FriendPage, FriendImport, StaffModelView):
    """Every friend the shop has learned of."""

    required_permission = "lookup"
    export_permission = "export_all"
    menu_icon = "friends"
    creatable = editable = deletable = False
    exportable = True
    list_template = "admin/friends.html"
    column_list = ("display_name", "status", "tags", "source", "last_seen_at", "followed_at")
    column_labels = {
        "display_name": _l("Friend"),
        "status": _l("Status"),
        "tags": _l("Tags"),
        "source": _l("Gained-through path"),
        "last_seen_at": _l("Last active"),
        "followed_at": _l("Friend since"),
    }
    column_formatters = {
        "display_name": cells.name_cell,
        "status": cells.status_cell,
        "tags": cells.tags_cell,
        "source": cells.source_cell,
        "last_seen_at": cells.day_cell,
        "followed_at": cells.day_cell,
    }
    column_sortable_list = ("display_name", "last_seen_at")
    search_columns = (Friend.display_name,)
    toolbar_filters = (
        _narrowing("tag", _l("Tag"), _tags),
        _narrowing("segment", _l("Segment"), _segments),
        _narrowing("status", _l("Status"), tuple(queries.STATUSES.items())),
        _narrowing("source", _l("Gained-through path"), _sources),
        _narrowing(
            "opted_out",
            _l("Notifications"),
            (("1", _l("wants none")), ("0", _l("may be notified"))),
        ),
    )

    # --- words ----------------------------------------------------------------------------

    def search_label(self) -> str:
        return _("Name or LINE user ID")

    def row_label(self, record: Friend) -> str:
        return cells.name_of(record)

    def row_url(self, record: Friend) -> str:
        return str(self.get_url(".page", friend_id=record.id))

    def empty_title(self) -> str:
        return _("No friends yet")

    def empty_text(self) -> str:
        return _("A friend shows up here as soon as she follows, writes or taps something.")

    # --- the list -------------------------------------------------------------------------

    def get_query(self) -> Any:
        """Only what the list shows: names of sources and tags are fetched once per page."""
        return Friend.select()

    def apply_search(self, query: ModelSelect, text: str) -> ModelSelect:
        return query.where(queries.named_few(text))

    def narrowed_query(self) -> tuple[ModelSelect, str, dict[str, str]]:
        """As every list; how many are in a segment says nothing once more is asked for."""
        query, search, chosen = super().narrowed_query()
        if search or set(chosen) != {"segment"}:
            g.pop("segment_size", None)
        return query, search, chosen

    def count(self, query: ModelSelect) -> int:
        """How many, exact up to 10,000; those of a segment were counted when it was gathered."""
        size = g.get("segment_size")
        g.friends_found = super().count(query) if size is None else size
        return int(g.friends_found)

    def known(self) -> dict[str, Any] | None:
        """How many of the account's friends are known here; None while LINE has counted none."""
        counted = friend_total()
        if counted is None:
            return None
        total, day = counted
        known = queries.status_count(FRIEND)
        return {"known": known, "total": max(total, known), "day": day, "missing": known < total}

    def bulk_controls(self) -> Markup:
        """Which tag, and whether everybody who matches is meant."""
        if not self.may("tag"):
            return Markup("")
        options = Markup("").join(
            Markup('<option value="{}">{}</option>').format(tag.id, tag.name)
            for tag in queries.all_tags()
            if tag.kind == tags.STATIC
        )
        choose = Markup(
            '<span class="field bulk-tag"><label for="bulk-tag" class="visually-hidden">{}</label>'
            '<select id="bulk-tag" name="tag"><option value="">{}</option>{}</select></span>'
        ).format(_("Tag"), _("Choose a tag"), options)
        found = g.get("friends_found", 0)
        if found <= self.page_size:
            return choose
        everybody = Markup(
            '<label class="check"><input type="checkbox" name="everybody" value="1">{}</label>'
        ).format(_("not only the ticked: all that match (%(count)s)", count=_how_many(found)))
        return choose + everybody

    # --- tagging many ---------------------------------------------------------------------

    @bulk_action("tag", _l("Add the tag"), verb="tag")
    def action_tag(self, ids: list[int]) -> Any:
        """Tag the ticked friends, or everybody the list shows."""
        return self._mark(ids, add=True)

    @bulk_action("untag", _l("Take the tag off"), verb="tag")
    def action_untag(self, ids: list[int]) -> Any:
        """Take a tag off the ticked friends, or off everybody the list shows."""
        return self._mark(ids, add=False)

    def _mark(self, ids: list[int], *, add: bool) -> Any:
        tag = _chosen_tag()
        if request.form.get("everybody") == "1":
            return self._mark_everybody(tag, ids, add=add)
        change = tags.add_tag_many if add else tags.remove_tag_many
        count = change(ids, tag.id, at=clock.now())
        if count:
            after = {"tag": tag.name, "count": count}
            action = "friend.tag" if add else "friend.untag"
            audit.record(
                current_staff(), action, "friend", 0, tag.name, None, after, wall=clock.wall()
            )
        flash(_marked(tag.name, count, add=add), "success")
        return None

    def _mark_everybody(self, tag: Tag, ids: list[int], *, add: bool) -> Any:
        """Ask, then leave it to the worker: a million friends take longer than a page may."""
        kept, told = self._asked_for()
        now = clock.now()
        total = queries.bounded_count(tag_jobs.condition(kept, now=now), EVERYBODY)
        if not self.confirmed():
            return self._ask_everybody(tag, total, told, ids, add=add)
        job = tag_jobs.start(
            tag_jobs.ADD if add else tag_jobs.REMOVE,
            tag,
            kept,
            words=told,
            total=total,
            staff=current_staff(),
            now=now,
            wall=clock.wall(),
        )
        doorbell.ring()
        return redirect(url_for("tags.job", id=job.id))

    def _asked_for(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The search and filters of the list the button was on, to be kept and in words."""
        args = dict(parse_qsl(urlsplit(request.form.get("url", "")).query))
        search = args.get("search", "").strip()[:200]
        chosen = listing.chosen_filters(self.toolbar_filters, args)
        words = {self.search_label(): search} if search else {}
        for one in self.toolbar_filters:
            if one.name in chosen:
                words[str(one.label)] = str(dict(one.options())[chosen[one.name]])
        tree = None
        if "segment" in chosen:
            tree = Segment.get_by_id(int(chosen["segment"])).tree
        return tag_jobs.whom(_filter_of(chosen, search), tree), words

    def _ask_everybody(
        self, tag: Tag, count: int, told: dict[str, str], ids: list[int], *, add: bool
    ) -> str:
        question = _n(
            "Tag %(count)s friend “%(tag)s”?",
            "Tag %(count)s friends “%(tag)s”?",
            count,
            tag=tag.name,
        )
        if not add:
            question = _n(
                "Take “%(tag)s” off %(count)s friend?",
                "Take “%(tag)s” off %(count)s friends?",
                count,
                tag=tag.name,
            )
        lines = [_("%(name)s: %(value)s", name=name, value=value) for name, value in told.items()]
        return self.confirm(
            question,
            label=_("Add the tag") if add else _("Take the tag off"),
            text=_("Everybody is meant who matches this:") if lines else _("Everybody is meant."),
            lines=lines,
            kind="primary",
            action=self.get_url(".action_view"),
            hidden={
                "action": "tag" if add else "untag",
                "everybody": "1",
                "tag": tag.id,
                "rowid": ids[0],
                "url": request.form.get("url", ""),
            },
        )

    # --- export ---------------------------------------------------------------------------

    @expose("/export/<export_type>/")
    @needs("export_all")
    def export(self, export_type: str) -> Response:
        """All friends, or those the list shows, as the CSV an import takes back."""
        if export_type != "csv":
            abort(404)
        search = request.args.get("search", "").strip()[:200]
        chosen = listing.chosen_filters(self.toolbar_filters, request.args)
        filters = {**({"search": search} if search else {}), **chosen}
        audit.record(
            current_staff(),
            "friend.export",
            "friend",
            0,
            str(self.name),
            None,
            {"filters": filters},
            wall=clock.wall(),
        )
        where = _where_of(chosen, search) if filters else None
        name = f"friends-{i18n.local(clock.now()):%Y%m%d-%H%M}.csv"
        return Response(
            stream_with_context(csv_export.export_csv(where)),
            mimetype="text/csv",
            headers={"Content-Disposition": f"attachment; filename={name}"},
        )


def _chosen_tag() -> Tag:
    number = request.form.get("tag", "")
    tag: Tag | None = Tag.get_or_none(Tag.id == int(number)) if number.isdecimal() else None
    if tag is None:
        raise DomainError(_l("Choose a tag first."))
    if tag.kind != tags.STATIC:
        raise DomainError(_l("Only its rule sets a dynamic tag."))
    return tag


def _how_many(count: int) -> str:
    if count > listing.COUNT_LIMIT:
        return _("over %(count)s", count=i18n.format_count(listing.COUNT_LIMIT))
    return i18n.format_count(count)


def _marked(name: str, count: int, *, add: bool) -> str:
    if add:
        return _n(
            "%(count)s friend got the tag “%(tag)s”.",
            "%(count)s friends got the tag “%(tag)s”.",
            count,
            tag=name,
        )
    return _n(
        "%(count)s friend lost the tag “%(tag)s”.",
        "%(count)s friends lost the tag “%(tag)s”.",
        count,
        tag=name,
    )


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(FriendView(Friend, _l("Friends list"), endpoint="friends"), "friends", 10)]
