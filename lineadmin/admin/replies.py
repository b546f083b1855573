"""Auto-responses on screen: keyword replies, and the greeting. Both leave free, by reply token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, config, i18n, settings
from lineadmin.admin import two_tabs
from lineadmin.admin.base import (
    AdminPage,
    StaffModelView,
    bulk_action,
    current_staff,
    needs,
)
from lineadmin.admin.listing import choice_filter
from lineadmin.admin.reply_form import MATCH_LABELS, GreetingForm, ReplyForm, chips
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, _n
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import as_read
from lineadmin.replies import actions, greeting, match
from lineadmin.replies.models import ReplyRule

TRY_LENGTH = 500


def _keywords(view: Any, context: Any, row: ReplyRule, name: str) -> Markup:
    title = Markup("<b>{}</b> ").format(row.title) if row.title else Markup("")
    if row.match == match.ANY:
        return title + Markup('<span class="hint">{}</span>').format(MATCH_LABELS[match.ANY])
    return title + chips(row.keywords or [])


def _says(view: Any, context: Any, row: ReplyRule, name: str) -> Markup:
    words = as_read(parse_parts(row.parts))
    return Markup('<span class="reply-words" data-raw>{}</span>').format(words)


def _hours(view: Any, context: Any, row: ReplyRule, name: str) -> Markup | str:
    if not row.hours_from:
        return _("always")
    hours = f"{row.hours_from}–{row.hours_until}"
    return Markup('<span class="nowrap">{}</span>').format(hours)


def _enabled(view: Any, context: Any, row: ReplyRule, name: str) -> Markup:
    kind, label = ("ok", _("Enabled")) if row.enabled else ("", _("Disabled"))
    return Markup('<span class="badge {}">{}</span>').format(kind, label)


def _hits(view: Any, context: Any, row: ReplyRule, name: str) -> Markup:
    told = Markup("{}").format(i18n.format_count(row.hits))
    if row.last_hit_at is None:
        return told
    last = _("last %(time)s", time=i18n.format_datetime(row.last_hit_at))
    return told + Markup('<div class="hint nowrap">{}</div>').format(last)


class ReplyView(StaffModelView):
    """Everybody reads them; managers write them."""

    create_permission = edit_permission = delete_permission = "compose"
    deletable = True
    exportable = False
    menu_icon = "reply"
    list_template = "admin/replies.html"
    create_template = "admin/reply_edit.html"
    edit_template = "admin/reply_edit.html"
    audit_kind = "reply"
    default_sort = ("priority", True)
    column_list = ("keywords", "match", "parts", "hours_from", "priority", "hits", "enabled")
    column_labels = {
        "keywords": _l("Keywords"),
        "match": _l("Answers when"),
        "parts": _l("Says"),
        "hours_from": _l("Hours"),
        "priority": _l("Priority"),
        "hits": _l("Answers given"),
        "enabled": _l("State"),
    }
    column_formatters = {
        "keywords": _keywords,
        "match": lambda view, context, row, name: MATCH_LABELS.get(row.match, row.match),
        "parts": _says,
        "hours_from": _hours,
        "hits": _hits,
        "enabled": _enabled,
    }
    number_columns = ("priority", "hits")
    search_columns = (ReplyRule.keywords, ReplyRule.title)
    toolbar_filters = (
        choice_filter("match", _l("Answers when"), ReplyRule.match, tuple(MATCH_LABELS.items())),
    )
    list_hint = _l(
        "Answers to what friends write, sent at once and free of charge. A message no reply fits "
        "waits on the list of messages nobody answered."
    )

    def create_label(self) -> str:
        return _("New keyword reply")

    def row_label(self, record: ReplyRule) -> str:
        return actions.label(record)

    def search_label(self) -> str:
        return _("Keyword or title")

    def empty_title(self) -> str:
        return _("No keyword replies yet")

    def empty_text(self) -> str:
        return _("Let the shop answer by itself what friends ask most: menu, opening hours, way.")

    def delete_text(self, record: ReplyRule) -> str:
        return _n(
            "It has answered %(count)s time. What it said stays in the friends' timelines.",
            "It has answered %(count)s times. What it said stays in the friends' timelines.",
            record.hits,
        )

    def get_create_form(self) -> Any:
        return ReplyForm

    def get_edit_form(self) -> Any:
        return ReplyForm

    def tried(self) -> dict[str, Any] | None:
        """What would answer the text in the box over the list, right now; None: nothing typed."""
        text = request.args.get("try", "")[:TRY_LENGTH]
        if not text.strip():
            return None
        local = clock.now().astimezone(settings.shop_zone()).time()
        found = match.match(text, match.enabled_rules(), local_time=local)
        rule = None if found is None else found.rule
        return {
            "text": text,
            "rule": rule,
            "name": "" if rule is None else actions.label(rule),
            "says": "" if rule is None else as_read(parse_parts(rule.parts)),
            "others": 0 if found is None else len(found.others),
        }

    def create_record(self, form: ReplyForm) -> ReplyRule:
        with _beside_its_field():
            return actions.create_rule(
                form.spec(),
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
                public_url=config.current().public_url,
            )

    def save_record(self, form: ReplyForm, record: ReplyRule, version: int) -> None:
        with _beside_its_field():
            actions.edit_rule(
                record,
                form.spec(),
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
                public_url=config.current().public_url,
                version=version,
            )

    def delete_record(self, record: ReplyRule) -> None:
        actions.delete_rule(record, staff=current_staff(), wall=clock.wall())

    @bulk_action("enable", _l("Enable"), verb="compose")
    def action_enable(self, ids: list[int]) -> None:
        """Let these answer."""
        self._switch(ids, enabled=True)

    @bulk_action("disable", _l("Disable"), verb="compose")
    def action_disable(self, ids: list[int]) -> None:
        """Keep these from answering."""
        self._switch(ids, enabled=False)

    def _switch(self, ids: list[int], *, enabled: bool) -> None:
        changed = 0
        for rule in ReplyRule.select().where(ReplyRule.id.in_(ids)):
            changed += actions.enable_rule(
                rule, enabled=enabled, staff=current_staff(), wall=clock.wall()
            )
        flash(_n("%(count)s reply changed.", "%(count)s replies changed.", changed), "success")


class GreetingView(AdminPage):
    """One page with both greetings."""

    menu_icon = "smile"

    @expose("/", methods=("GET", "POST"))
    @needs("view", post="compose")
    def index(self) -> Response | str | tuple[str, int]:
        """Show and save the greeting."""
        stored = greeting.current()
        note = None
        if request.method == "GET":
            return self._page(_filled(stored), stored)
        form = GreetingForm(request.form)
        if form.validate():
            try:
                self._save(form, two_tabs.posted_version(stored.version))
            except Conflict:
                stored = greeting.current()
                note = two_tabs.merge(
                    form, _filled(stored), kind="setting", object_id=0, action="greeting.edit"
                )
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
            else:
                flash(_("Saved."), "success")
                return redirect(url_for(".index"))
        return self._page(form, stored, note), 409 if note else 400

    def _save(self, form: GreetingForm, version: int) -> None:
        greeting.save(
            messages=form.messages.data,
            returning=form.returning.data,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.current().public_url,
            version=version,
        )

    def _page(self, form: GreetingForm, stored: greeting.Greeting, note: Any = None) -> str:
        return self.render(
            "admin/greeting.html",
            form=form,
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(_filled(stored), stored.version),
            falls_back=settings.shop().first_greeting_falls_back,
        )


def _filled(stored: greeting.Greeting) -> GreetingForm:
    return GreetingForm(None, messages=stored.messages, returning=stored.returning)


@contextmanager
def _beside_its_field() -> Iterator[None]:
    """The rules speak of messages; in this form they are the field `parts`."""
    try:
        yield
    except DomainError as error:
        if (error.field or "").startswith("messages"):
            error.field = "parts"
        raise


def views() -> list[tuple[Any, str, int]]:
    """The screens and their places in the menu."""
    return [
        (ReplyView(ReplyRule, _l("Auto-responses"), endpoint="replies"), "messages", 30),
        (GreetingView(_l("Greeting"), endpoint="greeting"), "messages", 25),
    ]
