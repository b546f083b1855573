"""Messages nobody answered, and webhook events that could not be handled."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from peewee import SQL
from werkzeug.wrappers import Response

from lineadmin import clock, i18n
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import listing, shell
from lineadmin.admin.base import StaffModelView, bulk_action, current_staff, flash_refusals, needs
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l, _n
from lineadmin.inbox import aside, messages, queries
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.outbox.replies import TOKEN_IS_GOOD_FOR

EVENTS_PER_PAGE = 50
OPEN = SQL("answered_by = ''")  # as the partial index says it


def _friends(context: Any) -> dict[int, Friend]:
    if "inbox_friends" not in g:
        ids = {row.friend_id for row in context["data"]}
        g.inbox_friends = {row.id: row for row in Friend.select().where(Friend.id.in_(list(ids)))}
    found: dict[int, Friend] = g.inbox_friends
    return found


def _friend(view: Any, context: Any, row: InboundMessage, name: str) -> Markup | str:
    friend = _friends(context).get(row.friend_id)
    return cells.name_cell(view, context, friend, name) if friend else _("No name yet")


def _words(view: Any, context: Any, row: InboundMessage, name: str) -> Markup:
    return Markup('<span class="inbox-words" data-raw>{}</span>').format(queries.words_of(row))


def _when(view: Any, context: Any, row: InboundMessage, name: str) -> Markup:
    told = Markup('<span class="nowrap">{}</span>').format(i18n.format_datetime(row.at))
    if row.token_at is not None and clock.wall() - row.token_at < TOKEN_IS_GOOD_FOR:
        told += Markup(' <span class="badge ok">{}</span>').format(_("an answer is free now"))
    return told


class InboxView(StaffModelView):
    """Every message that neither a rule nor staff answered; answering happens on her page."""

    required_permission = "lookup"
    menu_icon = "inbox"
    creatable = editable = deletable = False
    list_template = "admin/inbox.html"
    column_list = ("friend_id", "text", "at")
    column_labels = {
        "friend_id": _l("Friend"),
        "text": _l("Message"),
        "at": _l("Written at"),
    }
    column_formatters = {"friend_id": _friend, "text": _words, "at": _when}
    default_sort = ("at", True)
    search_columns = (InboundMessage.text,)
    list_hint = _l(
        "What no keyword reply fits waits here until somebody answers it or marks it as done."
    )

    def list_title(self) -> str:
        return _("Messages nobody answered")

    def search_label(self) -> str:
        return _("Words in the message")

    def empty_title(self) -> str:
        return _("Every message has an answer")

    def empty_text(self) -> str:
        return _("Messages that no keyword reply fits show up here.")

    def row_label(self, record: InboundMessage) -> str:
        return queries.words_of(record)[:60]

    def row_url(self, record: InboundMessage) -> str:
        return str(url_for("friends.page", friend_id=record.friend_id))

    def get_query(self) -> Any:
        """Only the open ones, by their own partial index."""
        return InboundMessage.select().where(OPEN)

    def set_aside(self) -> int:
        """How many events wait for a decision; for the line over the list."""
        return queries.set_aside_count()

    @bulk_action("close", _l("Mark as done"), verb="send")
    def action_close(self, ids: list[int]) -> None:
        """Nothing more to say to these friends; what they write later shows up again."""
        rows = InboundMessage.select().where(InboundMessage.id.in_(ids), OPEN)
        newest: dict[int, int] = {}
        for row in rows:
            newest[row.friend_id] = max(row.id, newest.get(row.friend_id, 0))
        friends = {row.id: row for row in Friend.select().where(Friend.id.in_(list(newest)))}
        closed = 0
        for friend_id, up_to in newest.items():
            closed += messages.close(
                friend_id,
                staff=current_staff(),
                label=friends[friend_id].display_name,
                at=clock.now(),
                wall=clock.wall(),
                up_to=up_to,
            )
        flash(
            _n("%(count)s message is done.", "%(count)s messages are done.", closed),
            "success",
        )

    # --- events that were set aside -------------------------------------------------------

    @expose("/events/")
    @needs("edit")
    def events(self) -> str:
        """Webhook events that failed five times, with their errors."""
        query: Any = InboundEvent.select().where(SQL("set_aside_at IS NOT NULL"))
        page = listing.newest_first(
            query, InboundEvent.id, EVENTS_PER_PAGE, partial(self.get_url, ".events")
        )
        drawn: str = self.render(
            "admin/inbox_aside.html",
            rows=page.rows,
            total=listing.count_label(listing.bounded_count(query)),
            page=page,
        )
        return drawn

    @expose("/events/decide/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def decide(self) -> Response | str:
        """Let the ticked events (or all) run again, or give them up; giving up asks first."""
        everything = request.form.get("everything") == "1"
        ids = (
            None if everything else [int(one) for one in request.form.getlist("event") if _ok(one)]
        )
        if ids == []:
            raise DomainError(_l("Tick at least one row first."))
        back = self.get_url(".events")
        if request.form.get("do") == "replay":
            count = aside.replay(ids, staff=current_staff(), wall=clock.wall())
            said = _n("%(count)s event runs again.", "%(count)s events run again.", count)
        elif not self.confirmed():
            return self.confirm(
                _("Give these events up?"),
                text=_("They count as handled, and nothing comes of them."),
                label=_("Give up"),
                hidden={"do": "drop", **({"everything": "1"} if everything else {"event": ids})},
                cancel_url=back,
            )
        else:
            count = aside.give_up(ids, staff=current_staff(), wall=clock.wall())
            said = _n("%(count)s event was given up.", "%(count)s events were given up.", count)
        flash(said, "success")
        return redirect(back)


def _ok(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _counts() -> dict[str, int]:
    return {"inbox": queries.unanswered_count()}


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("counts", _counts)
    return [(InboxView(InboundMessage, _l("To be answered"), endpoint="inbox"), "friends", 15)]
