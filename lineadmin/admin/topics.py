"""Topics: the list, making and changing one, its numbers, its calendar, and a friend's switches."""

from __future__ import annotations

import calendar as months
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.admin import export, friend_topics, listing
from lineadmin.admin.base import current_staff, flash_refusals, needs
from lineadmin.admin.coded import CodedView
from lineadmin.admin.friend_answer import find_friend
from lineadmin.admin.topic_form import TopicForm
from lineadmin.broadcasts import states as sending
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import moment_of, sendings
from lineadmin.errors import DomainError
from lineadmin.i18n import DEFAULT_LOCALE, _, _l, format_count, format_time, format_twd, local
from lineadmin.messages import topic_card
from lineadmin.reports import topic as numbers
from lineadmin.staff import audit
from lineadmin.topics import actions, queries
from lineadmin.topics.consent import Wish, stop, subscribe
from lineadmin.topics.models import Consent, Topic
from lineadmin.topics.plan import wording_of
from lineadmin.topics.states import CHANGE_LABELS, FREQUENCIES, PLACE_LABELS, SPANS
from lineadmin.topics.states import STAFF as BY_STAFF

LONGEST_REASON = 200
NEWEST = 10  # sendings on the page of a topic; the calendar has them all
FIRST_YEAR, LAST_YEAR = 2000, 2200


class TopicsView(CodedView):
    """Every topic of the shop."""

    form_of = TopicForm
    room = actions
    menu_icon = "bell"
    audit_kind = "topic"
    column_list = ("name", "frequency", "subscribers", "new", "stopped", "cost", "state")
    column_labels = {
        "name": _l("Name"),
        "frequency": _l("Frequency"),
        "subscribers": _l("Subscribers"),
        "new": _l("New this week"),
        "stopped": _l("Stopped"),
        "cost": _l("Cost per month"),
        "state": _l("State"),
    }
    number_columns = ("subscribers", "new", "stopped", "cost")
    column_formatters = {
        "frequency": lambda view, context, row, name: FREQUENCIES[row.frequency],
        "subscribers": lambda view, context, row, name: format_count(_people(row).subscribers),
        "new": lambda view, context, row, name: format_count(_people(row).new),
        "stopped": lambda view, context, row, name: format_count(_people(row).stopped),
        "cost": lambda view, context, row, name: cost_words(row, _people(row).subscribers),
        "state": lambda view, context, row, name: _state_badge(row),
    }
    search_columns = (Topic.name, Topic.code)
    toolbar_filters = (
        listing.Filter(
            "archived",
            _l("State"),
            (("no", _l("Offered")), ("yes", _l("Archived"))),
            lambda query, value: query.where(Topic.archived_at.is_null(value == "no")),
        ),
    )
    list_hint = _l(
        "Friends choose what they want to get. Only who agreed gets it, no oftener than agreed, "
        "and every answer is kept as a proof."
    )
    list_template = "admin/topics.html"
    create_template = edit_template = "admin/topic_edit.html"
    details_template = "admin/topic.html"

    def create_label(self) -> str:
        return _("New topic")

    def edit_heading(self, record: Topic) -> str:
        return _("Edit")

    def search_label(self) -> str:
        return _("Name")

    def empty_title(self) -> str:
        return _("No topic yet")

    def empty_text(self) -> str:
        return _("Such as the week's menu: friends subscribe, and only subscribers get it.")

    def row_label(self, record: Topic) -> str:
        return str(record.name)

    # --- one topic ------------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> Response | str:
        """Its numbers, where friends were asked, what was sent and its card."""
        topic = self._topic()
        now = clock.now()
        people = numbers.people([topic.id], now)[topic.id]
        sent = sendings(topic)
        return self.render(
            self.details_template,
            topic=topic,
            people=people,
            brought=numbers.brought(topic),
            cost=numbers.monthly_cost(topic, people.subscribers, settings.shop()),
            cost_text=cost_words(topic, people.subscribers),
            places=numbers.places(topic),
            newest=[_sending(row) for row in reversed(sent[-NEWEST:])],
            next_at=_next_moment(topic, sent),
            facts=_facts(topic),
            preview=[topic_card.render(_sample(topic))],
            new_url=url_for("broadcasts.create_view", topic=topic.code),
            state_mark=_state(topic),
        )

    @expose("/state/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def set_state(self) -> Response | str:
        """Archive it, after asking, or offer it again."""
        topic = self._topic()
        if request.form.get("archived") != "1":
            actions.unarchive(topic.id, staff=current_staff(), wall=clock.wall())
            flash(_("“%(name)s” is offered again.", name=topic.name), "success")
            return redirect(self.row_url(topic))
        if not self.confirmed():
            return self.confirm(
                _("Archive “%(name)s”?", name=topic.name),
                text=_(
                    "Nobody can subscribe to it, nothing can be sent to it, and its card is left "
                    "out of messages. What friends agreed to stays on record."
                ),
                label=_("Archive"),
                hidden={"id": topic.id, "archived": "1"},
                action=self.get_url(".set_state"),
                cancel_url=self.row_url(topic),
            )
        actions.archive(topic.id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("“%(name)s” is archived.", name=topic.name), "success")
        return redirect(self.row_url(topic))

    # --- the calendar ---------------------------------------------------------------------

    @expose("/calendar/")
    def calendar(self) -> str:
        """A month of what was sent and is planned, of every topic or of one."""
        topics = list(Topic.select().order_by(Topic.name))
        chosen = next((one for one in topics if str(one.id) == request.args.get("id")), None)
        today = local(clock.now()).date()
        month = _month(request.args.get("month", "")) or today.replace(day=1)
        shown = [chosen] if chosen else [one for one in topics if one.archived_at is None]
        days: dict[date, list[dict[str, Any]]] = defaultdict(list)
        for number, topic in enumerate(shown):
            for row in sendings(topic):
                days[local(moment_of(row)).date()].append(
                    {**_sending(row), "topic": topic.name, "color": number % 5}
                )
        sheet = months.Calendar().monthdatescalendar(month.year, month.month)
        return str(
            self.render(
                "admin/topic_calendar.html",
                topics=topics,
                chosen=chosen,
                month=month,
                before=(month - timedelta(days=1)).replace(day=1),
                after=(month + timedelta(days=31)).replace(day=1),
                weeks=[
                    [
                        {
                            "day": day,
                            "inside": day.month == month.month,
                            "today": day == today,
                            "entries": sorted(days.get(day, []), key=lambda one: one["at"]),
                        }
                        for day in week
                    ]
                    for week in sheet
                ],
            )
        )

    # --- one friend -----------------------------------------------------------------------

    @expose("/of/<int:friend_id>/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def switch(self, friend_id: int) -> Response:
        """Subscribe a friend who asked for it, or stop it for her; staff say why."""
        friend = find_friend(friend_id)
        topic = self._topic()
        reason = " ".join(request.form.get("reason", "").split())
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise DomainError(
                _l("Say in 1 to %(most)s characters how she asked for it.", most=LONGEST_REASON)
            )
        wish = Wish(BY_STAFF, clock.now(), clock.wall(), staff=current_staff(), reason=reason)
        if request.form.get("on") == "1":
            if topic.archived_at is not None:
                raise DomainError(_("The topic “%(name)s” is archived.", name=topic.name))
            done = bool(subscribe(topic, friend.id, wish))
        else:
            done = stop(topic, friend.id, wish)
        flash(_("Saved.") if done else _("Nothing was different."), "success")
        return redirect(url_for("friends.page", friend_id=friend.id))

    @expose("/proof/<int:friend_id>.csv")
    @needs("edit")
    def proof(self, friend_id: int) -> Response:
        """Everything one friend agreed to and stopped, with the words she was shown, as CSV."""
        friend = find_friend(friend_id)
        lines = list(Consent.select().where(Consent.friend_id == friend.id).order_by(Consent.id))
        audit.record(
            current_staff(),
            "topic.export",
            "friend",
            friend.id,
            friend.display_name,
            None,
            {"rows": len(lines)},
            wall=clock.wall(),
        )
        return export.csv_response(f"consent-{friend.id}", _proof(friend.line_user_id, lines))

    def back_url(self) -> str:
        topic = request.form.get("id", type=int)
        friend = (request.view_args or {}).get("friend_id")
        if friend:
            return url_for("friends.page", friend_id=friend)
        return str(self.get_url(".details_view", id=topic)) if topic else super().back_url()

    def _topic(self) -> Topic:
        topic: Topic = self.get_one(request.values.get("id")) or abort(404)
        return topic


def cost_words(topic: Topic, subscribers: int) -> str:
    """What a month of it costs, in short."""
    found = numbers.monthly_cost(topic, subscribers, settings.shop())
    if found.twd is None:
        return _("%(count)s messages", count=format_count(found.messages))
    return _("about %(money)s", money=format_twd(found.twd))


def _people(topic: Topic) -> numbers.People:
    """Asked once per row of the list, since it is drawn column by column."""
    known: dict[int, numbers.People] = g.setdefault("topic_people", {})
    if topic.id not in known:
        known |= numbers.people([topic.id], clock.now())
    return known[topic.id]


def _state(topic: Topic) -> tuple[str, str]:
    if topic.archived_at is not None:
        return "quiet", _("Archived")
    return "ok", _("Offered")


def _state_badge(topic: Topic) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(*_state(topic))


def _sample(topic: Topic) -> Any:
    return queries.Known(topic, wording_of(topic)).card(DEFAULT_LOCALE)


def _next_moment(topic: Topic, sent: list[Broadcast]) -> Any:
    """From when on the next one may leave; None where it may leave now."""
    last = max((moment_of(row) for row in sent), default=None)
    soonest = None if last is None else last + SPANS[topic.frequency]
    return soonest if soonest is not None and soonest > clock.now() else None


def _sending(row: Broadcast) -> dict[str, Any]:
    return {
        "name": row.name,
        "url": url_for("broadcasts.report", broadcast_id=row.id),
        "when": moment_of(row),
        "at": format_time(moment_of(row)),
        "state": sending.label(row.state),
        "kind": sending.KINDS.get(row.state, ""),
        "count": row.expected if row.sent_count is None else row.sent_count,
    }


def _facts(topic: Topic) -> list[tuple[Any, Any]]:
    life = (
        _("until she stops it")
        if topic.life_months is None
        else _("%(count)s months", count=topic.life_months)
    )
    rows: list[tuple[Any, Any]] = [
        (_("Frequency"), FREQUENCIES[topic.frequency]),
        (_("Consent is good for"), life),
        (
            _("Wording of the consent"),
            Markup('<span class="pre-line">{}</span> <span class="hint">{}</span>').format(
                wording_of(topic), _("version %(number)s", number=topic.wording_version)
            ),
        ),
    ]
    if topic.tag is not None:
        rows.append((_("Tag kept in step"), topic.tag.name))
    rows.append((_("Short name"), Markup("<code>{}</code>").format(topic.code)))
    rows.append((_("In broadcasts"), Markup("<code>to: {{topic: {}}}</code>").format(topic.code)))
    return rows


def _proof(line_user_id: str, lines: list[Consent]) -> Iterator[list[Any]]:
    yield [
        _("LINE user ID"),
        _("Topic"),
        _("What happened"),
        _("How"),
        _("Time"),
        _("Good until"),
        _("Wording version"),
        _("Wording of the consent"),
        _("Reason"),
    ]
    names = friend_topics.place_names(lines)
    for line in lines:
        yield [
            line_user_id,
            line.topic.name,
            CHANGE_LABELS[line.change],
            names.get(line.id) or PLACE_LABELS[line.place],
            line.at,
            line.until,
            line.wording_version,
            wording_of(line.topic, line.wording_version),
            line.reason,
        ]


def _month(text: str) -> date | None:
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return day if FIRST_YEAR < day.year < LAST_YEAR else None


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(TopicsView(Topic, _l("Topics"), endpoint="topics"), "messages", 45)]
