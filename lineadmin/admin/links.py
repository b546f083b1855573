"""Tracked links: every address in a message that counts its taps, and who tapped it."""

from __future__ import annotations

from typing import Any

from flask import abort, g, url_for
from flask_admin import expose
from markupsafe import Markup

from lineadmin import clock
from lineadmin.admin import charts, listing
from lineadmin.admin.base import StaffModelView
from lineadmin.i18n import _, _l, format_count
from lineadmin.outbox.models import OriginKind
from lineadmin.reports import links
from lineadmin.tracking.models import TrackedLink
from lineadmin.tracking.names import name_of, short

KNOWN, SUM_ONLY = "known", "sum"


def _about(context: Any) -> tuple[dict[int, Any], dict[int, links.Page], dict[int, str]]:
    """What is not in the rows of this page, fetched once for all of them."""
    if "link_facts" not in g:
        rows = context.get("data") if context else None
        shown = list(rows if rows is not None else [context["model"]])
        g.link_facts = (links.totals(shown), links.places(shown), links.tags_of(shown))
    found: tuple[dict[int, Any], dict[int, links.Page], dict[int, str]] = g.link_facts
    return found


def _name(view: Any, context: Any, row: TrackedLink, column: str) -> Markup | str:
    if not row.name:
        return Markup("<span data-raw>{}</span>").format(short(row.url))
    return Markup('{}<div class="hint" data-raw>{}</div>').format(row.name, short(row.url))


def _taps(view: Any, context: Any, row: TrackedLink, column: str) -> str:
    return format_count(_about(context)[0][row.id].taps)


def _people(view: Any, context: Any, row: TrackedLink, column: str) -> str:
    people = _about(context)[0][row.id].people
    return _("not known") if people is None else format_count(people)


def _place(view: Any, context: Any, row: TrackedLink, column: str) -> Markup | str:
    page = _about(context)[1][row.id]
    address = place_url(page)
    return Markup('<a href="{}">{}</a>').format(address, page.label) if address else page.label


def _tag(view: Any, context: Any, row: TrackedLink, column: str) -> str:
    return tag_words(row, _about(context)[2])


def place_url(page: links.Page) -> str:
    """The screen of what a link stands in; empty where it has none of its own."""
    if page.kind == OriginKind.BROADCAST:
        return url_for("broadcasts.report", broadcast_id=page.id)
    if page.kind == OriginKind.STEP:
        return url_for("sequence_report.page", sequence_id=page.id)
    return ""


def tag_words(row: TrackedLink, names: dict[int, str]) -> str:
    """The tag a tap sets, and for how long."""
    name = names.get(row.tag_id or 0, "")
    if not name or row.tag_days is None:
        return name
    return _("%(tag)s, for %(days)s days", tag=name, days=row.tag_days)


def _whom(query: Any, value: str) -> Any:
    return query.where(TrackedLink.per_friend == (value == KNOWN))


def _in_kind(query: Any, value: str) -> Any:
    return query.where(TrackedLink.origin_kind == int(value))


class LinkView(StaffModelView):
    """Made by messages as they are sent, so nothing is added or changed here."""

    creatable = editable = deletable = False
    exportable = True
    audit_kind = "link"
    menu_icon = "external"
    column_list = ("url", "taps", "people", "origin_id", "tag_id", "created_at")
    column_labels = {
        "url": _l("Link"),
        "taps": _l("Taps"),
        "people": _l("Friends"),
        "origin_id": _l("Stands in"),
        "tag_id": _l("Tag it sets"),
        "created_at": _l("Since"),
    }
    column_formatters = {
        "url": _name,
        "taps": _taps,
        "people": _people,
        "origin_id": _place,
        "tag_id": _tag,
    }
    column_export_list = ("name", *column_list)
    number_columns = ("taps", "people")
    search_columns = (TrackedLink.name, TrackedLink.url)
    list_hint = _l(
        "Every web address in a message that counts its taps. Taps by preview robots are not "
        "counted, nor is a forged address."
    )
    toolbar_filters = (
        listing.Filter(
            "kind",
            _l("Stands in"),
            lambda: [(str(int(kind)), label) for kind, label in links.KIND_LABELS.items()],
            _in_kind,
        ),
        listing.Filter(
            "who",
            _l("Who is known"),
            ((KNOWN, _l("Each friend has her own link")), (SUM_ONLY, _l("Only the sum"))),
            _whom,
        ),
        listing.DayFilter("from", _l("From day"), TrackedLink.created_at),
        listing.DayFilter("until", _l("To day"), TrackedLink.created_at, until=True),
    )

    def search_label(self) -> str:
        return _("Name or address")

    def empty_title(self) -> str:
        return _("No tracked links yet")

    def empty_text(self) -> str:
        return _("Turn on counting taps in a message; its links appear here once it is sent.")

    def row_url(self, record: TrackedLink) -> str:
        return self.get_url(".one", id=record.id)

    def row_label(self, record: TrackedLink) -> str:
        return name_of(record)

    def export_row(self, record: TrackedLink) -> list[Any]:
        found = links.totals([record])[record.id]
        return [
            record.name,
            record.url,
            found.taps,
            "" if found.people is None else found.people,
            links.places([record])[record.id].label,
            tag_words(record, links.tags_of([record])),
            record.created_at,
        ]

    @expose("/<int:id>/")
    def one(self, id: int) -> str:
        """One link: its taps by day, and the friends who tapped it."""
        row: TrackedLink | None = self.get_one(id)
        if row is None:
            abort(404)
        found = links.totals([row])[row.id]
        page = links.places([row])[row.id]
        return self.render(
            "admin/link.html",
            link=row,
            name=name_of(row),
            totals=found,
            place=page,
            place_url=place_url(page),
            tag=tag_words(row, links.tags_of([row])),
            chart=_chart(row) if found.taps else None,
            tappers=links.tappers(row),
            most=links.NAMES,
        )


def _chart(row: TrackedLink) -> charts.Chart:
    counted = links.taps_by_day(row, now=clock.now())
    labels = [f"{day.month}/{day.day}" for day, _taps in counted]
    taps = [count for _day, count in counted]
    return charts.bars(_("Taps by day"), _("Day"), labels, [(_("Taps"), taps)])


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(LinkView(TrackedLink, _l("Tracked links"), endpoint="tracked_links"), "results", 30)]
