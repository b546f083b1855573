"""Sources: their entry links and QR codes, what came of each, merging two that are the same."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, validators

from lineadmin import clock, config, settings
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.forms import StaffForm
from lineadmin.checkup import look as checkup
from lineadmin.friends import source_actions
from lineadmin.friends.models import Source
from lineadmin.friends.set_up import LONGEST_NAME
from lineadmin.i18n import _, _l, _n, format_count
from lineadmin.reports.sources import Funnel, funnels, without_source
from lineadmin.sequences.models import Sequence, SequenceVersion
from lineadmin.tracking import entry
from lineadmin.web.drawn import qr_svg

IN_USE, PUT_AWAY = "in_use", "away"
LIFF, MESSAGE = "liff", "message"


class SourceForm(StaffForm):
    """What staff call it."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=LONGEST_NAME)],
        description=_l("Where the link or QR code will be: a counter, a flyer, an ad, a partner."),
    )


class NewSourceForm(SourceForm):
    """The code is chosen once: it is part of what gets printed."""

    code = StringField(
        _l("Code"),
        [validators.Length(max=40)],
        description=_l(
            "Small letters, digits, - and _. It stands in the link and never changes. Leave it "
            "empty and one is made."
        ),
    )


class MergeForm(StaffForm):
    """Which source the friends go to."""

    into = SelectField(_l("Merge into"), [validators.InputRequired()])


def _numbers() -> Any:
    if "source_funnels" not in g:
        g.source_funnels = funnels()
    return g.source_funnels


def _figure(name: str) -> Any:
    def cell(view: Any, context: Any, row: Source, column: str) -> Markup | str:
        funnel: Funnel = _numbers().get(row.id, Funnel())
        value = getattr(funnel, name)
        written = format_count(value)
        if name == "friends" and value:
            address = url_for("friends.index_view", source=row.id)
            return Markup('<a href="{}">{}</a>').format(address, written)
        share = funnel.percent(value, funnel.friends) if name in ("blocked", "redeemers") else None
        if not share:
            return written
        return Markup('{} <span class="hint">{}%</span>').format(written, share)

    return cell


def _code(view: Any, context: Any, row: Source, name: str) -> Markup:
    return Markup("<code>{}</code>").format(row.code)


def _away(query: Any, value: str) -> Any:
    return query.where(Source.archived_at.is_null(value == IN_USE))


class SourceView(StaffModelView):
    """Where friends come from."""

    create_permission = edit_permission = "edit"
    exportable = False
    menu_icon = "globe"
    default_sort = ("name", False)
    column_list = ("name", "code", "visits", "friends", "blocked", "redeemers")
    column_labels = {
        "name": _l("Source"),
        "code": _l("Code"),
        "visits": _l("Visits"),
        "friends": _l("Friends who joined"),
        "blocked": _l("Blocked"),
        "redeemers": _l("Redeemed a coupon"),
    }
    column_formatters = {
        "code": _code,
        **{name: _figure(name) for name in ("visits", "friends", "blocked", "redeemers")},
    }
    number_columns = ("visits", "friends", "blocked", "redeemers")
    search_columns = (Source.name, Source.code)
    list_template = "admin/sources.html"
    list_hint = _l(
        "LINE does not tell where a friend comes from. A link or QR code of each source does; "
        "friends without one count as unknown."
    )
    toolbar_filters = (
        listing.Filter(
            "state",
            _l("State"),
            lambda: [(IN_USE, _("In use")), (PUT_AWAY, _("Put away"))],
            _away,
        ),
    )

    def create_label(self) -> str:
        return _("Add a source")

    def search_label(self) -> str:
        return _("Name or code of a source")

    def empty_title(self) -> str:
        return _("No sources yet")

    def empty_text(self) -> str:
        return _("Make one for every place where people find you, and print its QR code.")

    def row_url(self, record: Source) -> str:
        return self.get_url(".one", id=record.id)

    def get_create_form(self) -> Any:
        return NewSourceForm

    def get_edit_form(self) -> Any:
        return SourceForm

    def create_record(self, form: NewSourceForm) -> Source:
        name, code = form.name.data or "", (form.code.data or "").strip()
        if not code:
            taken = {row.code for row in Source.select(Source.code)}
            code = source_actions.suggested_code(name, taken)
        return source_actions.create_source(
            name, code, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )

    def save_record(self, form: SourceForm, record: Source, version: int) -> None:
        source_actions.rename_source(
            record, form.name.data, version=version, staff=current_staff(), wall=clock.wall()
        )

    def after_create_url(self, record: Source) -> str:
        return self.get_url(".one", id=record.id)

    def after_save_url(self, record: Source) -> str:
        return self.get_url(".one", id=record.id)

    def without_source(self) -> int:
        """For the list's last line."""
        return without_source()

    @expose("/<int:id>/")
    def one(self, id: int) -> str:
        """One source: its links and QR codes, and its numbers."""
        row = self._row(id)
        return self.render(
            "admin/source.html",
            source=row,
            into=Source.get_or_none(Source.id == row.merged_into) if row.merged_into else None,
            funnel=_numbers().get(row.id, Funnel()),
            links=_links(row),
            page_link=_page_link(row),
            used_by=_used_by(row.code),
            liff=config.current().liff_configured,
        )

    @expose("/<int:id>/sheet/<how>")
    def sheet(self, id: int, how: str) -> str:
        """One page to print and put up at the counter."""
        row = self._row(id)
        link = next((one for one in _links(row) if one["how"] == how), None)
        if link is None:
            abort(404)
        return self.render(
            "admin/source_sheet.html",
            source=row,
            shop_name=settings.shop().name,
            account=checkup.basic_id(),
            link=link,
        )

    @expose("/<int:id>/archive", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def archive(self, id: int) -> Response:
        """Put a source away, or take it back."""
        row = self._row(id)
        archived = request.form.get("archived") == "1"
        source_actions.archive_source(
            row, archived=archived, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        said = _("“%(name)s” was put away.") if archived else _("“%(name)s” is in use again.")
        flash(said % {"name": row.name}, "success")
        return redirect(self.get_url(".one", id=row.id))

    @expose("/<int:id>/merge", methods=("GET", "POST"))
    @needs("edit")
    def merge(self, id: int) -> Response | str:
        """Move the friends of a source to another; asks first."""
        row = self._row(id)
        form = MergeForm(request.form if request.method == "POST" else None)
        others = Source.select().where(
            Source.archived_at.is_null(), Source.id != row.id, Source.merged_into.is_null()
        )
        form.into.choices = [
            ("", _("Choose a source")),
            *((str(one.id), one.name) for one in others.order_by(Source.name)),
        ]
        if request.method != "POST" or not form.validate():
            return self.render("admin/source_merge.html", source=row, form=form)
        into = self._row(int(form.into.data))
        if not self.confirmed():
            return self.confirm(
                _("Merge “%(name)s” into “%(into)s”?", name=row.name, into=into.name),
                label=_("Merge"),
                text=_(
                    "Its friends count for “%(into)s” from now on, and so does whoever scans what "
                    "is printed of it. This cannot be undone.",
                    into=into.name,
                ),
                lines=[
                    _(
                        "“%(name)s” starts for followers from here; it does not for “%(into)s”.",
                        name=name,
                        into=into.name,
                    )
                    for name in _used_by(row.code)
                ],
                hidden={"into": into.id},
                cancel_url=self.get_url(".one", id=row.id),
            )
        moved = source_actions.merge_sources(
            row, into, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        said = _n("%(count)s friend was moved.", "%(count)s friends were moved.", moved)
        flash(said, "success")
        return redirect(self.get_url(".one", id=into.id))

    def _row(self, id: int) -> Source:
        row: Source | None = self.get_one(id)
        return row or abort(404)


def _links(row: Source) -> list[dict[str, Any]]:
    """The ways in that work here, the better one first, each with its QR code."""
    running, account = config.current(), checkup.basic_id()
    found: list[dict[str, Any]] = []
    if running.liff_configured and running.liff_id is not None:
        found.append(
            {
                "how": LIFF,
                "title": _("Entry link"),
                "hint": _("The friend only has to scan or tap and add you; nothing to type."),
                "url": entry.liff_link(running.liff_id, row.code),
                "steps": (_("Scan with LINE or the camera"), _("Add us as a friend")),
            }
        )
    if account:
        found.append(
            {
                "how": MESSAGE,
                "title": _("Link with a text to send"),
                "hint": _(
                    "Opens your chat with these words typed in; the friend presses send. Works "
                    "without LIFF."
                ),
                "text": entry.code_text(row.code),
                "url": entry.code_link(account, row.code),
                "steps": (
                    _("Scan with LINE or the camera"),
                    _("Add us as a friend"),
                    _("Send the message that is typed in"),
                ),
            }
        )
    for one in found:
        one["qr"] = qr_svg(one["url"])
    return found


def _page_link(row: Source) -> str:
    base = config.current().public_url
    return f"{base}{url_for('entry.page', code=row.code)}" if base else ""


def _used_by(code: str) -> list[str]:
    """Sequences that friends of this source start."""
    rows = (
        SequenceVersion.select(SequenceVersion, Sequence)
        .join(Sequence, on=(Sequence.live_version == SequenceVersion.id), attr="sequence")
        .where(Sequence.archived_at.is_null())
        .order_by(Sequence.name)
    )
    return [row.sequence.name for row in rows if code in _sources_of(row.definition)]


def _sources_of(definition: Any) -> list[str]:
    trigger = definition.get("trigger") if isinstance(definition, dict) else None
    follow = trigger.get("follow") if isinstance(trigger, dict) else None
    return [str(one) for one in follow] if isinstance(follow, list) else []


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(SourceView(Source, _l("Sources"), endpoint="sources"), "friends", 25)]
